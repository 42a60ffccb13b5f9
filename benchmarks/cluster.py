"""The costs and gains of a cluster, measured on this machine: python benchmarks/cluster.py WHAT.

    overhead        overhead of an evaluation with two local workers, by the number of tasks
    scaling DIR     evaluations of four times DIR (links), with one and with two workers
    memory DIR      eight times DIR (links), on a worker whose memory limit is below its size
    kills N         N trainings, in each of which a worker is killed at a random moment
    network [N…]    bytes the driver sends and receives for each evaluation, with hosts that are
                    network namespaces on a bridge of 1 Gbit/s (needs root, ip and tc)

The driver waits while the workers compute, so two cores are enough for two workers.
"""

from __future__ import annotations

import hashlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"
os.environ |= {  # as in docs/cluster.md: less self-monitoring
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "1s",
    "DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL": "5s",
}

import numpy as np  # noqa: E402
from cluster_net import Hosts  # noqa: E402
from cluster_tools import Command, Processes  # noqa: E402
from helpers import draw_classes  # noqa: E402

from softmaxce.cluster.connection import Cluster, connected  # noqa: E402
from softmaxce.cluster.pixels import ClusterReader  # noqa: E402
from softmaxce.cluster.settings import ClusterSettings  # noqa: E402
from softmaxce.data.class_folders import list_class_folders  # noqa: E402
from softmaxce.images.reading import Preprocessing  # noqa: E402
from softmaxce.training.objective import Objective  # noqa: E402
from softmaxce.training.rows import Rows  # noqa: E402

N_TIMES = 15


@contextmanager
def objective_of(
    address: str, paths: list[str], form: Preprocessing, n_classes: int, n_workers: int
) -> Iterator[tuple[Cluster, Objective]]:
    settings = ClusterSettings(address, min_workers=n_workers)
    with connected(settings, print) as cluster:
        decoded = ClusterReader(cluster).decode(paths, form, None)
        labels = np.arange(len(paths)) % n_classes
        yield cluster, Objective(Rows(decoded.pixels, labels), n_classes, 0.0, 1 / 255)


def seconds_of(objective: Objective, rng: np.random.Generator) -> float:
    """The median time of some evaluations, each at new parameters; the first sends the labels."""
    times = []
    for _ in range(N_TIMES + 2):
        parameters = rng.normal(0, 0.01, objective.shape)
        began = time.perf_counter()
        objective(parameters)
        times.append(time.perf_counter() - began)
    return statistics.median(times[2:])


def overhead(folder: Path) -> None:
    """Tiny images, so that an evaluation is mostly overhead. The time of the same sums in this
    process, divided by two workers, is subtracted."""
    draw_classes(folder / "tiny", {"a": 24_000, "b": 24_000}, side=1, mode="L")
    paths = [p for c in list_class_folders(folder / "tiny") for p in c.paths]
    with Processes(folder / "cluster").start(2) as processes:
        for n_images in (1024, 12_288, 24_576, 48_000):
            form = Preprocessing(1, 1, 1)
            with objective_of(processes.address, paths[:n_images], form, 2, 2) as (_, objective):
                n_tasks = len(objective.rows.pixels.starts)
                seconds = seconds_of(objective, np.random.default_rng(0))
                rows = objective.rows
                here = replace(objective, rows=replace(rows, pixels=rows.pixels[:]))
                computing = seconds_of(here, np.random.default_rng(0)) / 2
            over = f"{(seconds - computing) * 1e3:.1f} ms of overhead (at most {30 + n_tasks})"
            print(f"{n_tasks} tasks: {seconds * 1e3:.1f} ms, {over}", flush=True)


def linked(source: str, folder: Path, n_times: int) -> list[str]:
    """n_times as many images: links to all images of class folders."""
    files = [Path(p) for c in list_class_folders(source) for p in c.paths]
    paths = []
    for copy in range(n_times):
        for i, file in enumerate(files):
            link = folder / f"{copy}-{i}.png"
            link.symlink_to(file)
            paths.append(str(link))
    return paths


def memory(source: str, folder: Path) -> None:
    """The memory of a worker whose data are larger than its limit."""
    limit = 350
    paths = linked(source, folder, 8)
    with Processes(folder / "cluster") as processes:
        processes.start_scheduler()
        worker = processes.add_worker(memory=f"{limit} MB", nanny=True)
        address = processes.address
        with objective_of(address, paths, Preprocessing(28, 28, 1), 10, 1) as (cluster, objective):
            before = set(cluster.workers)
            seconds = seconds_of(objective, np.random.default_rng(0))
            same = before == set(cluster.workers) and worker.poll() is None
            known = cluster.wait_for(cluster.client.scheduler.identity(n_workers=-1), 5)["workers"]
            held = max(w["metrics"]["memory"] for w in known.values())
        restarts = processes.log("w0").count("Restarting worker")
    print(
        f"{len(paths) * 784 / 1e6:.0f} MB of pixels, limit {limit} MB: the process holds "
        f"{held / 1e6:.0f} MB, {restarts} restarts, the same worker: {same}; {seconds:.2f} s"
    )


