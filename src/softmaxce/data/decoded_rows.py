"""Pixels that are decoded where they are needed, because nothing keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.data.decoding import decode_files
from softmaxce.errors import DataError
from softmaxce.file_rows import FileRows
from softmaxce.preprocessing import Preprocessing


class DecodedRows(FileRows):
    """A pixel matrix (n, n_pixels): each access decodes the files of its rows.

    paths: image files, all of which were decoded before; digests: (n, 2), of their pixels then;
    jobs: as in `decode_files`. Raises DataError for a file that can no longer be decoded, or has
    other pixels.
    """

    def __init__(
        self,
        paths: Sequence[str],
        preprocessing: Preprocessing,
        digests: NDArray[np.uint64],
        jobs: int | None = None,
    ) -> None:
        self.name, self.dtype = "", np.dtype(np.uint8)
        self.shape = len(paths), preprocessing.n_pixels
        self._paths, self._preprocessing, self._jobs = paths, preprocessing, jobs
        self._digests, self._numbers = digests, np.arange(len(paths))

    def __getitem__(self, where: Any) -> NDArray[Any]:
        if isinstance(where, tuple):
            return super().__getitem__(where)
        numbers = self._numbers[where]
        paths = [self._paths[i] for i in numbers.reshape(-1)]
        decoded = decode_files(paths, self._preprocessing, jobs=self._jobs)
        if decoded.failures:
            error = decoded.failures[min(decoded.failures)]
            raise DataError(f"cannot decode an image again: {error}; run the command again")
        has_changed = (decoded.digests != self._digests[numbers.reshape(-1)]).any(axis=1)
        if has_changed.any():
            path = paths[int(has_changed.argmax())]
            raise DataError(f"an image has changed: {path}; run the command again")
        return decoded.pixels[:].reshape(*numbers.shape, self.shape[1])
