"""How a workflow reports its progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from softmaxce.training.fit_progress import IterationInfo


@dataclass(frozen=True)
class Progress:
    """`fraction` (0 to 1) of `stage` is done; `detail` describes its state in a few words."""

    stage: str
    fraction: float
    detail: str = ""


_SHARE = 0.3  # assumed share of the remaining work that the current fit takes
_MIN_COUNT = 500  # fewer images are decoded before anyone could read a progress line

OnProgress = Callable[[Progress], None]


def of_fits(stages: Sequence[str], fraction: float, objective: float) -> Progress:
    """The overall progress of consecutive fits; `fraction` of the last one is done.

    It never goes back, although the number of penalties to try is not known beforehand.
    """
    left = (1 - _SHARE) ** (len(stages) - 1)
    is_last = stages[-1] in ("fit", "epoch")
    done = 1 - left * (1 - fraction * (1.0 if is_last else _SHARE))
    n_penalties = sum(stage.startswith("l2") for stage in stages)
    penalty = f"penalty {n_penalties}, " if n_penalties and not is_last else ""
    return Progress("Fitting", done, f"{penalty}objective {objective:.4f}")


class FitListener:
    """Listens to consecutive fits, and reports their overall progress.

    history: the objective at each iteration of each stage.
    """

    def __init__(self, on_progress: OnProgress) -> None:
        self._on_progress = on_progress
        self._furthest: dict[str, float] = {}
        self.history: dict[str, list[float]] = {}

    def __call__(self, info: IterationInfo) -> None:
        """What `fit` calls at each iteration."""
        self.history.setdefault(info.stage, []).append(info.objective)
        furthest = max(self._furthest.get(info.stage, 0.0), info.progress)
        self._furthest[info.stage] = furthest
        self._on_progress(of_fits([*self.history], furthest, info.objective))


class Stopwatch:
    """How long the parts of a run take, in seconds."""

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        """End a part. Parts of the same name add up; one without a name is not counted."""
        now = time.perf_counter()
        if name:
            self._laps[name] = self._laps.get(name, 0.0) + now - self._last
        self._last = now

    def laps_and_total(self) -> dict[str, float]:
        """The time of each part, and of the whole run."""
        return {**self._laps, "total": time.perf_counter() - self._start}


def ignore(_progress: Progress) -> None:
    """Report nothing."""


def counted(on_progress: OnProgress, stage: str) -> Callable[[int, int], None]:
    """A listener for (done, total) that reports them as the progress of `stage`."""

    def listen(done: int, total: int) -> None:
        if total >= _MIN_COUNT:
            on_progress(Progress(stage, done / total, f"{done:,} of {total:,}"))

    return listen
