"""The time of a model's logits in padded blocks, beside one vector-matrix product per image.

    python benchmarks/logits.py

Both give an image the same bits whatever other images are computed with it. Required: at least
3 times as fast for 12,288 pixels and 1,000 classes, and never slower for MNIST.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does

import time
from collections.abc import Callable
from statistics import median

import numpy as np
from numpy.typing import NDArray

from softmaxce.layers import Layer
from softmaxce.model.softmax_model import PIXEL_SCALE, SoftmaxModel
from softmaxce.preprocessing import Preprocessing

CASES = {
    "12,288 x 1,000": (Preprocessing(64, 64, 3), 1000, 256),
    "784 x 10 (MNIST)": (Preprocessing(28, 28, 1), 10, 10_000),
    "3,072 x 3 (the sample)": (Preprocessing(32, 32, 3), 3, 2000),
}
N_TURNS = 7


def one_by_one(model: SoftmaxModel, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The logits of a model without hidden layers, one vector-matrix product per image."""
    (layer,) = model.layers
    logits = np.empty((len(pixels), model.n_classes))
    for start in range(0, len(pixels), 256):
        values = np.multiply(pixels[start : start + 256], PIXEL_SCALE, dtype=np.float64)
        products = np.matmul(values[:, np.newaxis, :], layer.weights)[:, 0, :]
        logits[start : start + 256] = products + layer.biases
    return logits


def seconds(work: Callable[..., object], *arguments: object) -> float:
    """Wall time of one call."""
    started = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - started


def main() -> None:
    """Time both in turn, and a single image."""
    random = np.random.default_rng(0)
    for name, (preprocessing, n_classes, n_images) in CASES.items():
        weights = random.normal(0, 0.01, (preprocessing.n_pixels, n_classes))
        names = tuple(str(k) for k in range(n_classes))
        model = SoftmaxModel((Layer(weights, np.zeros(n_classes)),), preprocessing, names)
        pixels = random.integers(0, 256, (n_images, preprocessing.n_pixels), np.uint8)
        assert np.allclose(model.logits(pixels), one_by_one(model, pixels), rtol=1e-12, atol=1e-12)
        for n in (n_images, 1):
            turns = [
                (seconds(model.logits, pixels[:n]), seconds(one_by_one, model, pixels[:n]))
                for _ in range(N_TURNS)
            ]
            ours, theirs = (median(column) * 1e3 / n for column in zip(*turns, strict=True))
            print(
                f"{name:24} {n:6,} images: {ours:8.4f} ms an image, one by one {theirs:8.4f} ms: "
                f"{theirs / ours:5.2f} times as fast"
            )


if __name__ == "__main__":
    main()
