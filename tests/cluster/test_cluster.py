"""A cluster gives the same bytes as one machine, whatever happens to its workers."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest
from cluster_tools import Command, Processes
from helpers import run_command

pytestmark = [pytest.mark.slow, pytest.mark.cluster]


def training(cluster: Processes, data: Path, folder: Path, *words: object) -> Command:
    return Command(
        "train", data, "-o", folder / "model.npz", "--dask", cluster.address, *words, cwd=folder
    )


def assert_same(command: Command, folder: Path, local_model: Path) -> None:
    assert command.ended() == 0, command.stderr
    assert (folder / "model.npz").read_bytes() == local_model.read_bytes()


def test_any_number_of_workers_gives_the_same_bytes(cluster, many, local_model, tmp_path):
    here = run_command("evaluate", many / "test", "-m", local_model, "--format", "json")
    for n_workers in (1, 2, 3, 7):
        while len(cluster.workers) < n_workers:
            cluster.add_worker()
        command = training(cluster, many, tmp_path, "--dask-min-workers", n_workers)
        assert_same(command, tmp_path, local_model)
        words = ("--coverage", 0.9, "--errors", tmp_path / f"{n_workers}.csv")
        there = Command(
            *("evaluate", many / "test", "-m", local_model, "--format", "json"),
            *("--dask", cluster.address, "--dask-min-workers", n_workers),
            cwd=tmp_path,
        )
        assert there.ended() == 0, there.stderr
        assert there.stdout == here.stdout
    there = run_command(
        *("evaluate", many / "test", "-m", local_model, "--dask", cluster.address, *words)
    )
    here = run_command("evaluate", many / "test", "-m", local_model, *words)
    assert there.stdout == here.stdout


def test_few_images_are_fitted_here(cluster, tmp_path, pets_model):
    from helpers import PETS

    cluster.add_worker()
    cluster.add_worker()
    command = training(cluster, PETS / "train", tmp_path, "--report", tmp_path / "report.html")
    assert_same(command, tmp_path, pets_model)


def test_killed_workers_change_nothing(cluster, many, local_model, tmp_path):
    rng = random.Random(0)
    cluster.add_worker()
    for _ in range(3):
        cluster.add_worker()
        command = training(cluster, many, tmp_path, "--dask-min-workers", 2)
        cluster.wait_for_pixels()
        time.sleep(rng.uniform(0, 2))
        cluster.kill(-1)
        assert_same(command, tmp_path, local_model)


def test_all_killed_and_one_joins(cluster, many, local_model, tmp_path):
    cluster.add_worker()
    cluster.add_worker()
    command = training(cluster, many, tmp_path, "--dask-min-workers", 2)
    command.wait_for("Fitting")
    cluster.kill(0)
    cluster.kill(0)
    cluster.add_worker()
    assert_same(command, tmp_path, local_model)
    assert "is gone; 0 left" in command.stderr


def test_a_stopped_worker_is_excluded(cluster, many, local_model, tmp_path):
    cluster.add_worker()
    cluster.add_worker()
    words = ("--dask-min-workers", 2, "--eval-timeout", 6)
    command = training(cluster, many, tmp_path, *words)
    cluster.wait_for_pixels()
    cluster.workers[0].send_signal(signal.SIGSTOP)
    began = time.monotonic()
    assert_same(command, tmp_path, local_model)
    assert "excluded; 1 left" in command.stderr
    assert time.monotonic() - began < 60


def test_scheduler_lost_and_resumed_elsewhere(cluster, many, local_model, tmp_path):
    cluster.add_worker()
    command = training(cluster, many, tmp_path)
    command.wait_for("Fitting")
    cluster.scheduler.kill()
    began = time.monotonic()
    assert command.ended(20) == 75, command.stderr
    assert time.monotonic() - began < 10
    last = command.stderr.splitlines()[-1]
    assert last.startswith("Error: ")
    assert "--resume" in last
    with Processes(tmp_path / "another").start(2) as another:
        assert_same(training(another, many, tmp_path, "--resume"), tmp_path, local_model)


def test_no_workers_left_ends_with_a_checkpoint(cluster, many, tmp_path):
    cluster.add_worker()
    command = training(cluster, many, tmp_path, "--dask-timeout", 3)
    command.wait_for("Fitting")
    cluster.kill(0)
    assert command.ended(20) == 75, command.stderr
    assert "--resume" in command.stderr.splitlines()[-1]
    assert (tmp_path / "model.npz.checkpoint").exists()


def test_a_worker_without_the_data_is_not_used(cluster, hidden_from, many, local_model, tmp_path):
    cluster.add_worker(*hidden_from)
    cluster.add_worker()
    command = training(cluster, many, tmp_path, "--dask-min-workers", 2)
    assert_same(command, tmp_path, local_model)
    assert "cannot read the data" in command.stderr
    assert "; not used" in command.stderr


def test_data_hidden_from_all(cluster, hidden_from, many, tmp_path):
    import socket

    cluster.add_worker(*hidden_from)
    cluster.add_worker(*hidden_from)
    command = training(cluster, many, tmp_path, "--dask-min-workers", 2)
    assert command.ended() == 1, command.stderr
    last = command.stderr.splitlines()[-1]
    assert socket.gethostname() in last
    assert str(many) in last
    assert "no such file" in last


def test_a_late_worker_without_the_data(cluster, hidden_from, many, local_model, tmp_path):
    cluster.add_worker()
    command = training(cluster, many, tmp_path)
    cluster.wait_for_pixels()
    cluster.add_worker(*hidden_from)
    assert_same(command, tmp_path, local_model)


@pytest.mark.parametrize(
    ("stub", "words"),
    [
        ("softmaxce/__init__.py: raise ImportError('not here')", "softmaxce is none (not here)"),
        ("sitecustomize.py: import PIL; PIL.__version__ = '1.2.3'", "Pillow is 1.2.3 there and"),
    ],
)
def test_other_programs_on_a_worker(stub, words, cluster, many, local_model, tmp_path):
    name, code = stub.split(": ", 1)
    file = tmp_path / "stub" / name
    file.parent.mkdir(parents=True)
    file.write_text(code)
    cluster.add_worker(env={"PYTHONPATH": f"{tmp_path / 'stub'}:{cluster.path}"})
    command = training(cluster, many, tmp_path, "--dask-timeout", 10)
    assert command.ended() == 1, command.stderr
    assert words in command.stderr.splitlines()[-1]
    cluster.add_worker()
    command = training(cluster, many, tmp_path, "--dask-min-workers", 1)
    assert_same(command, tmp_path, local_model)


def test_a_truncated_file_is_decoded_again(cluster, many, local_model, tmp_path):
    cluster.add_worker()
    command = training(cluster, many, tmp_path)
    command.wait_for("Fitting")
    cut = []
    for file in (tmp_path / "cluster").rglob("*.pixels"):
        with open(file, "r+b") as stream:
            stream.truncate(100)
        cut.append(file)
    assert cut
    assert_same(command, tmp_path, local_model)
    assert "is damaged: decoding rows" in command.stderr


def test_a_file_that_kills_worker_after_worker(cluster, many, tmp_path):
    stub = tmp_path / "stub" / "sitecustomize.py"
    stub.parent.mkdir()
    stub.write_text(
        "import os\nopened = os.open\n"
        "def killing(path, *rest, **named):\n"
        "    if str(path).endswith('a/007.png'):\n        os._exit(9)\n"
        "    return opened(path, *rest, **named)\n"
        "os.open = killing\n"
    )
    for _ in range(5):
        cluster.add_worker(env={"PYTHONPATH": f"{stub.parent}:{cluster.path}"})
    command = training(cluster, many / "train", tmp_path, "--dask-min-workers", 5)
    assert command.ended() == 1, command.stderr
    last = command.stderr.splitlines()[-1]
    assert last.startswith("Error: a task killed 4 workers: rows 0–")
    assert str(many) in last


def test_paths_that_are_urls(cluster, many, local_model, tmp_path):
    cluster.add_worker()
    rows = [
        f"file://{path},{path.parent.name},{path.parent.parent.name}"
        for path in sorted(many.rglob("*.png"))
    ]
    manifest = tmp_path / "images.csv"
    manifest.write_text("\n".join(["path,label,split", *rows]))
    assert_same(training(cluster, manifest, tmp_path), tmp_path, local_model)
    outcome = run_command("train", manifest, "-o", tmp_path / "other.npz")
    assert outcome.exit_code == 1
    assert "only --dask reads URLs" in outcome.stderr


def test_what_cannot_be_is_one_line(cluster, many, tmp_path):
    for words, code, fragment in [
        (("--hidden", 8), 2, "mini-batches"),
        (("--dask", "http://x"), 2, "tcp://"),
        (("--dask", "tcp://127.0.0.1:9", "--dask-timeout", 1), 75, "no scheduler"),
        (("--dask-timeout", 1), 75, "too few workers"),
    ]:
        command = training(cluster, many, tmp_path, *words)
        assert command.ended(30) == code, command.stderr
        assert fragment in command.stderr
        assert command.stderr.count("\n") == 1
