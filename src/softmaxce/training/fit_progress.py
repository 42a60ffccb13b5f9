"""How far a fit has got."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from softmaxce.training.full_batch import Point


@dataclass(frozen=True)
class IterationInfo:
    """State of a fit: its stage, and its estimated progress (0 … 1) within the stage."""

    stage: str
    objective: float
    progress: float


OnIteration = Callable[[IterationInfo], None]


def progress_callback(
    on_iteration: OnIteration, stage: str, tolerance: float
) -> Callable[[Point, float], None]:
    """What `minimise` calls at each iteration. The progress is how far the logarithm of the
    relative suboptimality has moved from its first value to that of the tolerance."""
    first: float | None = None

    def notify(point: Point, suboptimality: float) -> None:
        nonlocal first
        progress = 0.0
        if np.isfinite(suboptimality):  # it is infinite where rounding spoilt the estimate
            relative = max(suboptimality / point.value, 1e-300) if point.value else 1e-300
            first = relative if first is None else first
            total = np.log(first) - np.log(tolerance)
            done = np.log(first) - np.log(relative)
            progress = 1.0 if total <= 0 else float(np.clip(done / total, 0, 1))
        on_iteration(IterationInfo(stage, point.value, progress))

    return notify
