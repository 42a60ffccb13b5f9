"""The full-batch solver: directions of L-BFGS about a sampled Hessian, and honest stopping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.errors import TrainingError
from softmaxce.training.lbfgs import LBFGS
from softmaxce.training.line_search import Point, ValueAndGradient, backtrack, evaluate

Array = NDArray[np.float64]

RENEW_EVERY = 30  # iterations after which a fresh Hessian beats the old one with its corrections


@dataclass(frozen=True)
class Solution:
    """Where a solver ended. `gap` is its estimate of objective − optimum, in nats."""

    point: Point
    gap: float
    n_iterations: int
    converged: bool
    stop_reason: str
    history: tuple[float, ...]


def minimise(
    function: ValueAndGradient,
    start: Array,
    inverse_at: Callable[[Array], Callable[[Array], Array]],
    *,
    tolerance: float,
    max_iterations: int,
    noise: float = 1e-6,
    on_iteration: Callable[[int, Point, float], None] = lambda *_: None,
) -> Solution:
    """Minimise a convex function from `start`.

    inverse_at(parameters) is a function that applies the inverse of an approximate Hessian there.
    It has converged when half the product of the gradient and the step that L-BFGS would take,
    which is how far the quadratic model lies above its minimum, is at most tolerance · objective.
    """
    point = evaluate(function, start)
    if not np.isfinite(point.value):
        raise TrainingError(
            "the objective is not finite at the start: the pixels hold nan or infinite values; "
            "remove them"
        )
    lbfgs = LBFGS(inverse_at(start))
    history = [point.value]
    iteration = 0
    while True:
        if iteration and iteration % RENEW_EVERY == 0:
            lbfgs = LBFGS(inverse_at(point.parameters))
        direction = lbfgs.direction(point.gradient)
        gap = -0.5 * float(np.vdot(direction, point.gradient))
        if gap < 0:  # rounding has spoilt the curvature: go down the gradient, and do not stop here
            lbfgs = LBFGS(np.copy)
            direction, gap = -point.gradient, np.inf
        on_iteration(iteration, point, gap)
        if gap <= tolerance * point.value:
            return _solution(point, gap, iteration, True, history, "converged")
        if iteration == max_iterations:
            reason = f"stopped after {iteration} iterations"
            return _solution(point, gap, iteration, False, history, reason)
        found = backtrack(function, point, direction, noise)
        if found is None:
            reason = f"stopped after {iteration} iterations, where no step decreases the objective"
            return _solution(point, gap, iteration, False, history, reason)
        lbfgs.learn(found.parameters - point.parameters, found.gradient - point.gradient)
        point = found
        iteration += 1
        history.append(point.value)


def _solution(
    point: Point, gap: float, n: int, converged: bool, history: list[Any], reason: str
) -> Solution:
    words = f"{reason}, gradient {point.gradient_norm:.1e}"
    return Solution(point, gap, n, converged, words, tuple(history))
