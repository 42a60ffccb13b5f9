"""The standard streams, made safe to write to in any environment."""

from __future__ import annotations

import codecs
import io
import os
import sys

from softmaxce.bounded_input import read_at_most
from softmaxce.errors import DataError

# The signs that our own texts use.
_PLAIN = str.maketrans("×·−–—─█", "x.----#") | str.maketrans({"∞": "inf", "→": "->"})


def prepare() -> None:
    """Open closed streams, and escape characters that a stream cannot encode.

    If the parent process closed a stream, the next file that is opened would get its number, and
    what a C library writes to stderr would end up in that file.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    codecs.register_error("softmaxce", _replace)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="softmaxce")


def _replace(error: UnicodeError) -> tuple[str | bytes, int]:
    """Replace characters that the encoding lacks: our own by ASCII, others by escapes."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_PLAIN)
    return text.encode("ascii", "backslashreplace").decode("ascii"), error.end


def read_stdin() -> bytes:
    """All of standard input. Raises DataError if it is longer than any file that is read."""
    try:
        return read_at_most(sys.stdin.buffer)
    except OSError as error:
        raise DataError(f"cannot read standard input: -: {error.strerror or error}") from error


def let_stdout_go() -> None:
    """Redirect stdout to the null device, to discard buffered output that cannot be written."""
    sys.stdout = sys.__stdout__ or sys.stdout  # Click may have wrapped it
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
