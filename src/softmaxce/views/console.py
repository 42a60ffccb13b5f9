"""The two consoles: results on stdout, everything else on stderr."""

from __future__ import annotations

import os
from typing import Any, NoReturn

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

_ENDLESS = 100_000  # columns


class _PlainConsole(Console):
    """Text is data: Rich's own markup, highlighting and emoji codes are off."""

    def __init__(self, *, stderr: bool) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)

    def print(self, *objects: Any, **options: Any) -> None:
        """As Rich does; but a table never loses a character to a screen that is too narrow.

        Where it does not fit even with its text wrapped, and in a pipe of no known width, it is
        as wide as it needs to be.
        """
        width = self.width
        for table in (thing for thing in objects if isinstance(thing, Table)):
            needed = Measurement.get(self, self.options.update(width=_ENDLESS), table)
            is_endless = not self.is_terminal and "COLUMNS" not in os.environ
            if is_endless or needed.minimum > width:
                self.width = max(self.width, needed.maximum)
        try:
            super().print(*objects, **options)
        finally:
            self.width = width

    def on_broken_pipe(self) -> NoReturn:
        """Leave the answer to the command line; Rich would exit with code 1."""
        raise BrokenPipeError


def output() -> Console:
    """The console for results: stdout."""
    return _PlainConsole(stderr=False)


def notes() -> Console:
    """The console for progress, notes and warnings: stderr."""
    return _PlainConsole(stderr=True)
