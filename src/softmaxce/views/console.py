"""The two consoles: results on stdout, everything else on stderr."""

from __future__ import annotations

from rich.console import Console


def output() -> Console:
    """The console for results: stdout; Rich's own markup, highlighting and emoji codes are off."""
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=False)


def notes() -> Console:
    """The console for progress, notes and warnings: stderr."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)
