"""Delimited text, as Excel and other programs write it → its lines and its delimiter."""

from __future__ import annotations

import codecs
import gzip
import io
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from os import PathLike

from softmaxce.bounded_input import open_regular
from softmaxce.errors import DataError

MAX_RATIO = 250  # unpacked to packed bytes: real data stay far below, decompression bombs do not
_SUFFIXES = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz")
_MAX_CHARACTERS = 2**24  # of a line: 4 million pixel values
_DELIMITERS = ",;\t|"
_ENCODINGS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}

# The names of columns without spaces and punctuation, the most specific first.
_COLUMNS = {
    "path": "path filepath filepaths filename file imagepath imgpath imagefile imagename imgname "
    "image images img imageid imgid photo picture id",
    "label": "label labels labelname class classname target category categoryname y",
    "split": "split subset set partition dataset usage",
}


@dataclass(frozen=True)
class Table:
    """lines: the header and all others, in order; header_line: the number of the first of them."""

    delimiter: str
    header: str
    header_line: int
    lines: Iterator[str]


def is_table(path: str | PathLike[str]) -> bool:
    """Whether `path` is a file that is named like delimited text."""
    return os.fspath(path).lower().endswith(_SUFFIXES) and os.path.isfile(path)


def read_table(path: str | PathLike[str]) -> Table:
    """The lines of a file of delimited text, which may be gzipped. Raises DataError."""
    lines = _lines(path)
    header, header_line = next(lines, ""), 1
    named = re.fullmatch(r'"?sep=(.)"?\s*', header, re.IGNORECASE)  # Excel's own first line
    if named:
        header, header_line = next(lines, ""), 2
    delimiter = named[1] if named else max(_DELIMITERS, key=header.count)
    return Table(delimiter, header, header_line, chain([header], lines))


def _lines(path: str | PathLike[str]) -> Iterator[str]:
    number = 1
    try:
        with open(open_regular(path), "rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            n_left = MAX_RATIO * max(os.fstat(raw.fileno()).st_size, 1024)
            stream = gzip.GzipFile(fileobj=raw) if packed else raw
            head = stream.read(4)
            encoding = next((e for mark, e in _ENCODINGS.items() if head.startswith(mark)), "utf-8")
            stream.seek(0)
            text = io.TextIOWrapper(stream, encoding, errors="surrogateescape", newline="")
            reader = iter(partial(text.readline, _MAX_CHARACTERS), "")
            for number, line in enumerate(reader, 1):
                n_left -= len(line)
                if len(line) == _MAX_CHARACTERS or n_left < 0 or "\0" in line:
                    raise DataError(f"not a table: {path}: line {number} is not text or too long")
                if not line.isascii():
                    line.encode()
                yield line
    except UnicodeError:
        raise DataError(
            f'not UTF-8: {path}: line {number}; save it as "CSV UTF-8", or as UTF-16'
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"cannot read the table: {path}: {reason}") from error


def find_columns(header: Sequence[str]) -> dict[str, int | None]:
    """The positions of the columns "path", "label" and "split", None for those without a column.

    If one of path and label is known and one other column is left, it is the other of the two.
    """
    titles = [re.sub(r"[\W_]+", "", title.lower()) for title in header]
    found = {
        role: next((titles.index(name) for name in names.split() if titles.count(name) == 1), None)
        for role, names in _COLUMNS.items()
    }
    label = found["label"]
    if label is not None and titles[label] == "y" and "x" in titles:
        found["label"] = None  # coordinates
    index = re.compile(r"(unnamed\d*)?")  # the row numbers that pandas writes
    left = [i for i, t in enumerate(titles) if not index.fullmatch(t) and i not in found.values()]
    unknown = [role for role in ("path", "label") if found[role] is None]
    if len(unknown) == len(left) == 1:
        found[unknown[0]] = left[0]
    return found
