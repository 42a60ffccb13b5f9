"""Rows of a matrix that lie in a file which is mapped into memory.

Pages that were read stay counted as this process's memory until they are released, and where many
images are read one after the other that would come to the whole file. Releasing costs no reading:
the system keeps the pages for as long as it has room, and gives them back at a touch.
"""

from __future__ import annotations

import mmap
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_MANY_BYTES = 2**26  # a smaller matrix may stay
_BLOCK_ROWS = 4096


def map_rows(file: str | BinaryIO, offset: int, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """The rows that a file holds from the byte `offset` on, mapped and read-only."""
    return np.asarray(np.memmap(file, np.uint8, "r", offset, shape))


def release(matrix: NDArray[Any]) -> None:
    """Give the system back the pages of a large matrix that is mapped read-only; of any other
    matrix, nothing."""
    mapping = _mapping_of(matrix)
    if mapping is not None:
        mapping.madvise(mmap.MADV_DONTNEED)


def _mapping_of(matrix: NDArray[Any]) -> mmap.mmap | None:
    """What a matrix whose pages are worth releasing, and may be released, lies in."""
    if matrix.nbytes < _MANY_BYTES:
        return None
    base: object = matrix
    while isinstance(base, np.ndarray):
        base = base.base
    if not isinstance(base, mmap.mmap) or not hasattr(base, "madvise"):
        return None
    with memoryview(base) as view:
        return base if view.readonly else None  # else it may hold what the file does not


def copy_rows(matrix: NDArray[Any], rows: NDArray[np.integer[Any]]) -> NDArray[Any]:
    """Copies (len(rows), n_columns) of these rows of a matrix that may be mapped."""
    if _mapping_of(matrix) is None:
        return np.asarray(matrix[rows])
    copies = np.empty((len(rows), *matrix.shape[1:]), matrix.dtype)
    for start in range(0, len(rows), _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        copies[block] = matrix[rows[block]]
        release(matrix)
    return copies
