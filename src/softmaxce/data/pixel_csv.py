"""A CSV file with the label and the pixels of one image in each line, such as Kaggle's MNIST."""

from __future__ import annotations

import re
import warnings
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice, pairwise
from math import isqrt
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.data.tables import Table, find_columns, is_table, read_table
from softmaxce.errors import DataError

_TITLE = re.compile(r"(pixel|pix|px|p|x|col|column|feature|f|v)?[ _.-]?\d+([x_]\d+)?", re.ASCII)
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_BYTE = re.compile(r"\s*\+?0*(1?\d?\d|2[0-4]\d|25[0-5])(\.0*)?\s*", re.ASCII)
_MIN_PIXELS = 16


@dataclass(frozen=True)
class _Layout:
    """The columns of pixels, from start to stop; label: its place among the other columns."""

    n_columns: int
    start: int
    stop: int
    label: int | None
    has_header: bool

    @property
    def n_pixels(self) -> int:
        """Number of columns of pixels."""
        return self.stop - self.start

    @property
    def has_label_inside(self) -> bool:
        """Whether the first or the last of the columns of pixels is in fact the label."""
        n = self.n_pixels - 1
        return self.label is None and isqrt(n) ** 2 == n > 0


def is_pixel_csv(path: str | PathLike[str]) -> bool:
    """Whether `path` is a file of delimited text with columns of pixels. Raises DataError."""
    return is_table(path) and _layout(read_table(path)) is not None


def read_pixel_csv(path: str | PathLike[str]) -> tuple[NDArray[np.uint8], NDArray[Any] | None]:
    """The pixels (n, n_pixels) of the images, and their labels if there are any.

    Raises DataError, which names the line.
    """
    table = read_table(path)
    layout = _layout(table)
    if layout is None:
        raise DataError(f"no pixels: {path}: its first line does not name columns of pixels")
    lines = islice(table.lines, layout.has_header, None)
    pixels, labels = bytearray(), list[str]()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # older NumPy only warns of text that is not a number
        for line, text in enumerate(lines, table.header_line + layout.has_header):
            row = text.strip("\r\n").replace('"', "")
            if not row.strip(f"{table.delimiter} "):
                continue
            while row.count(table.delimiter) >= layout.n_columns and row[-1] == table.delimiter:
                row = row[:-1]  # Excel adds empty cells
            try:
                values, label = _cells(row, table.delimiter, layout)
                pixels += _parsed(values, table.delimiter, layout.n_pixels)
            except ValueError as error:
                raise DataError(f"bad pixels: {path}: line {line}: {error}") from None
            labels.append(label)
    rows = np.frombuffer(pixels, np.uint8).reshape(len(labels), layout.n_pixels)
    if layout.has_label_inside:
        is_last = len(np.unique(rows[:, 0])) < 2 <= len(np.unique(rows[:, -1]))
        return (rows[:, :-1], rows[:, -1]) if is_last else (rows[:, 1:], rows[:, 0])
    return rows, None if layout.label is None else np.array(labels)


def _layout(table: Table) -> _Layout | None:
    """Where the pixels are, or None if there are none."""
    titles = [title.strip(' "\r\n').lower() for title in table.header.split(table.delimiter)]
    is_pixel = [bool(_TITLE.fullmatch(t) or _NUMBER.fullmatch(t)) for t in titles]
    if sum(is_pixel) < _MIN_PIXELS:
        return None
    start = is_pixel.index(True)
    stop = len(titles) - is_pixel[::-1].index(True)
    rest = ["" if start <= i < stop else title for i, title in enumerate(titles)]
    columns = find_columns(rest)
    path = columns["path"]
    if path is not None and not titles[path].endswith("id"):
        return None  # a manifest with many columns
    others = [i for i, title in enumerate(rest) if title and i != path]
    label = others[0] if len(others) == 1 else columns["label"]
    if label is not None and label > start:
        label -= stop - start
    numbers = [float(t) for t in titles[start:stop] if _NUMBER.fullmatch(t)]
    is_data = len(numbers) == stop - start and all(n.is_integer() for n in numbers)
    is_counted = all(b - a == 1 for a, b in pairwise(numbers))  # 0, 1, 2 … as names
    return _Layout(len(titles), start, stop, label, not is_data or is_counted)


def _cells(row: str, delimiter: str, layout: _Layout) -> tuple[str, str]:
    """The pixels of a row, as they are written, and its label. Raises ValueError."""
    *before, rest = row.split(delimiter, layout.start)
    pixels, *after = rest.rsplit(delimiter, layout.n_columns - layout.stop)
    if len(before) + len(after) + layout.n_pixels != layout.n_columns:
        raise ValueError("it has too few values")
    if layout.label is None:
        return pixels, ""
    label = (before + after)[layout.label].strip()
    if not label:
        raise ValueError("it has no label")
    return pixels, re.sub(r"\.0+$", "", label) if _NUMBER.fullmatch(label) else label


def _parsed(text: str, delimiter: str, n_pixels: int) -> bytes:
    """The values as bytes. Raises ValueError."""
    for kind in (np.int64, np.float64):
        with suppress(ValueError, Warning):
            values = np.fromstring(text, kind, sep=delimiter)
            pixels = values.astype(np.uint8)
            if len(values) == n_pixels and (pixels == values).all():
                return pixels.tobytes()
    cells = text.split(delimiter)
    if len(cells) != n_pixels:
        raise ValueError(f"{len(cells)} pixel values, but {n_pixels} columns of pixels")
    wrong = next((cell for cell in cells if not _BYTE.fullmatch(cell)), text)
    remedy = ""
    with suppress(ValueError):
        if 0 < float(wrong) < 1:
            remedy = '; if they are 0 to 1, save (x * 255).round().astype("uint8")'
        elif float(wrong) % 1:
            remedy = "; save features with np.savez, not as CSV"
    raise ValueError(f"the pixel '{wrong}' is not a whole number from 0 to 255{remedy}")
