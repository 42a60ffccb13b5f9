"""The standard streams, made safe to write to in any environment."""

from __future__ import annotations

import codecs
import io
import os
import sys
from contextlib import nullcontext

from softmaxce.bounded_input import read_at_most
from softmaxce.errors import DataError

# The signs that our own texts use, and what is written where an encoding lacks them.
_PLAIN = str.maketrans("×·−–—─✓∂“”‘’▀▁▂▃▄▅▆▇█", "x.----vd\"\"''#_.-=+*%#") | str.maketrans(
    {"±": "+/-", "∞": "inf", "→": "->", "…": "...", "Σ": "sum", "‖": "||"}
    | {"≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "÷": "/", "ⱼ": "_j", "ₖ": "_k"}
)
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻ˣᶻ", "0123456789-xz")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_SMALLEST_SCREEN = {"COLUMNS": 20, "LINES": 2}


def prepare() -> None:
    """Open closed streams, replace characters that a stream cannot encode, and ignore impossible
    values of COLUMNS and LINES.

    If the parent process closed a stream, the next file that is opened would get its number, and
    what a C library writes to stderr would end up in that file. Rich would print nothing on a
    screen of 0 columns.
    """
    for name, smallest in _SMALLEST_SCREEN.items():
        size = os.environ.get(name, "")
        if not (size.isascii() and size.isdigit() and smallest <= int(size[:6]) < 100_000):
            os.environ.pop(name, None)
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
    plain, before = "", error.object[: error.start][-1:]
    for character in error.object[error.start : error.end]:
        for mark, small in (("^", _RAISED), ("_", _LOWERED)):
            if ord(character) in small:
                plain += ("" if ord(before or " ") in small else mark) + character.translate(small)
                break
        else:
            plain += character.translate(_PLAIN)
        before = character
    return plain.encode("ascii", "backslashreplace").decode("ascii"), error.end


def read_input(path: str = "-") -> bytes:
    """All of standard input ("-") or of a file, which may be a pipe, such as `<(find .)`.

    Raises DataError, also if that is more than `bounded_input.MAX_BYTES`.
    """
    try:
        with nullcontext(sys.stdin.buffer) if path == "-" else open(path, "rb") as stream:
            return read_at_most(stream)
    except OSError as error:
        fault = "cannot read " + ("standard input" if path == "-" else "the list of images")
        reasons = {IsADirectoryError: "it is a folder", FileNotFoundError: "no such file"}
        reason = reasons.get(type(error), error.strerror or str(error))
        raise DataError(f"{fault}: {path}: {reason}") from error


def let_stdout_go() -> None:
    """Redirect stdout to the null device, to discard buffered output that cannot be written."""
    sys.stdout = sys.__stdout__ or sys.stdout  # Click may have wrapped it
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
