"""Progress on stderr: a bar on a terminal, elsewhere a line for every tenth of the work."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from softmaxce.translation import translate
from softmaxce.views.console import notes
from softmaxce.workflows import progress as workflow
from softmaxce.workflows.progress import OnProgress

_STEPS = 10
_SECONDS_BETWEEN = 0.05  # refreshes, each of which takes a millisecond


@contextmanager
def shown(wanted: bool) -> Iterator[OnProgress]:
    """A listener that shows progress, or does nothing unless `wanted`."""
    if not wanted:
        yield workflow.ignore
    elif sys.stderr.isatty():
        with _bars(notes()) as on_progress:
            yield on_progress
    else:
        yield _lines(notes())


@contextmanager
def _bars(console: Console) -> Iterator[OnProgress]:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %", markup=False),
        TextColumn("{task.fields[detail]}", markup=False),
        TimeElapsedColumn(),
    )
    # No refresh thread: decoding forks worker processes.
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as bars:
        task_of: dict[str, TaskID] = {}
        shown_at = 0.0

        def listen(progress: workflow.Progress) -> None:
            task = task_of.get(progress.stage)
            if task is None:
                task = task_of[progress.stage] = bars.add_task(
                    translate(progress.stage), total=1, detail=""
                )
            detail = translate(_line(progress)).partition("%  ")[2]
            nonlocal shown_at
            is_due = time.monotonic() - shown_at >= _SECONDS_BETWEEN
            bars.update(task, completed=progress.fraction, detail=detail, refresh=is_due)
            if is_due:
                shown_at = time.monotonic()

        yield listen


def _lines(console: Console) -> OnProgress:
    next_step_of: dict[str, int] = {}

    def listen(progress: workflow.Progress) -> None:
        step = int(progress.fraction * _STEPS)
        if step >= next_step_of.get(progress.stage, 1):
            next_step_of[progress.stage] = step + 1
            console.print(_line(progress), soft_wrap=True)

    return listen


def _line(progress: workflow.Progress) -> str:
    return f"{progress.stage}: {progress.fraction:.0%}  {progress.detail}"
