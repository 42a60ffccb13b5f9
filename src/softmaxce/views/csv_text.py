"""CSV that a spreadsheet opens and does not execute, one line a row.

Names are shown as in text: control characters and bytes that are no UTF-8 as escapes. JSON keeps
them exactly.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Sequence

from softmaxce.views.safe_text import visible

_STARTS_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def csv_text(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The rows as CSV, one line each. Numbers come as text already; names through `name_cell`."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue()


def name_cell(name: str) -> str:
    """A name; an apostrophe before one that a spreadsheet would take for a formula."""
    shown = visible(name)
    return f"'{shown}" if shown.startswith(_STARTS_FORMULA) else shown


def path_cell(path: str) -> str:
    """A path; one that a spreadsheet would take for a formula as ./path, which opens as well."""
    shown = visible(path)
    return f"./{shown}" if shown.startswith(_STARTS_FORMULA) else shown


def number_cell(value: float) -> str:
    """A number with all its digits."""
    return repr(float(value))


def file_bytes(text: str) -> bytes:
    """UTF-8, with the bytes of file names that are none kept as they are."""
    return text.encode("utf-8", "surrogateescape")


def print_exactly(text: str) -> None:
    """`file_bytes` of the text on stdout."""
    sys.stdout.flush()
    sys.stdout.buffer.write(file_bytes(text))
    sys.stdout.buffer.flush()
