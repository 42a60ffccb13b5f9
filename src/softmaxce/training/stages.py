"""The stages of a fit: runs of the solver with one penalty, whose progress is reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from softmaxce.training.checkpoints import AnswerLog, Snapshot
from softmaxce.training.fit_progress import OnIteration, progress_callback
from softmaxce.training.full_batch import Inverse, InverseAt, Solution, minimise
from softmaxce.training.objective import Floats, Objective
from softmaxce.training.preconditioner import MAX_APART, HessianPreconditioner

_FLAT = 2.0  # an inverse that is too small by this factor comes from too large a curvature
_LOGITS = 0.7  # with many classes, the Hessian is computed for the logits times this


@dataclass(frozen=True)
class Settings:
    """l2_unit: what l2 = 1 for pixels whose typical deviation is 1 is for those times `scale`;
    inner_l2_unit: and for those that the linear solver uses, whose overall deviation is 1;
    first_l2: where the search starts, for pixels whose typical deviation is 1."""

    tolerance: float
    max_iterations: int
    seed: int = 0
    l2_unit: float = 1.0
    inner_l2_unit: float = 1.0
    on_iteration: OnIteration = lambda _: None
    checkpoint: AnswerLog | Snapshot | None = None
    tail_factor: float = 1.0
    first_l2: float = 0.0


class Start(NamedTuple):
    """Where a fit starts: the parameters (n_pixels + 1, n_classes), and the inverse Hessian there,
    None if it is not known."""

    preconditioner: HessianPreconditioner
    parameters: Floats
    inverse: Inverse | None = None


def solve(
    objective: Objective,
    start: Floats,
    inverse_at: InverseAt,
    stage: str,
    settings: Settings,
    *,
    inverse: Inverse | None = None,
    is_far: bool = True,
) -> Solution:
    """Minimise the objective, whose answers are logged and whose progress is reported.

    inverse: the inverse Hessian at the start, if it is known; is_far: whether the start is far from
    the optimum. With many classes, the inverse is replaced after two steps; if the start is far,
    only an inverse that is too small by the factor _FLAT.
    """
    log, largest_factor = settings.checkpoint, _FLAT if is_far else 0.0
    assert not isinstance(log, Snapshot)
    return minimise(
        log.logged(objective) if log else objective,
        start,
        inverse_at,
        inverse=inverse,
        tolerance=settings.tolerance,
        max_iterations=settings.max_iterations,
        relative_rounding_error=8 * float(np.finfo(objective.rows.dtype).eps),
        largest_factor=largest_factor if objective.n_classes > MAX_APART else None,
        on_iteration=progress_callback(settings.on_iteration, stage, settings.tolerance),
    )


def inverse_hessian(preconditioner: HessianPreconditioner, l2: float) -> InverseAt:
    """Returns the inverse Hessian for any parameters and the factor of the inverse before it. With
    many classes it is computed for smaller logits, unless that inverse was far too small."""

    def at(parameters: Floats, factor: float) -> Inverse:
        is_reduced = preconditioner.within is not None and factor < _FLAT
        return preconditioner.at(parameters * (_LOGITS if is_reduced else 1.0), l2)

    return at
