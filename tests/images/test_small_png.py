"""Plain small PNG files are read as Pillow reads them, or left to Pillow."""

from __future__ import annotations

import io

import numpy as np
import pytest
from picture_files import chunk, png
from PIL import Image

from softmaxce.images.small_png import SmallPng, plain_size

COLOUR_TYPE = {1: 0, 3: 2}


def pillow_pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content))).reshape(-1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("seed", range(10))
def test_every_filter_gives_the_pixels_that_went_in(channels, seed):
    random = np.random.default_rng(seed)
    height, width = random.integers(1, 20, 2)
    reader = SmallPng(int(width), int(height), channels)
    images = random.integers(0, 256, (30, height, width, channels))
    images[::3] //= 100  # smooth ones, where the filters' ties matter
    contents = [
        png(image, COLOUR_TYPE[channels], 8, filters=tuple(random.integers(0, 5, height)))
        for image in images
    ]
    scanlines = [reader.inflate(content) for content in contents]
    assert None not in scanlines
    np.testing.assert_array_equal(reader.pixels(scanlines), images.reshape(30, -1))


@pytest.mark.parametrize("channels", [1, 3])
def test_thousands_of_mutated_files_are_read_as_pillow_does_or_not_at_all(channels):
    random = np.random.default_rng(channels)
    reader = SmallPng(6, 5, channels)
    whole = png(random.integers(0, 256, (5, 6, channels)), COLOUR_TYPE[channels], 8, filters=(4, 3))
    n_read = 0
    for _ in range(4000):
        content = bytearray(whole)
        for position in random.integers(0, len(content), random.integers(0, 3)):
            content[position] ^= 1 << random.integers(0, 8)
        if random.random() < 0.1:
            del content[random.integers(0, len(content)) :]
        lines = reader.inflate(bytes(content))
        if lines is not None:
            n_read += 1
            np.testing.assert_array_equal(reader.pixels([lines])[0], pillow_pixels(bytes(content)))
    assert n_read > 500


@pytest.mark.parametrize("channels", [1, 3])
def test_plain_headers_say_what_pillow_says(channels):
    random = np.random.default_rng(channels)
    whole = png(random.integers(0, 256, (5, 6, channels)), COLOUR_TYPE[channels], 8)
    assert plain_size(whole) == (6, 5, channels)
    assert plain_size(png(np.zeros((1, 65, channels)), COLOUR_TYPE[channels], 8)) is None
    for _ in range(2000):
        content = bytearray(whole)
        content[random.integers(0, len(content))] ^= 1 << random.integers(0, 8)
        if size := plain_size(bytes(content)):
            image = Image.open(io.BytesIO(content))
            assert (*image.size, len(image.getbands())) == size
            assert image.mode in ("L", "RGB")


def test_anything_out_of_the_ordinary_is_left_to_pillow():
    samples = np.arange(12).reshape(3, 4, 1)
    reader = SmallPng(4, 3, 1)
    plain = png(samples, 0, 8)
    assert reader.inflate(plain) is not None
    others = [
        png(samples, 0, 8, interlaced=True),
        png(samples, 0, 16),
        png(samples[:, :3], 0, 8),
        png(np.repeat(samples, 3, axis=2), 2, 8),
        png(samples, 0, 8, before=chunk(b"gAMA", b"\0\0\xb1\x8f")),
        png(samples, 0, 8, after=chunk(b"tEXt", b"a\0b")),
        plain + b"\0",
        plain[:-1],
        plain[:60],
        b"",
        b"GIF89a",
    ]
    for content in (*others[:2], *others[4:]):
        assert plain_size(content) is None
    for content in others:
        assert reader.inflate(content) is None
