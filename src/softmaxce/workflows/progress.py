"""How a workflow says how far it is, without knowing who listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """`fraction` (0 to 1) of `stage` is done; `detail` is a few words on its state."""

    stage: str
    fraction: float
    detail: str = ""


_MIN_COUNT = 500  # fewer images are read before one could read a line about them

OnProgress = Callable[[Progress], None]


def ignore(_progress: Progress) -> None:
    """Nobody listens."""


def counted(on_progress: OnProgress, stage: str) -> Callable[[int, int], None]:
    """A listener of (done, total) that passes them on as the progress of `stage`."""

    def listen(done: int, total: int) -> None:
        if total >= _MIN_COUNT:
            on_progress(Progress(stage, done / total, f"{done:,} of {total:,}"))

    return listen
