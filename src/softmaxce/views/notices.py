"""Notes on stderr: which files were left out, and what else the reader should know."""

from __future__ import annotations

from collections.abc import Sequence

from softmaxce.errors import first_and_more
from softmaxce.views.console import notes
from softmaxce.views.formatting import counted


def note(text: str) -> None:
    """One line on stderr."""
    notes().print_line(f"Note: {text}")


def name_left_out(left_out: Sequence[str]) -> None:
    """The number of files that were left out, and the first of them."""
    if left_out:
        named = first_and_more(left_out, separator="; ")
        note(f"{counted(len(left_out), 'file')} left out: {named}")
