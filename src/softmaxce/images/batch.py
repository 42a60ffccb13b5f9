"""Many image files → the rows of one matrix, small PNG files together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmaxce.errors import ImageError
from softmaxce.images.files import Content, read_file
from softmaxce.images.reading import decode_content, quiet_decoders
from softmaxce.images.small_png import MAX_SIDE, SmallPng
from softmaxce.preprocessing import Preprocessing


@dataclass(frozen=True)
class DecodedBatch:
    """pixels: (n_files, n_pixels) uint8, zeros for a file that failed; sizes: (n_files, 2) width
    and height before preprocessing; is_grey: (n_files,); failures: position → error."""

    pixels: NDArray[np.uint8]
    sizes: NDArray[np.int32]
    is_grey: NDArray[np.bool_]
    failures: dict[int, ImageError]


def decode_batch(
    paths: Sequence[str],
    preprocessing: Preprocessing,
    read: Callable[[str], Content] = read_file,
) -> DecodedBatch:
    """Decode files in order; `read` returns the content of a file or raises ImageError."""
    n_files = len(paths)
    batch = DecodedBatch(
        pixels=np.zeros((n_files, preprocessing.n_pixels), np.uint8),
        sizes=np.zeros((n_files, 2), np.int32),
        is_grey=np.zeros(n_files, np.bool_),
        failures={},
    )
    width, height = preprocessing.width, preprocessing.height
    png = None
    if max(width, height) <= MAX_SIDE:
        png = SmallPng(width, height, preprocessing.channels)
    small: dict[int, bytes] = {}
    with quiet_decoders():
        for i, path in enumerate(paths):
            try:
                content = read(path)
                scanlines = png and isinstance(content, bytes) and png.inflate(content)
                if scanlines:
                    small[i] = scanlines
                    continue
                batch.pixels[i], info = decode_content(path, content, preprocessing)
            except ImageError as error:
                batch.failures[i] = error
                continue
            batch.sizes[i] = info.width, info.height
            batch.is_grey[i] = info.is_grey
    if png and small:
        rows = list(small)
        batch.pixels[rows] = png.pixels(list(small.values()))
        batch.sizes[rows] = width, height
        batch.is_grey[rows] = preprocessing.channels == 1
    return batch
