"""The time of `softmaxce evaluate` with 1,000 classes, compared with its arithmetic alone.

    python benchmarks/many_classes.py [N_CLASSES [N_IMAGES]]

Makes random images (default: 3,000) and a random model in a temporary folder. The arithmetic has a
process of its own: it reads the same images and computes the logits, the log-probabilities and
every score with its interval, but prints nothing. Runs both alternately and prints the ratio of
their smallest times. Required: at most 2. Then it prints the size of every output.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from softmaxce.layers import Layer
from softmaxce.model.model_file import save_model
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.preprocessing import Preprocessing

N_RUNS = 7
SIDE = 16
ARITHMETIC = """
import os, sys
os.environ["OPENBLAS_NUM_THREADS"] = "1"
from softmaxce.workflows.evaluate import evaluate

scored = evaluate(sys.argv[1], sys.argv[2]).scored
scores = scored.scores
scores.metrics, scores.per_class, scores.confusions, scores.bins, scored.uncalibrated.bins
"""


def make(folder: Path, n_classes: int, n_images: int) -> list[str]:
    """Images and a model with a temperature; returns the paths of both."""
    random = np.random.default_rng(0)
    images, model_path = folder / "images.npz", folder / "model.npz"
    pixels = random.integers(0, 256, (n_images, SIDE, SIDE), dtype=np.uint8)
    np.savez(images, x=pixels, y=np.arange(n_images) % n_classes)
    layer = Layer(random.normal(0, 0.2, (SIDE * SIDE, n_classes)), np.zeros(n_classes))
    names = tuple(sorted(map(str, range(n_classes))))
    model = SoftmaxModel((layer,), Preprocessing(SIDE, SIDE, 1), names)
    save_model(model.with_temperature(1.5), model_path)
    return [str(images), str(model_path)]


def run(command: list[str]) -> tuple[float, int]:
    """Wall time of one run, which must succeed, and the size of what it prints."""
    started = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started, len(done.stdout)


def main() -> None:
    """Time both in turn, then print the sizes."""
    n_classes, n_images = (
        int(word) for word in (sys.argv[1:] + ["1000", "3000"][len(sys.argv) - 1 :])
    )
    with tempfile.TemporaryDirectory() as folder:
        images, model = make(Path(folder), n_classes, n_images)
        evaluate = [sys.executable, "-m", "softmaxce", "evaluate", images, "-m", model, "-q"]
        bare = [sys.executable, "-c", ARITHMETIC, images, model]
        runs = [(run(bare)[0], run(evaluate)[0]) for _ in range(N_RUNS)]
        arithmetic, whole = (min(times) for times in zip(*runs, strict=True))
        print(f"{n_classes:,} classes, {n_images:,} images")
        print(f"arithmetic alone: {arithmetic:.3f} s")
        print(f"softmaxce evaluate: {whole:.3f} s")
        print(
            f"ratio {whole / arithmetic:.2f} (smallest of {N_RUNS} runs in turn; asked: at most 2)"
        )
        for output_format in ("text", "json", "jsonl", "csv"):
            seconds, size = run([*evaluate, "--format", output_format])
            print(f"--format {output_format}: {seconds:.2f} s, {size:,} bytes")
        report = Path(folder, "report.html")
        seconds, _ = run([*evaluate, "--report", str(report)])
        print(f"--report: {seconds:.2f} s, {report.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
