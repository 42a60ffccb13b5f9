"""A CSV manifest, one line for each image → the image files of each class, split by split."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from os import PathLike

from softmaxce.class_names import in_class_order, normalized
from softmaxce.data.class_folders import ClassFolder
from softmaxce.data.listed_files import FileFinder
from softmaxce.data.pixel_csv import is_pixel_csv
from softmaxce.data.split_names import SPLIT_NAMES
from softmaxce.data.tables import find_columns, is_table, read_table
from softmaxce.errors import DataError, first_and_more


def is_manifest(path: str | PathLike[str]) -> bool:
    """Whether `path` is a file of delimited text, such as a *.csv, that contains no pixels."""
    return is_table(path) and not is_pixel_csv(path)


def read_manifest(path: str | PathLike[str]) -> dict[str, tuple[ClassFolder, ...]]:
    """The classes, in class order, of each split ("train", "validation", "test") in the file.

    The first line names the columns. Paths are relative to the manifest's folder, or are URLs,
    which only a cluster can read. A row without a split belongs to "train". Raises DataError, which
    names the line.
    """
    finder = FileFinder(os.fspath(path))
    splits: dict[str, dict[str, list[str]]] = {}
    for line, (name, label, split) in _rows(path):
        where = f"{path}: line {line}"
        if not (name and label):
            raise DataError(f"bad manifest: {where}: a row needs a path and a label")
        if split.lower() not in SPLIT_NAMES:
            raise DataError(
                f"bad manifest: {where}: the split must be train, validation or test, not '{split}'"
            )
        try:
            location = finder.find(name)
        except LookupError as error:
            raise DataError(f"bad manifest: {where}: {error}") from None
        classes = splits.setdefault(SPLIT_NAMES[split.lower()], {})
        classes.setdefault(normalized(label), []).append(location)
    if not splits:
        raise DataError(f"no images: {path}: it lists no images")
    return {
        split: tuple(ClassFolder(c, tuple(sorted(classes[c]))) for c in in_class_order(classes))
        for split, classes in splits.items()
    }


def column_names(path: str | PathLike[str]) -> list[str]:
    """The names of its columns. Raises DataError."""
    table = read_table(path)
    header = csv.reader([table.header], delimiter=table.delimiter, skipinitialspace=True)
    return _without_empty_end(next(header, []))


def read_column(path: str | PathLike[str], column: str) -> dict[str, str]:
    """The value of each image, by its path or URL as in `read_manifest`, which accepts the file."""
    finder = FileFinder(os.fspath(path))
    return {finder.find(name): value for _, (name, *_, value) in _rows(path, column)}


def _rows(path: str | PathLike[str], *more: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Line number and (path, label, split) of each row, and the values of `more` columns."""
    table = read_table(path)
    reader = csv.reader(table.lines, delimiter=table.delimiter, strict=True, skipinitialspace=True)
    try:
        header = _without_empty_end(next(reader, []))
        columns = find_columns(header)
        path_column, label_column = columns["path"], columns["label"]
        if path_column is None or label_column is None:
            raise DataError(
                f"bad manifest: {path}: its first line must name the columns: one for the file "
                "(path, filename, image, id …) and one for the label (label, class, target …); "
                f"it contains: {first_and_more(header) or 'nothing'}"
            )
        for row in reader:
            values = _without_empty_end(row)
            if not values:
                continue
            line = reader.line_num + table.header_line - 1
            # Excel also omits the last delimiters of some rows.
            if len(values) > len(header) or len(row) <= max(path_column, label_column):
                raise DataError(
                    f"bad manifest: {path}: line {line}: {len(row)} values for "
                    f"{len(header)} columns"
                )
            values += [""] * (len(header) - len(values))
            chosen = *columns.values(), *map(header.index, more)
            yield line, tuple("" if c is None else values[c] for c in chosen)
    except csv.Error as error:
        raise DataError(f"bad manifest: {path}: {error}") from error


def _without_empty_end(row: Sequence[str]) -> list[str]:
    """The cells of a row without the empty ones at its end, which Excel adds."""
    cells = [cell.strip() for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells
