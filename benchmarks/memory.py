"""Memory and time needed for many images: by the fit alone, and by `softmaxce train`.

    SOFTMAXCE_DATA=… python benchmarks/memory.py [--copies 10] [--folder TMP]
    SOFTMAXCE_DATA=… python benchmarks/memory.py --patches 60000 600000 [--folder TMP]
    python benchmarks/memory.py --features 50000 200000 [--folder TMP]

The fit: MNIST's rows of 784 pixels in a mapped file, once and repeated ten times, each in a process
of its own. Required: at most 300 MB besides the mapped pixels, no more for ten times the rows, and
at most eleven times the time. The training: MNIST's 60,000 PNG files once, and repeated ten times
as links, without a cache. Required: 600,000 images in less than 400 MB.
With --patches, only `train --features patches`, for so many links to the 50,000 training pictures
of CIFAR-10. The pixels and features are in temporary files, which need 14 KB for each picture (8 GB
for 600,000). Required: at most 500 MB, and at most 11 times the time for ten times the images.
With --features, only `train` on so many rows of 768 float32 features in an .npy file, in 10 classes
(614 MB for 200,000). Required: at most 500 MB, and at most 50 MB more for four times the rows.
Peaks are of one process: all resident memory, and its part that is not backed by a file
("anonymous").
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from solvers import mnist

FIT = """
import sys
import numpy as np
from softmaxce.cli import _hold_blas_to_one_thread
from softmaxce.training.fitting import fit
pixels, labels = (np.load(f"{sys.argv[1]}/{name}.npy", mmap_mode="r") for name in ("x", "y"))
fit(pixels, np.asarray(labels), 10, l2=1 / 60_000)
"""


def watched(command: list[str]) -> tuple[float, float, float]:
    """(seconds, peak of resident MB, peak of anonymous MB) of a command's own process."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    start = time.perf_counter()
    anonymous, peak = 0, 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment) as process:
        while process.poll() is None:
            facts = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            fields = dict(line.split(":", 1) for line in facts.splitlines())
            if "VmHWM" in fields:
                peak = max(peak, int(fields["VmHWM"].split()[0]))
                anonymous = max(anonymous, int(fields["RssAnon"].split()[0]))
            time.sleep(0.02)
    if process.returncode:
        raise SystemExit(process.returncode)
    return time.perf_counter() - start, peak / 1024, anonymous / 1024


def show(what: str, n: int, found: tuple[float, float, float]) -> None:
    seconds, resident, anonymous = found
    print(
        f"{what:6} {n:9,} images {seconds:7.1f} s  peak {resident:6.0f} MB, "
        f"anonymous {anonymous:6.0f} MB",
        flush=True,
    )


def measure_fits(pixels: np.ndarray, labels: np.ndarray, copies: int, place: str) -> None:
    random = np.random.default_rng(0)
    for times in (1, copies):
        order = random.permutation(np.tile(np.arange(len(pixels)), times))
        np.save(f"{place}/x.npy", pixels[order])
        np.save(f"{place}/y.npy", labels[order])
        show("fit", len(order), watched([sys.executable, "-c", FIT, place]))


def measure_trainings(copies: int, place: str) -> None:
    digits = Path(os.environ["SOFTMAXCE_DATA"]) / "mnist" / "train"
    n_files = 0
    for times in range(copies):
        for file in digits.glob("*/*"):
            folder = Path(place) / "images" / file.parent.name
            folder.mkdir(parents=True, exist_ok=True)
            os.link(file, folder / f"{times:03}-{file.name}")
            n_files += 1
        if times in (0, copies - 1):
            train_on(place, n_files)


def measure_patches(sizes: list[int], place: str) -> None:
    """Train with patch features on more and more pictures."""
    files = sorted((Path(os.environ["SOFTMAXCE_DATA"]) / "cifar10" / "train").glob("*/*"))
    files.sort(key=lambda file: file.name)  # mixes the classes
    for n_files, size in pairwise([0, *sorted(sizes)]):
        for number in range(n_files, size):
            file = files[number % len(files)]
            folder = Path(place) / "images" / file.parent.name
            folder.mkdir(parents=True, exist_ok=True)
            os.link(file, folder / f"{number}{file.suffix}")
        train_on(place, size, "--features", "patches")


def measure_features(sizes: list[int], place: str) -> None:
    """Train on rows of features in a file."""
    random = np.random.default_rng(0)
    means = random.normal(0, 0.1, (10, 768))
    for n in sizes:
        labels = random.integers(0, 10, n)
        shape, path = (n, 768), f"{place}/features.npy"
        rows = np.lib.format.open_memmap(path, "w+", np.float32, shape)
        for at in range(0, n, 4096):
            block = labels[at : at + 4096]
            rows[at : at + 4096] = means[block] + random.normal(0, 1, (len(block), 768))
        rows.flush()
        del rows
        np.save(f"{place}/labels.npy", labels)
        command = ["train", path, "-o", f"{place}/m.npz", "--quiet"]
        show("train", n, watched([sys.executable, "-m", "softmaxce", *command]))


def train_on(place: str, n_files: int, *words: str) -> None:
    """Run and print a whole training on the images in `place`."""
    command = ["train", f"{place}/images", "-o", f"{place}/m.npz", "--no-cache", "--quiet", *words]
    show("train", n_files, watched([sys.executable, "-m", "softmaxce", *command]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copies", type=int, default=10)
    parser.add_argument("--folder", help="for the images; on the file system of SOFTMAXCE_DATA")
    parser.add_argument("--patches", type=int, nargs="+", metavar="N", help="numbers of pictures")
    parser.add_argument("--features", type=int, nargs="+", metavar="N", help="numbers of rows")
    options = parser.parse_args()
    if options.features:
        with tempfile.TemporaryDirectory(dir=options.folder) as place:
            measure_features(options.features, place)
        return
    if options.patches:
        with tempfile.TemporaryDirectory(dir=options.folder) as place:
            measure_patches(options.patches, place)
        return
    pictures, labels = mnist()
    with tempfile.TemporaryDirectory(dir=options.folder) as place:
        measure_fits(pictures.reshape(len(pictures), -1), labels, options.copies, place)
        measure_trainings(options.copies, place)


if __name__ == "__main__":
    main()