def scaling(source: str, folder: Path) -> None:
    """240,000 rows on one worker and on two (strong scaling), and 120,000 on one (weak scaling).
    Each has its own cluster. They alternate, since the speed of a machine varies."""
    paths = linked(source, folder, 4)
    whole, half = len(paths), len(paths) // 2
    times: dict[tuple[int, int], list[float]] = {(1, whole): [], (2, whole): [], (1, half): []}
    objectives = {}
    with ExitStack() as stack:
        for n_workers, n_rows in times:
            place = folder / f"cluster{n_workers}-{n_rows}"
            address = stack.enter_context(Processes(place).start(n_workers)).address
            some = paths[:n_rows]
            of = objective_of(address, some, Preprocessing(28, 28, 1), 10, n_workers)
            objectives[n_workers, n_rows] = stack.enter_context(of)[1]
        rng = np.random.default_rng(0)
        for _ in range(N_TIMES + 2):
            for kind, objective in objectives.items():
                parameters = rng.normal(0, 0.01, objective.shape)
                began = time.perf_counter()
                objective(parameters)
                times[kind].append(time.perf_counter() - began)
    seconds = {kind: statistics.median(found[2:]) for kind, found in times.items()}
    for (n_workers, n_rows), found in seconds.items():
        print(f"{n_workers} workers, {n_rows:,} rows: {found * 1e3:.0f} ms", flush=True)
    print(f"two are {seconds[1, whole] / seconds[2, whole]:.2f} × as fast as one")
    print(f"weak scaling: {seconds[1, half] / seconds[2, whole]:.0%} of the ideal")


def kills(n_times: int, folder: Path) -> None:
    """Each training loses one of two workers at a random moment."""
    draw_classes(folder / "train", dict.fromkeys("abc", 5500), mode="L")
    rng = random.Random(0)

    def train(*words: object) -> Command:
        return Command("train", folder / "train", "-o", folder / "model.npz", *words, cwd=folder)

    def sha() -> str:
        return hashlib.sha256((folder / "model.npz").read_bytes()).hexdigest()

    assert train().ended() == 0
    wanted, n_same, n_seen, length = sha(), 0, 0, 3.0
    with Processes(folder / "cluster").start(1) as processes:
        for _ in range(n_times):
            processes.add_worker()
            command = train("--dask", processes.address, "--dask-min-workers", 2)
            processes.wait_for_pixels()
            began = time.monotonic()
            time.sleep(rng.uniform(0, length))
            processes.kill(rng.randrange(2))
            code = command.ended()
            length = max(1.0, 0.9 * (time.monotonic() - began - 0.5))
            n_seen += "is gone" in command.stderr
            n_same += code == 0 and sha() == wanted
    print(f"{n_same} of {n_times} gave the same bytes; {n_seen} noticed the death in their time")


def network(folder: Path) -> None:
    """1,000 classes of 32 × 32 grey images, so that the weights (4 MB) dominate the traffic."""
    draw_classes(folder / "pool", {"a": 16_000}, side=32, mode="L")
    paths = [p for c in list_class_folders(folder / "pool") for p in c.paths]
    code = (
        "import sys; sys.path.insert(0, 'benchmarks'); import cluster; "
        "cluster.measure_bytes(*sys.argv[1:])"
    )
    listed = folder / "paths.txt"
    listed.write_text("\n".join(paths))
    for n_hosts in map(int, sys.argv[2:] or "123"):
        with ExitStack() as stack:
            hosts = stack.enter_context(Hosts(n_hosts + 1))
            processes = stack.enter_context(hosts.cluster(folder / f"net{n_hosts}", n_hosts))
            words = [*hosts.prefix(0), sys.executable, "-c", code, processes.address]
            words += [str(listed), str(n_hosts), hosts.device(0)]
            root = Path(__file__).parent.parent
            subprocess.run(words, check=True, cwd=root, env={**os.environ, "PYTHONPATH": "src"})


def measure_bytes(address: str, listed: str, n_hosts: str, device: str) -> None:
    paths = Path(listed).read_text().splitlines()
    with objective_of(address, paths, Preprocessing(32, 32, 1), 1000, int(n_hosts)) as (_, of):
        rng = np.random.default_rng(0)
        seconds_of(of, rng)
        before = moved(device)
        seconds = seconds_of(of, rng)
        each = (moved(device) - before) / (N_TIMES + 2)
    ideal = 12 * 1024 * 1000
    print(
        f"{n_hosts} hosts: {each / ideal:.3f} × (4 + 8) × n_pixels × n_classes bytes, "
        f"{seconds * 1e3:.0f} ms an evaluation",
        flush=True,
    )


def moved(device: str) -> int:
    """Bytes received and sent by a network device of this namespace."""
    for line in Path("/proc/self/net/dev").read_text().splitlines():
        name, _, counts = line.strip().partition(":")
        if name == device:
            numbers = counts.split()
            return int(numbers[0]) + int(numbers[8])
    raise LookupError(device)


def main() -> None:
    what, *rest = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if what == "overhead":
            overhead(folder)
        elif what == "scaling":
            scaling(rest[0], folder)
        elif what == "memory":
            memory(rest[0], folder)
        elif what == "kills":
            kills(int(rest[0]), folder)
        else:
            network(folder)


if __name__ == "__main__":
    main()
