"""Rows of a matrix in a file: written by several processes, and read when they are needed.

The file is not memory-mapped: if another program shortened it, the next access to a mapping would
end this process with SIGBUS, where a read only returns fewer bytes.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.errors import DataError

_MANY_BYTES = 2**26  # smaller matrices are kept in memory
_BLOCK_ROWS = 1024
_MAX_SPAN = 4  # unwanted rows are read too, if they are fewer than this many times the wanted ones
_seek_lock = threading.Lock()


@dataclass(frozen=True)
class RowWriter:
    """Writes rows of `n_columns` bytes, the first of which starts at the byte `offset`.

    handle: a descriptor that forked processes inherit; path: for other processes, None if there are
    none.
    """

    handle: int
    path: str | None
    offset: int
    n_columns: int

    def store(self, start: int, pixels: NDArray[np.uint8]) -> None:
        """Write rows starting at the row `start`. Raises OSError."""
        place, left = self.offset + start * self.n_columns, pixels.reshape(-1).data
        if self.path is not None:
            with open(self.path, "r+b", buffering=0) as stream:
                stream.seek(place)
                while left:
                    left = left[stream.write(left) :]
        while left:
            n_bytes = os.pwrite(self.handle, left, place)
            left, place = left[n_bytes:], place + n_bytes


class FileRows:
    """A read-only matrix (n, n_columns) in a file. Each access returns a copy of rows.

    handle: a descriptor, which is duplicated; name: the file's, for errors; dtype: of the numbers.
    Raises DataError when rows cannot be read.
    """

    def __init__(
        self, handle: int, name: str, offset: int, shape: tuple[int, int], dtype: Any = np.uint8
    ) -> None:
        self.name, self.shape, self.dtype = name, shape, np.dtype(dtype)
        self._offset = offset
        self._handle = os.dup(handle)

    def view(self, dtype: type) -> FileRows:
        """The same bytes as numbers of another type, as `numpy.ndarray.view`."""
        n_columns = self.shape[1] * self.dtype.itemsize // np.dtype(dtype).itemsize
        return FileRows(self._handle, self.name, self._offset, (len(self), n_columns), dtype)

    def __del__(self) -> None:
        if hasattr(self, "_handle"):
            os.close(self._handle)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, where: Any) -> NDArray[Any]:
        """Rows by number, slice or array of numbers: (n_columns,) or (n_chosen, n_columns); or,
        as [rows, columns], some columns of several rows."""
        if isinstance(where, tuple):
            return self[where[0]][:, where[1]]
        if isinstance(where, slice):
            start, stop, step = where.indices(len(self))
            return np.asarray(self._read(start, max(start, stop))[::step])
        if np.ndim(where) == 0:
            row = range(len(self))[where]
            return np.asarray(self._read(row, row + 1)[0])
        rows = np.empty((len(where), self.shape[1]), self.dtype)
        for start in range(0, len(where), _BLOCK_ROWS):
            block = slice(start, start + _BLOCK_ROWS)
            numbers = where[block]
            first, stop = int(numbers.min()), int(numbers.max()) + 1
            if stop - first <= _MAX_SPAN * len(numbers):
                wanted = numbers - first
                np.take(self._read(first, stop), wanted, axis=0, out=rows[block], mode="clip")
            else:
                for number, row in zip(numbers.tolist(), rows[block], strict=True):
                    self._read_into(row, number)
        return rows

    def _read(self, start: int, stop: int) -> NDArray[Any]:
        rows = np.empty((stop - start, self.shape[1]), self.dtype)
        self._read_into(rows, start)
        return rows

    def _read_into(self, rows: NDArray[Any], start: int) -> None:
        left = rows.reshape(-1).view(np.uint8).data
        place = self._offset + start * self.shape[1] * self.dtype.itemsize
        reason = "another program has shortened the file"
        try:
            while left:
                n_bytes = _read_at(self._handle, left, place)
                if not n_bytes:
                    break
                left, place = left[n_bytes:], place + n_bytes
        except OSError as error:
            reason = error.strerror or str(error)
        if left:
            raise DataError(f"cannot read the rows: {self.name}: {reason}; run the command again")


class ChosenRows(FileRows):
    """Some rows of a matrix in a file, by their numbers. Nothing is copied before an access."""

    def __init__(self, whole: FileRows, numbers: NDArray[np.int64]) -> None:
        self.name, self.dtype = whole.name, whole.dtype
        self.shape = len(numbers), whole.shape[1]
        self._whole, self._numbers = whole, numbers

    def __getitem__(self, where: Any) -> NDArray[Any]:
        if isinstance(where, tuple):
            return super().__getitem__(where)
        return self._whole[self._numbers[where]]


class JoinedRows(FileRows):
    """Matrices with equally many columns, one below the other, as one. Nothing is copied before an
    access."""

    def __init__(self, parts: Sequence[NDArray[Any]]) -> None:
        self.name, self.dtype = "", np.result_type(*(part.dtype for part in parts))
        self.shape = sum(map(len, parts)), parts[0].shape[1]
        self._parts, self._numbers = parts, np.arange(self.shape[0])

    def __getitem__(self, where: Any) -> NDArray[Any]:
        if isinstance(where, tuple):
            return super().__getitem__(where)
        numbers = self._numbers[where]
        rows, start = np.empty((*numbers.shape, self.shape[1]), self.dtype), 0
        for part in self._parts:
            is_here = (numbers >= start) & (numbers < start + len(part))
            if is_here.any():
                rows[is_here] = part[numbers[is_here] - start]
            start += len(part)
        return rows


def _read_at(handle: int, buffer: memoryview, place: int) -> int:
    if hasattr(os, "preadv"):
        return os.preadv(handle, [buffer], place)
    with _seek_lock:
        before = os.lseek(handle, 0, os.SEEK_CUR)  # where whoever opened the file reads on
        os.lseek(handle, place, os.SEEK_SET)
        content = os.read(handle, len(buffer))
        os.lseek(handle, before, os.SEEK_SET)
    buffer[: len(content)] = content
    return len(content)


def rows_of_file(
    handle: int, name: str, offset: int, shape: tuple[int, int], dtype: Any = np.uint8
) -> NDArray[Any]:
    """The matrix in a file, as an array if it is small and else as FileRows. Raises DataError."""
    rows = FileRows(handle, name, offset, shape, dtype)
    if shape[0] * shape[1] * rows.dtype.itemsize >= _MANY_BYTES:
        return rows  # type: ignore[return-value]  # it is used like an array
    matrix = rows[:]
    matrix.flags.writeable = False
    return matrix
