"""The time of `softmaxce predict` for one image, compared with importing what it needs.

    python benchmarks/startup.py

Runs both commands alternately and prints the ratio of their median times. Required: at most 1.5.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PETS = Path(__file__).parent.parent / "data" / "pets"
IMPORTS = "import click, numpy, PIL.Image, rich.console, rich.table"
N_RUNS = 25


def seconds(command: list[str]) -> float:
    """Wall time of one run, which must succeed."""
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    """Train on the sample once, then time prediction and imports alternately."""
    softmaxce = [sys.executable, "-m", "softmaxce"]
    with tempfile.TemporaryDirectory() as folder:
        model = f"{folder}/model.npz"
        subprocess.run(
            [*softmaxce, "train", str(PETS / "train"), "-o", model, "--quiet"],
            check=True,
            capture_output=True,
        )
        image = str(PETS / "test" / "cat" / "cat-001.png")
        peer = [sys.executable, "-c", IMPORTS]
        ours = [*softmaxce, "predict", image, "-m", model]
        runs = [(seconds(peer), seconds(ours)) for _ in range(N_RUNS)]
    imports, predict = (statistics.median(times) for times in zip(*runs, strict=True))
    print(f"python -c '{IMPORTS}': {imports:.3f} s")
    print(f"softmaxce predict of one image: {predict:.3f} s")
    print(f"ratio {predict / imports:.2f} (medians of {N_RUNS} runs in turn; asked: at most 1.5)")


if __name__ == "__main__":
    main()
