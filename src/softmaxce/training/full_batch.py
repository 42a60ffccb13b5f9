"""The full-batch solver: preconditioned L-BFGS that stops by an estimate of the suboptimality."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmaxce.errors import TrainingError
from softmaxce.training.lbfgs import LBFGS
from softmaxce.training.line_search import Point, ValueAndGradient, backtrack, evaluate
from softmaxce.training.stop_reasons import StopReason

Array = NDArray[np.float64]

RENEW_EVERY = 30  # iterations, after which a new Hessian beats the old one with its corrections


@dataclass(frozen=True)
class Solution:
    """Where the solver ended, and why; history: the objective at the start and after each step."""

    point: Point
    stop_reason: StopReason
    history: tuple[float, ...]

    @property
    def n_iterations(self) -> int:
        """How many steps were taken."""
        return len(self.history) - 1

    @property
    def message(self) -> str:
        """Why the solver stopped, in words."""
        return self.stop_reason.message(n=self.n_iterations, gradient_norm=self.point.gradient_norm)


def minimise(
    function: ValueAndGradient,
    start: Array,
    inverse_at: Callable[[Array], Callable[[Array], Array]],
    *,
    tolerance: float,
    max_iterations: int,
    relative_rounding_error: float = 1e-6,
    on_iteration: Callable[[int, Point, float], None] = lambda *_: None,
) -> Solution:
    """Minimise a convex function from `start`.

    inverse_at(parameters) returns a function that multiplies by an approximate inverse Hessian
    there; on_iteration(iteration, point, suboptimality) is called before each step. The
    suboptimality, in nats, is half the product of the gradient and the step that L-BFGS would
    take: the height of the quadratic model above its minimum. The solver has converged when it is
    at most tolerance · objective. Raises TrainingError if the start is not finite.
    """
    point = evaluate(function, start)
    if not np.isfinite(point.value):
        raise TrainingError(
            "the objective is not finite at the start: the pixels contain nan or infinite values; "
            "remove them"
        )
    lbfgs = LBFGS(inverse_at(start))
    history = [point.value]
    while True:
        iteration = len(history) - 1
        if iteration and iteration % RENEW_EVERY == 0:
            lbfgs = LBFGS(inverse_at(point.parameters))
        direction = lbfgs.direction(point.gradient)
        suboptimality = -0.5 * float(np.vdot(direction, point.gradient))
        if suboptimality < 0:  # rounding spoilt the estimate: descend the gradient, do not stop
            lbfgs = LBFGS(np.copy)
            direction, suboptimality = -point.gradient, np.inf
        on_iteration(iteration, point, suboptimality)
        if suboptimality <= tolerance * point.value:
            return Solution(point, StopReason.CONVERGED, tuple(history))
        if iteration == max_iterations:
            return Solution(point, StopReason.ITERATION_LIMIT, tuple(history))
        found = backtrack(function, point, direction, relative_rounding_error)
        if found is None:
            return Solution(point, StopReason.NO_DECREASE, tuple(history))
        lbfgs.learn(found.parameters - point.parameters, found.gradient - point.gradient)
        point = found
        history.append(point.value)
