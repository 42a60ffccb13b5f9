"""The full-batch solver: preconditioned L-BFGS that stops by an estimate of the suboptimality."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np

from softmaxce.errors import TrainingError
from softmaxce.training.objective import Floats

RENEW_EVERY = 30  # iterations, after which a new Hessian beats the old one with its updates
FIRST_RENEWAL = 2  # iterations, after which an inverse that is too small is replaced
_MAX_PAIRS, _MIN_PAIRS = 20, 3
_PAIR_VALUES = 1 << 25  # numbers kept of past steps: 256 MB
_SUFFICIENT = 1e-4  # fraction of the predicted decrease that a step must achieve (Armijo)
_FLATTER = 0.9  # largest ratio of the derivatives after and before a step (Wolfe)
_MAX_TRIALS = 20
_PERFECT = 1e-12  # nats: separable classes without penalty only approach 0

ValueAndGradient = Callable[[Floats], tuple[float, Floats]]
Inverse = Callable[[Floats], Floats]
InverseAt = Callable[[Floats, float], Inverse]


class StopReason(Enum):
    """Why a solver stopped; the value is the template of its message."""

    CONVERGED = "converged, gradient {gradient_norm:.1e}"
    ITERATION_LIMIT = "stopped after {n} iterations, gradient {gradient_norm:.1e}"
    NO_DECREASE = (
        "stopped after {n} iterations, where no step decreases the objective, "
        "gradient {gradient_norm:.1e}"
    )
    NO_GAIN = "stopped after {n} epochs, {without_gain} without gain; epoch {best} kept"
    EPOCH_LIMIT = "stopped after {n} epochs, still gaining; epoch {best} kept"


def _norm(a: Floats) -> float:
    return float(np.sqrt(np.vdot(a, a)))  # unlike np.linalg.norm without a warning on overflow


@dataclass(frozen=True)
class Point:
    """Parameters, the objective there and its gradient."""

    parameters: Floats
    value: float
    gradient: Floats

    @property
    def gradient_norm(self) -> float:
        """Euclidean norm of the gradient."""
        return _norm(self.gradient)


@dataclass(frozen=True)
class Solution:
    """Where the solver ended, and why; history: the objective at the start and after each step;
    inverse: the last approximate inverse Hessian."""

    point: Point
    stop_reason: StopReason
    history: tuple[float, ...]
    inverse: Inverse

    @property
    def message(self) -> str:
        """Why the solver stopped, in words."""
        n, norm = len(self.history) - 1, self.point.gradient_norm
        return self.stop_reason.value.format(n=n, gradient_norm=norm)


def minimise(
    function: ValueAndGradient,
    start: Floats,
    inverse_at: InverseAt,
    *,
    tolerance: float,
    max_iterations: int,
    inverse: Inverse | None = None,
    relative_rounding_error: float = 1e-6,
    largest_factor: float | None = None,
    on_iteration: Callable[[Point, float], None] = lambda *_: None,
) -> Solution:
    """Minimise a convex function from `start`.

    inverse_at(parameters, factor) returns a function that multiplies by an approximate inverse
    Hessian there; factor: how far too small the last one was, see `LBFGS`; inverse: the one at the
    start, if it is known; largest_factor: if given, the inverse is rescaled, see `LBFGS`, and
    replaced after two iterations if the factor is larger; on_iteration(point, suboptimality) is
    called before each step. The suboptimality, in nats, is half the product of the gradient and the
    step that L-BFGS would take: the height of the quadratic model above its minimum. The solver has
    converged when it is at most tolerance · objective, or the objective is practically 0. Raises
    TrainingError if the start is not finite.
    """
    point, rescaled = _first_point(function, start), largest_factor is not None
    lbfgs, history = LBFGS(inverse or inverse_at(start, 1.0), rescaled), [point.value]
    while True:
        iteration = len(history) - 1
        if iteration == FIRST_RENEWAL and lbfgs.is_too_small(largest_factor):
            lbfgs.renew(inverse_at(point.parameters, lbfgs.factor))
        elif iteration and iteration % RENEW_EVERY == 0:
            lbfgs = LBFGS(inverse_at(point.parameters, lbfgs.factor), rescaled)
        direction, suboptimality = lbfgs.direction(point.gradient)
        if suboptimality < 0:  # rounding spoilt the estimate: descend the gradient, do not stop
            lbfgs = LBFGS(np.copy, rescaled)
            direction, suboptimality = -point.gradient, np.inf
        on_iteration(point, suboptimality)
        reason = StopReason.CONVERGED
        if suboptimality <= tolerance * point.value or point.value <= _PERFECT:
            break
        if iteration == max_iterations:
            reason = StopReason.ITERATION_LIMIT
            break
        found = backtrack(function, point, direction, relative_rounding_error)
        if found is None:  # a loss below the rounding errors of its terms, about 1, may be 0
            reason = reason if point.value <= relative_rounding_error else StopReason.NO_DECREASE
            break
        lbfgs.learn(found.parameters - point.parameters, found.gradient - point.gradient)
        point = found
        history.append(point.value)
    return Solution(point, reason, tuple(history), lbfgs.apply_inverse)


def _first_point(function: ValueAndGradient, start: Floats) -> Point:
    point = Point(start, *function(start))
    if not np.isfinite(point.value):
        raise TrainingError(
            "the objective is not finite at the start: the pixels contain nan or infinite values; "
            "remove them"
        )
    return point


def max_pairs(n_parameters: int) -> int:
    """How many past steps, with their gradient changes, are kept of a problem of this size."""
    return max(_MIN_PAIRS, min(_MAX_PAIRS, _PAIR_VALUES // (2 * n_parameters)))


class LBFGS:
    """Inverse-Hessian estimate: `apply_inverse`, updated by the last steps taken.

    Two-loop recursion of Nocedal and Wright, Numerical Optimization, 2nd ed., algorithm 7.4,
    with H₀ = factor · apply_inverse instead of a multiple of the identity. factor: 1, or if
    rescaled, the one that suits the last step (ibid., equation 7.20): an inverse that is too large
    would have every step rejected once.
    """

    def __init__(self, apply_inverse: Callable[[Floats], Floats], rescaled: bool = False) -> None:
        self.apply_inverse, self.rescaled, self.factor = apply_inverse, rescaled, 1.0
        self._pairs: deque[tuple[Floats, Floats, float]] = deque()

    def is_too_small(self, largest_factor: float | None) -> bool:
        """Whether the last steps show the inverse to be too small by more than this factor."""
        return largest_factor is not None and self.factor > largest_factor

    def renew(self, apply_inverse: Inverse) -> None:
        """Replace the inverse, and keep the steps taken."""
        self.apply_inverse, self.factor = apply_inverse, 1.0

    def learn(self, step: Floats, gradient_change: Floats) -> None:
        """Use one step and the change of the gradient over it, unless the curvature is too low."""
        curvature = float(np.vdot(step, gradient_change))
        if curvature > 1e-10 * _norm(step) * _norm(gradient_change):
            self._pairs.append((step, gradient_change, curvature))
            if self.rescaled:
                full = float(np.vdot(gradient_change, self.apply_inverse(gradient_change)))
                self.factor = curvature / full if full > 0 else 1.0  # rounding may spoil it
        if len(self._pairs) > max_pairs(step.size):
            self._pairs.popleft()

    def direction(self, gradient: Floats) -> tuple[Floats, float]:
        """−H·gradient, a descent direction, and the suboptimality that it promises, in nats.

        A factor below 1 makes the step shorter, not the distance to the minimum.
        """
        q = gradient.copy()
        alphas: list[float] = []
        for step, change, curvature in reversed(self._pairs):
            alpha = float(np.vdot(step, q)) / curvature
            q -= alpha * change
            alphas.append(alpha)
        r = self.apply_inverse(q)
        if self.rescaled:
            r *= self.factor
        for (step, change, curvature), alpha in zip(self._pairs, reversed(alphas), strict=True):
            r += (alpha - float(np.vdot(change, r)) / curvature) * step
        return -r, 0.5 * float(np.vdot(r, gradient)) / min(self.factor, 1.0)


def backtrack(
    function: ValueAndGradient, start: Point, direction: Floats, relative_rounding_error: float
) -> Point | None:
    """A point along `direction` that decreases the objective enough, or None if none was found.

    Step length 1 is tried first; after each rejection the next length is the minimum of the
    parabola through what is known, but 0.1 to 0.5 times the last one. relative_rounding_error: of
    the objective's values. Changes within it are decided by the derivative instead (Hager and
    Zhang 2005, approximate Wolfe).
    """
    slope = float(np.vdot(start.gradient, direction))
    length = 1.0
    for _ in range(_MAX_TRIALS):
        parameters = start.parameters + length * direction
        trial = Point(parameters, *function(parameters))
        change, predicted = trial.value - start.value, length * slope
        if change <= _SUFFICIENT * length * slope:
            return trial
        is_near = change <= relative_rounding_error * abs(start.value)
        if is_near and abs(np.vdot(trial.gradient, direction)) <= _FLATTER * abs(slope):
            return trial
        if np.isfinite(change):
            length *= float(np.clip(-predicted / (2 * (change - predicted)), 0.1, 0.5))
        else:
            length *= 0.1
    return None
