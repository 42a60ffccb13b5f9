"""CSV that a spreadsheet can open without executing a formula; each row is one line.

Control characters in names, and bytes that are not UTF-8, are escaped. JSON keeps them exactly.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Iterator, Sequence

from softmaxce.views.safe_text import visible

_STARTS_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def csv_lines(header: Sequence[str], rows: Iterable[Iterable[str | float | None]]) -> Iterator[str]:
    """A header and rows as CSV: paths in the first column, then names and numbers; None is ''."""
    yield _line(map(_cell, header))
    for path, *cells in rows:
        yield _line([_cell(path, "./"), *map(_cell, cells)])


def class_columns(class_names: Sequence[str], fixed: Sequence[str]) -> list[str]:
    """A different column for each class: its name, or p_NAME (p_p_NAME …) if that is taken.

    The names are compared as they are printed: two that differ may be printed the same.
    """
    cells = [_cell(name) for name in class_names]
    taken, columns = {*fixed, *cells}, dict[str, None]()
    for cell in cells:
        column = cell
        while column in fixed or column in columns or (column != cell and column in taken):
            column = f"p_{column}"
        columns[column] = None
    return list(columns)


def _line(cells: Iterable[str]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow(cells)
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


def print_exactly(text: str | Iterable[str]) -> None:
    """Write `file_bytes` of the text, or of each of its parts, to stdout; end with a newline."""
    sys.stdout.flush()
    for part in [text] if isinstance(text, str) else text:
        sys.stdout.buffer.write(file_bytes(part if part.endswith("\n") else f"{part}\n"))
    sys.stdout.buffer.flush()
