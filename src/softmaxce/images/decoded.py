"""Decoded images as rows of one matrix. Nothing here needs Pillow."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.errors import ImageError


@dataclass(frozen=True)
class DecodedImages:
    """pixels: (n_files, n_pixels) uint8, with a row of zeros for a file that failed.

    sizes: (n_files, 2), width and height before preprocessing; is_grey: (n_files,);
    digests: (n_files, 2) uint64, BLAKE2b of each row, equal for equal pixels;
    failures: position in the list of files → error; features: (n_files, n_features) float32, if a
    network computed them while the files were decoded.
    """

    pixels: NDArray[np.uint8]
    sizes: NDArray[np.int32]
    is_grey: NDArray[np.bool_]
    digests: NDArray[np.uint64]
    failures: dict[int, ImageError]
    features: NDArray[Any] | None = None


def without_files(rows: NDArray[Any], digests: NDArray[np.uint64]) -> DecodedImages:
    """Rows of features as if they were the pixels of images."""
    n = len(digests)
    return DecodedImages(rows, np.zeros((n, 2), np.int32), np.zeros(n, np.bool_), digests, {})


def digests_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """(n_images, 2): the 128-bit BLAKE2b digest of each row of `pixels`."""
    digests = b"".join(hashlib.blake2b(row, digest_size=16).digest() for row in pixels)
    return np.frombuffer(digests, "<u8").reshape(-1, 2)
