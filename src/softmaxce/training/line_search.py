"""The acceptance of a step: full steps first, then shorter ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ValueAndGradient = Callable[[Array], tuple[float, Array]]

_SUFFICIENT = 1e-4  # share of the promised decrease that a step must deliver (Armijo)
_MAX_TRIALS = 20


@dataclass(frozen=True)
class Point:
    """Parameters, the objective there and its gradient."""

    parameters: Array
    value: float
    gradient: Array

    @property
    def gradient_norm(self) -> float:
        """Euclidean norm of the gradient."""
        return float(np.sqrt(np.vdot(self.gradient, self.gradient)))


def evaluate(function: ValueAndGradient, parameters: Array) -> Point:
    """The point of `function` at these parameters."""
    value, gradient = function(parameters)
    return Point(parameters, value, gradient)


def backtrack(
    function: ValueAndGradient, start: Point, direction: Array, noise: float
) -> Point | None:
    """A point along `direction` that decreases the objective enough, or None if none was found.

    The step 1 is tried first; each refused one is replaced by the minimum of the parabola
    through what is known. `noise` is the relative rounding error of the objective: differences
    below it are judged by the slope instead (Hager and Zhang 2005, approximate Wolfe).
    """
    slope = float(np.vdot(start.gradient, direction))
    tolerance = noise * abs(start.value)
    length = 1.0
    for _ in range(_MAX_TRIALS):
        trial = evaluate(function, start.parameters + length * direction)
        change = trial.value - start.value
        if change <= _SUFFICIENT * length * slope:
            return trial
        if change <= tolerance and _slope_says_so(trial, direction, slope):
            return trial
        length *= _shorten(change, length * slope)
    return None


def _slope_says_so(trial: Point, direction: Array, slope: float) -> bool:
    return abs(float(np.vdot(trial.gradient, direction))) <= 0.9 * abs(slope)


def _shorten(change: float, promised: float) -> float:
    """The factor to the minimum of the parabola with this change and slope, in 0.1 … 0.5."""
    if not np.isfinite(change):
        return 0.1
    parabola: Any = -promised / (2 * (change - promised))
    return float(np.clip(parabola, 0.1, 0.5))
