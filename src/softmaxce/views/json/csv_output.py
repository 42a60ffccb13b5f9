"""CSV that a spreadsheet can open without executing a formula; each row is one line.

Control characters in names, and bytes that are not UTF-8, are escaped. JSON keeps them exactly.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Sequence

from softmaxce.views.safe_text import visible

_STARTS_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def csv_text(header: Sequence[str], rows: Iterable[Iterable[str | float | None]]) -> str:
    """A header and rows as CSV: paths in the first column, then names and numbers; None is ''."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(map(_cell, header))
    for path, *cells in rows:
        writer.writerow([_cell(path, "./"), *map(_cell, cells)])
    return stream.getvalue()


def _cell(value: str | float | None, escape: str = "'") -> str:
    """Numbers with all digits; `escape` before text that a spreadsheet would read as a formula."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return repr(float(value))
    shown = visible(value)
    return f"{escape}{shown}" if shown.startswith(_STARTS_FORMULA) else shown


def file_bytes(text: str) -> bytes:
    """UTF-8; bytes of file names that are not UTF-8 stay as they are."""
    return text.encode("utf-8", "surrogateescape")


def print_exactly(text: str) -> None:
    """Write `file_bytes` of the text to stdout."""
    sys.stdout.flush()
    sys.stdout.buffer.write(file_bytes(text))
    sys.stdout.buffer.flush()
