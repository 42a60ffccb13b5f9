"""Rows of a matrix in a memory-mapped file.

Pages that were read count as this process's memory until they are released. A pass over many images
would otherwise add up to the whole file. Releasing is cheap: the pages stay in the system's file
cache while there is room, and the next access maps them again.
"""

from __future__ import annotations

import mmap
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_MANY_BYTES = 2**26  # smaller matrices are not worth releasing
_BLOCK_ROWS = 4096


def map_rows(file: str | BinaryIO, offset: int, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Rows of a file from the byte `offset` on, mapped read-only."""
    return np.asarray(np.memmap(file, np.uint8, "r", offset, shape))


def release(matrix: NDArray[Any]) -> None:
    """Release the pages of a large matrix that is mapped read-only; do nothing for any other."""
    mapping = _releasable_mapping(matrix)
    if mapping is not None:
        mapping.madvise(mmap.MADV_DONTNEED)


def _releasable_mapping(matrix: NDArray[Any]) -> mmap.mmap | None:
    """The read-only mapping that holds a large matrix, or None."""
    if matrix.nbytes < _MANY_BYTES:
        return None
    base: object = matrix
    while isinstance(base, np.ndarray):
        base = base.base
    if not isinstance(base, mmap.mmap) or not hasattr(base, "madvise"):
        return None
    with memoryview(base) as view:
        return base if view.readonly else None  # a writable one may hold unsaved changes


def copy_rows(matrix: NDArray[Any], rows: NDArray[np.integer[Any]]) -> NDArray[Any]:
    """Copies (len(rows), n_columns) of these rows of a matrix, which may be mapped."""
    if _releasable_mapping(matrix) is None:
        return np.asarray(matrix[rows])
    copies = np.empty((len(rows), *matrix.shape[1:]), matrix.dtype)
    for start in range(0, len(rows), _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        copies[block] = matrix[rows[block]]
        release(matrix)
    return copies
