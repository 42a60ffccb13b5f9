"""The curvature: an approximate inverse Hessian of the objective, from sampled rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from softmaxce.objective import Floats, Objective

SAMPLE_ROWS = 5000
DAMPING = 1e-4


def shared_curvature(objective: Objective, seed: int) -> Callable[[Floats], Floats]:
    """Inverse Hessian at the start, where every class has the same p(1 − p) = (K − 1)/K²."""
    pixels = sample_pixels(objective, seed) * objective.scale
    centre = pixels.mean(axis=0)
    pixels -= centre
    k = objective.n_classes
    share = (k - 1) / k**2
    hessian = (pixels.T @ pixels) * pixels.dtype.type(share / len(pixels))
    diagonal = np.einsum("ii->i", hessian)
    diagonal += objective.l2 + DAMPING * min(1.0, 1.0)
    inverse = np.linalg.inv(hessian)

    def apply(gradient: Floats) -> Floats:
        bias = gradient[-1]
        step = np.empty_like(gradient)
        step[:-1] = inverse @ (gradient[:-1] - np.outer(centre, bias)).astype(inverse.dtype)
        step[-1] = bias / share - centre @ step[:-1]
        return step

    return apply


def sample_pixels(objective: Objective, seed: int) -> NDArray[np.float32]:
    """Pixels of at most SAMPLE_ROWS rows, drawn without replacement, in their order."""
    n = len(objective.rows)
    if n <= SAMPLE_ROWS:
        chosen = np.arange(n)
    else:
        chosen = np.sort(np.random.default_rng(seed).choice(n, SAMPLE_ROWS, replace=False))
    return objective.rows.take(chosen)[0]
