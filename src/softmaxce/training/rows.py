"""Labelled rows of a pixel matrix, wherever the matrix is.

A matrix is cut into blocks of `block_rows(n_pixels)` rows. The cuts depend only on the matrix, not
on which of its rows are chosen, so training rows and validation rows share the same blocks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from softmaxce.file_rows import FileRows

if TYPE_CHECKING:
    from softmaxce.training.objective import Objective, Sums

_BLOCK_VALUES = 1 << 20  # pixel values of a block: 4 MB as float32, a thread's share of the cache
_MAPPED_ROWS = 4096  # rows that `LocalPixels.map` copies at a time

_buffers = threading.local()  # one array for each dtype, by its name


def block_rows(n_pixels: int) -> int:
    """Number of rows of a block: a power of two, 16 … 1024, smaller for longer pixel vectors."""
    fitting = _BLOCK_VALUES // n_pixels
    return min(max(1 << max(fitting.bit_length() - 1, 0), 16), 1024)


def thread_buffer(shape: tuple[int, int], dtype: np.dtype[Any]) -> NDArray[Any]:
    """An uninitialised array that this thread's next call with the same dtype reuses.

    Allocating fresh memory would cost as much as the arithmetic done in it.
    """
    size, kept = shape[0] * shape[1], getattr(_buffers, dtype.name, None)
    if kept is None or kept.size < size:
        kept = np.empty(size, dtype)
        setattr(_buffers, dtype.name, kept)
    return np.asarray(kept[:size].reshape(shape))


class PixelMatrix(Protocol):
    """A pixel matrix, on this machine or on others, whose rows are summed where they are stored.

    shape: (n, n_pixels); dtype: of the pixels.
    """

    shape: tuple[int, int]
    dtype: np.dtype[Any]

    def __len__(self) -> int: ...

    def __getitem__(self, where: Any) -> NDArray[Any]:
        """Rows by number, slice or array of numbers: (n_pixels,) or (n_chosen, n_pixels)."""

    def copy_rows(self, rows: NDArray[np.integer[Any]]) -> NDArray[Any]:
        """Copies (len(rows), n_pixels) of these rows, on this machine."""

    def map(
        self, function: Callable[..., Any], rows: NDArray[Any], columns: NDArray[Any], shared: Any
    ) -> Iterable[Any]:
        """The results of function(pixels, columns, shared) for consecutive runs of the rows.

        rows: ascending; columns: (len(rows),), cut as the rows are.
        """

    def sum_over(self, objective: Objective, parameters: NDArray[Any]) -> Sums:
        """`objective.sums_at(parameters)`, computed where the pixels are."""


class LocalPixels(PixelMatrix):
    """A pixel matrix in this machine's memory or in a file."""

    def __init__(self, array: NDArray[Any] | FileRows) -> None:
        self.array, self.dtype = array, array.dtype
        self.shape = (len(array), array.shape[1])

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, where: Any) -> NDArray[Any]:
        return np.asarray(self.array[where])

    def copy_rows(self, rows: NDArray[np.integer[Any]]) -> NDArray[Any]:
        return np.asarray(self.array[rows])

    def map(
        self, function: Callable[..., Any], rows: NDArray[Any], columns: NDArray[Any], shared: Any
    ) -> Iterator[Any]:
        for start in range(0, len(rows), _MAPPED_ROWS):
            run = slice(start, start + _MAPPED_ROWS)
            yield function(self.copy_rows(rows[run]), columns[run], shared)

    def sum_over(self, objective: Objective, parameters: NDArray[Any]) -> Sums:
        return objective.sums_at(parameters)


def as_pixel_matrix(pixels: NDArray[Any] | FileRows | PixelMatrix) -> PixelMatrix:
    """`pixels` with the interface of PixelMatrix."""
    return LocalPixels(pixels) if isinstance(pixels, (np.ndarray, FileRows)) else pixels


@dataclass(frozen=True)
class Rows:
    """Some rows of a pixel matrix and their labels. Nothing is copied.

    pixels: (n, n_pixels), uint8, float32 or float64, in memory, in a file or remote; labels:
    (n,) integers, one for each row of `pixels`; index: the chosen rows of `pixels` (all if
    None), ascending if their blocks are used.
    """

    pixels: NDArray[Any] | PixelMatrix
    labels: NDArray[np.integer[Any]]
    index: NDArray[np.integer[Any]] | None = None

    def __len__(self) -> int:
        return len(self.pixels) if self.index is None else len(self.index)

    @cached_property
    def matrix(self) -> PixelMatrix:
        """`pixels` with the interface of PixelMatrix."""
        return as_pixel_matrix(self.pixels)

    @property
    def n_pixels(self) -> int:
        """Length of one image's pixel vector."""
        return self.matrix.shape[1]

    @property
    def dtype(self) -> np.dtype[np.floating[Any]]:
        """Type of the arithmetic: float64 for float64 pixels, float32 for all others."""
        return np.dtype(np.float64 if self.pixels.dtype == np.float64 else np.float32)

    def positions(self, chosen: Any) -> Any:
        """Where in the matrix the chosen ones (a slice or an array) of these rows are."""
        return chosen if self.index is None else self.index[chosen]

    def take(self, chosen: slice) -> tuple[NDArray[Any], NDArray[Any]]:
        """As `take_into_buffer`, but read-only: pixels that have the `dtype` are not copied."""
        where = self.positions(chosen)
        if self.matrix.dtype != self.dtype:
            return self.take_into_buffer(chosen)
        return self.matrix[where], self.labels[where]

    def take_into_buffer(
        self, chosen: slice | NDArray[np.integer[Any]]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Unscaled pixels (n_chosen, n_pixels), as `dtype`, and labels of some of these rows.

        The pixels are in this thread's buffer, which the thread's next call overwrites: use them
        before that, and do not keep them.
        """
        where = self.positions(chosen)
        labels = self.labels[where]
        pixels = thread_buffer((len(labels), self.n_pixels), self.dtype)
        np.copyto(pixels, self.matrix[where])
        return pixels, labels

    @property
    def n_blocks(self) -> int:
        """How many blocks the matrix is cut into."""
        return -(-len(self.pixels) // block_rows(self.n_pixels))

    def block(self, number: int) -> slice:
        """Which of these rows, numbered from 0, are in a block of the matrix."""
        size = block_rows(self.n_pixels)
        return self.between(number * size, (number + 1) * size)

    def between(self, start: int, stop: int) -> slice:
        """Which of these rows, numbered from 0, are the matrix's rows `start` to `stop` − 1."""
        if self.index is None:
            return slice(start, min(stop, len(self.pixels)))
        return slice(*map(int, np.searchsorted(self.index, (start, stop))))
