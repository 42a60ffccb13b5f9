"""The search direction: limited-memory BFGS around a given inverse Hessian."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_MAX_PAIRS, _MIN_PAIRS = 20, 3
_PAIR_VALUES = 1 << 25  # numbers kept of past steps: 256 MB


def max_pairs(n_parameters: int) -> int:
    """How many past steps, with their gradient changes, are kept of a problem of this size."""
    return max(_MIN_PAIRS, min(_MAX_PAIRS, _PAIR_VALUES // (2 * n_parameters)))


class LBFGS:
    """Inverse-Hessian estimate: `apply_inverse` corrected by the last steps taken.

    Two-loop recursion of Nocedal and Wright, Numerical Optimization, 2nd ed., algorithm 7.4,
    with H₀ = apply_inverse instead of a multiple of the identity.
    """

    def __init__(self, apply_inverse: Callable[[Array], Array]) -> None:
        self.apply_inverse = apply_inverse
        self._pairs: deque[tuple[Array, Array, float]] = deque()

    def learn(self, step: Array, gradient_change: Array) -> None:
        """Use one step and the change of the gradient over it, unless the curvature is too low."""
        curvature = float(np.vdot(step, gradient_change))
        if curvature > 1e-10 * float(np.vdot(step, step)) ** 0.5 * _norm(gradient_change):
            self._pairs.append((step, gradient_change, curvature))
        if len(self._pairs) > max_pairs(step.size):
            self._pairs.popleft()

    def direction(self, gradient: Array) -> Array:
        """−H·gradient, a descent direction."""
        q = gradient.copy()
        alphas: list[float] = []
        for step, change, curvature in reversed(self._pairs):
            alpha = float(np.vdot(step, q)) / curvature
            q -= alpha * change
            alphas.append(alpha)
        r = self.apply_inverse(q)
        for (step, change, curvature), alpha in zip(self._pairs, reversed(alphas), strict=True):
            r += (alpha - float(np.vdot(change, r)) / curvature) * step
        return -r


def _norm(a: Array) -> float:
    return float(np.sqrt(np.vdot(a, a)))
