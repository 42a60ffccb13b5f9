"""Many image files → the rows of one matrix, small PNG files together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from softmaxce.errors import ImageError
from softmaxce.images.decoded import DecodedImages, digests_of
from softmaxce.images.decoder_guards import quiet_decoders
from softmaxce.images.files import Content, read_file
from softmaxce.images.reading import decode_content
from softmaxce.images.small_png import MAX_SIDE, SmallPng
from softmaxce.preprocessing import Preprocessing


def decode_batch(
    paths: Sequence[str],
    preprocessing: Preprocessing,
    read: Callable[[str], Content] = read_file,
) -> DecodedImages:
    """Decode files in order; `read` returns the content of a file or raises ImageError."""
    width, height, channels = preprocessing.width, preprocessing.height, preprocessing.channels
    pixels = np.zeros((len(paths), preprocessing.n_pixels), np.uint8)
    sizes = np.full((len(paths), 2), (width, height), np.int32)  # those of small PNG files
    is_grey = np.full(len(paths), channels == 1)
    failures: dict[int, ImageError] = {}
    png = SmallPng(width, height, channels) if max(width, height) <= MAX_SIDE else None
    small: dict[int, bytes] = {}
    with quiet_decoders:
        for i, path in enumerate(paths):
            try:
                content = read(path)
                scanlines = png and isinstance(content, bytes) and png.inflate(content)
                if scanlines:
                    small[i] = scanlines
                    continue
                pixels[i], info = decode_content(path, content, preprocessing)
                sizes[i], is_grey[i] = (info.width, info.height), info.is_grey
            except ImageError as error:
                failures[i] = error
                sizes[i], is_grey[i] = 0, False
    if png and small:
        pixels[list(small)] = png.pixels(list(small.values()))
    return DecodedImages(pixels, sizes, is_grey, digests_of(pixels), failures)
