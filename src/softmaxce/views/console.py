"""The two consoles: results on stdout, everything else on stderr."""

from __future__ import annotations

from typing import NoReturn

from rich.console import Console


class _PlainConsole(Console):
    """Text is data: Rich's own markup, highlighting and emoji codes are off."""

    def __init__(self, *, stderr: bool) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)

    def on_broken_pipe(self) -> NoReturn:
        """Leave the answer to the command line; Rich would exit with code 1."""
        raise BrokenPipeError


def output() -> Console:
    """The console for results: stdout."""
    return _PlainConsole(stderr=False)


def notes() -> Console:
    """The console for progress, notes and warnings: stderr."""
    return _PlainConsole(stderr=True)
