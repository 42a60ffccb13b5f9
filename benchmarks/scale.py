"""Whether a fit depends on the range of the pixels: the same images, multiplied and darkened.

    SOFTMAXCE_DATA=DATA python benchmarks/scale.py mnist clothing

DATA contains mnist/ and clothing/. Every fifth image is for validation, and l2 is chosen by it.
"""

from __future__ import annotations

import sys

import numpy as np
from solvers import SETS

from softmaxce.layers import forward
from softmaxce.training.fitting import Fit, fit
from softmaxce.training.rows import Rows

FACTORS = {"1/1000": 1e-3, "1/16": 1 / 16, "1": 1.0, "255": 255.0}
HEADER = f"{'set':10}{'pixels':24}{'accuracy':>9}{'same answer':>13}{'iterations':>12}{'l2':>12}"


def run(pixels: np.ndarray, labels: np.ndarray, scale: float) -> tuple[Fit, np.ndarray]:
    """The fit to four of five rows, and the predictions of the fifth ones."""
    is_validation = np.arange(len(labels)) % 5 == 0
    validation = Rows(pixels, labels, np.flatnonzero(is_validation))
    rows = np.flatnonzero(~is_validation)
    n_classes = int(labels.max()) + 1
    found = fit(pixels, labels, n_classes, rows=rows, validation=validation, scale=scale)
    chosen = pixels[is_validation].astype(np.float64) * scale
    return found, forward(found.layers, chosen).argmax(axis=1)


def compare(name: str) -> None:
    """Print one line for the images, and one for each way to change their range."""
    images, labels = SETS[name]()
    pixels = images.reshape(len(images), -1)
    variants = {"0 … 255 in bytes": (pixels, 1 / 255)}
    for label, factor in FACTORS.items():
        variants[f"float32, 0 … 1 × {label}"] = (pixels * np.float32(factor / 255), 1.0)
    variants["8 grey levels in bytes"] = (pixels // 32, 1 / 255)
    expected = None
    for label, (values, scale) in variants.items():
        found, predicted = run(values, labels, scale)
        expected = predicted if expected is None else expected
        accuracy, same = np.mean(predicted == labels[::5]), np.mean(predicted == expected)
        steps = f"{found.n_iterations:12}{found.l2:12.3g}"
        print(f"{name:10}{label:24}{accuracy:9.2%}{same:13.2%}{steps}")


if __name__ == "__main__":
    print(HEADER)
    for chosen in sys.argv[1:]:
        compare(chosen)
