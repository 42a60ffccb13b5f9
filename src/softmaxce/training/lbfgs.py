"""The direction: limited-memory BFGS about a given inverse Hessian."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_MEMORY_VALUES = 1 << 25  # numbers kept of past steps: 256 MB; three steps are kept in any case


class LBFGS:
    """Inverse-Hessian estimate: `apply_inverse` corrected by the last `memory` steps taken.

    Two-loop recursion of Nocedal and Wright, Numerical Optimization, 2nd ed., algorithm 7.4,
    with H₀ = apply_inverse instead of a multiple of the identity.
    """

    def __init__(self, apply_inverse: Callable[[Array], Array], memory: int = 20) -> None:
        self.apply_inverse = apply_inverse
        self._memory = memory
        self._pairs: deque[tuple[Array, Array, float]] = deque()

    def learn(self, step: Array, gradient_change: Array) -> None:
        """Take in one step and how the gradient changed over it (not used unless convex)."""
        curvature = float(np.vdot(step, gradient_change))
        if curvature > 1e-10 * float(np.vdot(step, step)) ** 0.5 * _norm(gradient_change):
            self._pairs.append((step, gradient_change, curvature))
        if len(self._pairs) > max(3, min(self._memory, _MEMORY_VALUES // (2 * step.size))):
            self._pairs.popleft()

    def direction(self, gradient: Array) -> Array:
        """−H·gradient: a direction of descent."""
        q = gradient.copy()
        shares: list[float] = []
        for step, change, curvature in reversed(self._pairs):
            share = float(np.vdot(step, q)) / curvature
            q -= share * change
            shares.append(share)
        r = self.apply_inverse(q)
        for (step, change, curvature), share in zip(self._pairs, reversed(shares), strict=True):
            r += (share - float(np.vdot(change, r)) / curvature) * step
        return -r


def _norm(a: Array) -> float:
    return float(np.sqrt(np.vdot(a, a)))
