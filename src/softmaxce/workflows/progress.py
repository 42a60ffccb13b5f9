"""How a workflow reports its progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """`fraction` (0 to 1) of `stage` is done; `detail` describes its state in a few words."""

    stage: str
    fraction: float
    detail: str = ""


_MIN_COUNT = 500  # fewer images are decoded before anyone could read a progress line

OnProgress = Callable[[Progress], None]


def ignore(_progress: Progress) -> None:
    """Report nothing."""


def counted(on_progress: OnProgress, stage: str) -> Callable[[int, int], None]:
    """A listener for (done, total) that reports them as the progress of `stage`."""

    def listen(done: int, total: int) -> None:
        if total >= _MIN_COUNT:
            on_progress(Progress(stage, done / total, f"{done:,} of {total:,}"))

    return listen
