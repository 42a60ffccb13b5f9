"""Notes on stderr that are no results: what was left out, what the reader should know."""

from __future__ import annotations

from collections.abc import Sequence

from softmaxce.views.console import notes
from softmaxce.views.safe_text import visible

_N_NAMED = 10


def note(text: str) -> None:
    """One line on stderr."""
    notes().print(f"Note: {visible(text)}", soft_wrap=True)


def name_left_out(left_out: Sequence[str]) -> None:
    """Count the files that were passed over, and name the first of them."""
    if not left_out:
        return
    shown = "; ".join(left_out[:_N_NAMED])
    rest = len(left_out) - _N_NAMED
    noun = "file" if len(left_out) == 1 else "files"
    note(f"{len(left_out)} {noun} left out: {shown}{f'; and {rest} more' if rest > 0 else ''}")
