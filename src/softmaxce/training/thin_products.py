"""The two matrix products of a pass with few classes, which are thin: one side has few columns.

BLAS first copies the pixels into an order of its own, which takes a third of the time of so thin a
product. On processors with AVX-512, OpenBLAS leaves the copy out for small products. There the
rows are multiplied in slabs: a pass over MNIST takes four fifths of the time. On other
processors slabs would only be slower.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[Any]

_SLAB_ROWS = 32
_SMALL_PRODUCT = 10**6  # multiplications of the largest product that OpenBLAS calls small


def logits_of(pixels: Matrix, weights: Matrix) -> Matrix:
    """weights.T @ pixels.T, (n_classes, n), of pixels (n, n_pixels).

    weights: (n_pixels, n_classes), best with contiguous columns.
    """
    n, n_classes = len(pixels), weights.shape[1]
    n_sliced, slabs = _slabs(pixels, n_classes)
    logits = np.empty((n_classes, n), pixels.dtype)
    if n_sliced:
        places = logits[:, :n_sliced].reshape(n_classes, *slabs.shape[:2]).transpose(1, 0, 2)
        np.matmul(weights.T, slabs.transpose(0, 2, 1), out=places)
    if n_sliced < n:
        logits[:, n_sliced:] = (pixels[n_sliced:] @ weights).T
    return logits


def gradient_of(pixels: Matrix, residuals: Matrix) -> Matrix:
    """pixels.T @ residuals.T, (n_pixels, n_classes), of residuals (n_classes, n)."""
    n_classes, n = residuals.shape
    n_sliced, slabs = _slabs(pixels, n_classes)
    gradient: Matrix = np.zeros((), pixels.dtype)
    if n_sliced:
        of_slabs = residuals[:, :n_sliced].reshape(n_classes, *slabs.shape[:2]).transpose(1, 0, 2)
        gradient = (of_slabs @ slabs).sum(axis=0).T
    if n_sliced < n:
        gradient = gradient + pixels[n_sliced:].T @ np.ascontiguousarray(residuals[:, n_sliced:].T)
    return gradient


def _slabs(pixels: Matrix, n_classes: int) -> tuple[int, Matrix]:
    """How many rows are multiplied in slabs, and these, (n_slabs, rows of a slab, n_pixels)."""
    n, n_pixels = pixels.shape
    is_small = _SLAB_ROWS * n_pixels * n_classes <= _SMALL_PRODUCT
    n_sliced = n - n % _SLAB_ROWS if is_small and _has_avx512() else 0
    return n_sliced, pixels[:n_sliced].reshape(-1, _SLAB_ROWS, n_pixels)


@cache
def _has_avx512() -> bool:
    """Whether NumPy, and so presumably its BLAS, uses AVX-512."""
    core: Any = np._core if hasattr(np, "_core") else np.core
    return bool(core._multiarray_umath.__cpu_features__.get("AVX512F"))
