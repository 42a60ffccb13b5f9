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


def csv_text(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The rows as CSV. Cells are made by `name_cell`, `path_cell` and `number_cell`."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue()


def name_cell(name: str) -> str:
    """A name, with an apostrophe in front if a spreadsheet would read it as a formula."""
    shown = visible(name)
    return f"'{shown}" if shown.startswith(_STARTS_FORMULA) else shown


def path_cell(path: str) -> str:
    """A path, with ./ in front if a spreadsheet would read it as a formula."""
    shown = visible(path)
    return f"./{shown}" if shown.startswith(_STARTS_FORMULA) else shown


def number_cell(value: float) -> str:
    """A number with all its digits."""
    return repr(float(value))


def file_bytes(text: str) -> bytes:
    """UTF-8; bytes of file names that are not UTF-8 stay as they are."""
    return text.encode("utf-8", "surrogateescape")


def print_exactly(text: str) -> None:
    """Write `file_bytes` of the text to stdout."""
    sys.stdout.flush()
    sys.stdout.buffer.write(file_bytes(text))
    sys.stdout.buffer.flush()
