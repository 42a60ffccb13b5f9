"""Acceptance of a step: the full step first, then shorter ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ValueAndGradient = Callable[[Array], tuple[float, Array]]

_SUFFICIENT = 1e-4  # fraction of the predicted decrease that a step must achieve (Armijo)
_FLATTER = 0.9  # largest ratio of the derivatives after and before a step (Wolfe)
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
    function: ValueAndGradient, start: Point, direction: Array, relative_rounding_error: float
) -> Point | None:
    """A point along `direction` that decreases the objective enough, or None if none was found.

    Step length 1 is tried first; after each rejection the next length is the minimum of the
    parabola through what is known. relative_rounding_error: of the objective's values. Changes
    within it are decided by the derivative instead (Hager and Zhang 2005, approximate Wolfe).
    """
    derivative = _derivative(start, direction)
    tolerance = relative_rounding_error * abs(start.value)
    length = 1.0
    for _ in range(_MAX_TRIALS):
        trial = evaluate(function, start.parameters + length * direction)
        change = trial.value - start.value
        if change <= _SUFFICIENT * length * derivative:
            return trial
        if change <= tolerance and abs(_derivative(trial, direction)) <= _FLATTER * abs(derivative):
            return trial
        length *= _shortening(change, length * derivative)
    return None


def _derivative(point: Point, direction: Array) -> float:
    return float(np.vdot(point.gradient, direction))


def _shortening(change: float, predicted: float) -> float:
    """The factor, 0.1 … 0.5, to the minimum of the parabola with this change and derivative."""
    if not np.isfinite(change):
        return 0.1
    parabola: Any = -predicted / (2 * (change - predicted))
    return float(np.clip(parabola, 0.1, 0.5))
