"""A CSV file with the label and the pixels of one image in each line, such as Kaggle's MNIST."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import isqrt
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.data.split_names import SPLIT_NAMES
from softmaxce.data.tables import Table, find_columns, is_table, read_table
from softmaxce.errors import DataError

_TITLE = re.compile(r"(pixel|pix|px|p|x|col|column|feature|f|v)?[ _.-]?\d+([x_]\d+)?", re.ASCII)
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_BYTE = re.compile(r"\s*\+?0*(1?\d?\d|2[0-4]\d|25[0-5])(\.0*)?\s*", re.ASCII)
_MIN_PIXELS = 16


@dataclass(frozen=True)
class _Layout:
    """The columns of pixels, from start to stop, and the places of the label and the split.

    A place is a position in a row whose pixels count as one cell. separator: what separates the
    pixels, None for spaces.
    """

    n_columns: int
    start: int
    stop: int
    label: int | None
    split: int | None
    has_header: bool
    separator: str | None

    @property
    def has_label_inside(self) -> bool:
        """Whether the first or the last of the columns of pixels is in fact the label."""
        n_numbers = self.stop - self.start
        return self.label is None and isqrt(n_numbers - 1) ** 2 == n_numbers - 1 > 0


def is_pixel_csv(path: str | PathLike[str]) -> bool:
    """Whether `path` is a file of delimited text with columns of pixels. Raises DataError."""
    return is_table(path) and _layout(read_table(path)) is not None


def splits_of_pixel_csv(path: str | PathLike[str]) -> set[str]:
    """The splits that its rows name; "train" without a column for them. Raises DataError."""
    layout = _layout(read_table(path))
    if layout is None or layout.split is None:
        return {"train"}
    return {split for _, _, _, split in _rows(path, layout)}


def read_pixel_csv(
    path: str | PathLike[str], split: str
) -> tuple[NDArray[np.uint8], NDArray[Any] | None]:
    """The pixels (n, n_pixels) of the images of one split, and their labels if there are any.

    Raises DataError, which names the line.
    """
    layout = _layout(read_table(path))
    if layout is None:
        raise DataError(f"no pixels: {path}: its first line does not name columns of pixels")
    pixels, labels, n_pixels = bytearray(), list[str](), 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # older NumPy only warns of text that is not a number
        for line, values, label, of_split in _rows(path, layout):
            if of_split != split:
                continue
            n_pixels = n_pixels or len(values.split(layout.separator))
            try:
                pixels += _parsed(values, layout.separator, n_pixels)
            except ValueError as error:
                raise DataError(f"bad pixels: {path}: line {line}: {error}") from None
            labels.append(label)
    rows = np.frombuffer(pixels, np.uint8).reshape(len(labels), n_pixels)
    if layout.has_label_inside:
        is_last = len(np.unique(rows[:, 0])) < 2 <= len(np.unique(rows[:, -1]))
        return (rows[:, :-1], rows[:, -1]) if is_last else (rows[:, 1:], rows[:, 0])
    return rows, None if layout.label is None else np.array(labels)


def _layout(table: Table) -> _Layout | None:
    """Where the pixels are, or None if there are none."""
    titles = [title.strip(' "\r\n').lower() for title in table.header.split(table.delimiter)]
    is_pixel = [bool(_TITLE.fullmatch(t) or _NUMBER.fullmatch(t)) for t in titles]
    separator: str | None = table.delimiter
    if "pixels" in titles:  # as in FER2013: all pixels of an image in one column
        is_pixel, separator = [title == "pixels" for title in titles], None
    elif sum(is_pixel) < _MIN_PIXELS:
        return None
    start = is_pixel.index(True)
    stop = len(titles) - is_pixel[::-1].index(True)
    rest = ["" if start <= i < stop else title for i, title in enumerate(titles)]
    columns = find_columns(rest)
    path = columns["path"]
    if path is not None and not titles[path].endswith("id"):
        return None  # a manifest with many columns
    others = [i for i, t in enumerate(rest) if t and i not in (path, columns["split"])]
    numbers = [float(t) for t in titles[start:stop] if _NUMBER.fullmatch(t)]
    is_data = len(numbers) == stop - start and all(n.is_integer() for n in numbers)
    is_counted = all(b - a == 1 for a, b in pairwise(numbers))  # 0, 1, 2 … as names

    def place(column: int | None) -> int | None:
        return column if column is None or column < start else column - (stop - start) + 1

    label = place(others[0] if len(others) == 1 else columns["label"])
    split, has_header = place(columns["split"]), not is_data or is_counted
    return _Layout(len(titles), start, stop, label, split, has_header, separator)


def _rows(path: str | PathLike[str], layout: _Layout) -> Iterator[tuple[int, str, str, str]]:
    """The line of each image, its pixels as they are written, its label and its split."""
    table = read_table(path)
    n_after = layout.n_columns - layout.stop
    for line, text in enumerate(table.lines, table.header_line):
        text = text.strip("\r\n").replace('"', "")
        is_header = layout.has_header and line == table.header_line
        if is_header or not text.strip(f"{table.delimiter} "):
            continue
        *cells, rest = text.split(table.delimiter, layout.start)
        cells += rest.rsplit(table.delimiter, n_after)
        if len(cells) != layout.start + 1 + n_after:
            raise DataError(f"bad pixels: {path}: line {line}: it has too few values")
        label = "" if layout.label is None else cells[layout.label].strip()
        split = "" if layout.split is None else cells[layout.split].strip()
        if split.lower() not in SPLIT_NAMES or (layout.label is not None and not label):
            fault = f"unknown split '{split}'" if label else "it has no label"
            raise DataError(f"bad pixels: {path}: line {line}: {fault}")
        label = re.sub(r"\.0+$", "", label) if _NUMBER.fullmatch(label) else label
        yield line, cells[layout.start], label, SPLIT_NAMES[split.lower()]


def _parsed(text: str, separator: str | None, n_pixels: int) -> bytes:
    """The values as bytes. Raises ValueError."""
    try:
        try:
            values = np.fromstring(text, np.int64, sep=separator or " ")
        except (ValueError, DeprecationWarning):
            values = np.fromstring(text, np.float64, sep=separator or " ")
        pixels = values.astype(np.uint8)
        if len(values) == n_pixels and (pixels == values).all():
            return pixels.tobytes()
    except (ValueError, Warning):
        pass
    cells = text.split(separator)
    if len(cells) != n_pixels:
        raise ValueError(f"{len(cells)} pixel values, but {n_pixels} in the first image")
    wrong = next((cell for cell in cells if not _BYTE.fullmatch(cell)), text)
    raise ValueError(f"the pixel '{wrong}' is not a whole number from 0 to 255")
