"""The standard streams, made safe to write to whatever the surroundings are."""

from __future__ import annotations

import codecs
import io
import os
import sys

_SIGNS = {
    "×": "x",
    "·": ".",
    "−": "-",
    "–": "-",
    "—": "-",
    "─": "-",
    "█": "#",
    "∞": "inf",
    "→": "->",
}
_PLAIN = str.maketrans(_SIGNS)


def prepare() -> None:
    """Open what is closed, and let no character stop the output.

    A stream that was closed by who started us would give its number to the next file that is
    opened, and what a C library writes to stderr would end in that file.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    codecs.register_error("softmaxce", _replace)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="softmaxce")


def _replace(error: UnicodeError) -> tuple[str | bytes, int]:
    """Characters that the stream's encoding lacks: our own as ASCII, others as escapes."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_PLAIN)
    return text.encode("ascii", "backslashreplace").decode("ascii"), error.end


def let_stdout_go() -> None:
    """Send what is still buffered nowhere, since it cannot be written where it should go."""
    sys.stdout = sys.__stdout__ or sys.stdout  # Click may have wrapped it
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
