"""Pixels that are decoded again where they are needed, because only their features are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.data.decoding import OnDecoded, decode_files
from softmaxce.errors import DataError
from softmaxce.file_rows import FileRows
from softmaxce.images.decoded import DecodedImages
from softmaxce.networks.features import NetworkFeatures
from softmaxce.preprocessing import Preprocessing


def decode_for_network(
    paths: Sequence[str],
    preprocessing: Preprocessing,
    network: NetworkFeatures,
    *,
    jobs: int | None,
    on_decoded: OnDecoded | None,
    skip_bad: bool,
) -> DecodedImages:
    """As `decode_files`, with the features of each image as well, and its pixels on access."""
    how: Any = {"jobs": jobs, "on_decoded": on_decoded, "skip_bad": skip_bad}
    decoded = decode_files(paths, preprocessing, network=network, **how)
    rows: Any = DecodedRows(paths, preprocessing, decoded.digests, jobs)
    return replace(decoded, pixels=rows)


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
        decoded = self._decode(numbers.reshape(-1))
        return decoded.pixels[:].reshape(*numbers.shape, self.shape[1])

    def chosen(self, numbers: NDArray[np.int64]) -> DecodedRows:
        """Some of the rows, by number. Nothing is decoded before an access."""
        paths = [self._paths[i] for i in numbers]
        return DecodedRows(paths, self._preprocessing, self._digests[numbers], self._jobs)

    def features_of(
        self, network: NetworkFeatures, on_decoded: OnDecoded | None
    ) -> NDArray[np.float32]:
        """The features (n, n_features) of all rows; no pixel is kept."""
        decoded = self._decode(self._numbers, network=network, on_decoded=on_decoded)
        assert decoded.features is not None
        return decoded.features

    def _decode(self, numbers: NDArray[np.int64], **how: Any) -> DecodedImages:
        paths = [self._paths[i] for i in numbers]
        decoded = decode_files(paths, self._preprocessing, jobs=self._jobs, skip_bad=False, **how)
        if decoded.failures:
            error = decoded.failures[min(decoded.failures)]
            raise DataError(f"cannot decode an image again: {error}; run the command again")
        has_changed = (decoded.digests != self._digests[numbers]).any(axis=1)
        if has_changed.any():
            path = paths[int(has_changed.argmax())]
            raise DataError(f"an image has changed: {path}; run the command again")
        return decoded
