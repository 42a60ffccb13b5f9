"""The time of `check --labels` and `check --curve` against `train`, as processes.

    python benchmarks/check_times.py DIR [ROUNDS]

Each round (3) runs the three commands on DIR, a folder of class folders or a manifest, without a
cache. The medians of wall-clock and of processor time are compared. Nothing else should run.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time

import numpy as np


def seconds(*words: str) -> tuple[float, float]:
    """Run a command, and return its wall-clock time and the processor time of its processes."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-m", "softmaxce", *words], check=True, capture_output=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(source: str, rounds: int = 3) -> None:
    """Print the median times and their ratios to `train`."""
    with tempfile.TemporaryDirectory() as place:
        commands = {
            "train": ("train", source, "-o", f"{place}/model.npz", "--force", "--no-cache"),
            "check --labels": ("check", source, "--labels", "--format", "json"),
            "check --curve": ("check", source, "--curve", "--format", "json"),
        }
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, words in commands.items():
                times[name].append(seconds(*words))
    train = np.median(times["train"], axis=0)
    for name, found in times.items():
        wall, processor = np.median(found, axis=0)
        print(
            f"{name}: {wall:.1f} s ({wall / train[0]:.2f} x train), processor time "
            f"{processor:.1f} s ({processor / train[1]:.2f} x)"
        )


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
