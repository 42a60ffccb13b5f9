"""A CSV manifest, `path,label[,split]` → the image files of each class, split by split."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

from softmaxce.data.class_folders import ClassFolder
from softmaxce.data.split_names import SPLIT_NAMES as SPLIT_NAMES
from softmaxce.errors import DataError

_COLUMNS = ("path", "label", "split")


def is_manifest(path: str | PathLike[str]) -> bool:
    """Whether `path` is a file named *.csv."""
    return Path(path).suffix.lower() == ".csv" and os.path.isfile(path)


def read_manifest(path: str | PathLike[str]) -> dict[str, tuple[ClassFolder, ...]]:
    """The classes, sorted by name, of each split ("train", "validation", "test") in the file.

    The first line names the columns. Paths are relative to the manifest's folder, or are URLs,
    which only a cluster can read. A row without a split belongs to "train". Raises DataError,
    which names the line.
    """
    folder = os.path.dirname(os.fspath(path))
    seen: set[str] = set()
    splits: dict[str, dict[str, list[str]]] = {}
    for line, (name, label, split) in _rows(path):
        where = f"{path}: line {line}"
        if not name or not label:
            raise DataError(f"bad manifest: {where}: a row needs a path and a label")
        if split.lower() not in SPLIT_NAMES:
            raise DataError(
                f"bad manifest: {where}: the split must be train, validation or test, not '{split}'"
            )
        if name in seen:
            raise DataError(f"bad manifest: {where}: '{name}' is listed twice")
        seen.add(name)
        classes = splits.setdefault(SPLIT_NAMES[split.lower()], {})
        location = name if "://" in name else os.path.join(folder, name)
        classes.setdefault(label, []).append(location)
    if not splits:
        raise DataError(f"no images: {path}: it lists no images")
    return {
        split: tuple(ClassFolder(label, tuple(sorted(classes[label]))) for label in sorted(classes))
        for split, classes in splits.items()
    }


def _rows(path: str | PathLike[str]) -> Iterator[tuple[int, tuple[str, str, str]]]:
    """Line number and (path, label, split) of each row."""
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            header = [title.strip().lower() for title in next(reader, [])]
            if not set(header) >= {"path", "label"} or len(set(header)) < len(header):
                raise DataError(
                    f"bad manifest: {path}: its first line must name the columns path and label, "
                    "and optionally split"
                )
            columns = [header.index(c) if c in header else None for c in _COLUMNS]
            for row in reader:
                if not row:
                    continue
                if len(row) != len(header):
                    raise DataError(
                        f"bad manifest: {path}: line {reader.line_num}: {len(row)} values for "
                        f"{len(header)} columns"
                    )
                name, label, split = ("" if c is None else row[c].strip() for c in columns)
                yield reader.line_num, (name, label, split)
    except OSError as error:
        raise DataError(f"cannot read the manifest: {path}: {error.strerror}") from error
    except csv.Error as error:
        raise DataError(f"bad manifest: {path}: {error}") from error
