"""JPEG files decoded without unpacking: the same pixels as from an untouched Pillow."""

import io

import numpy as np
import pytest
from PIL import Image

from softmaxce.errors import ImageError
from softmaxce.images import reading
from softmaxce.preprocessing import Preprocessing

RANDOM = np.random.default_rng(5)


def picture(width=97, height=131, mode="RGB"):
    small = RANDOM.integers(0, 256, (8, 8, 3), np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC).convert(mode)


def jpeg(image=None, **options):
    stream = io.BytesIO()
    (image or picture()).save(stream, "JPEG", **options)
    return stream.getvalue()


def read(content, wanted):
    return reading.read_image(io.BytesIO(content), wanted)


def read_unpacking(monkeypatch, content, wanted):
    with monkeypatch.context() as patch:
        patch.setattr(reading, "_decode_unpacked", lambda image: None)
        return read(content, wanted)


def profile():
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [1, 8, 16, 33, 64, 200])
def test_the_pixels_are_those_of_the_read_unpacking(monkeypatch, fit, channels, side):
    wanted = Preprocessing(side, max(1, side - 3), channels, fit, "#204060")
    for options in (
        {},
        {"quality": 30, "subsampling": 0},
        {"subsampling": 1, "comment": b"a comment"},
        {"optimize": True, "icc_profile": profile()},
        {"restart_marker_blocks": 2},
        {"progressive": True},
    ):
        for size in ((97, 131), (64, 64), (400, 533), (1, 9)):
            content = jpeg(picture(*size), **options)
            pixels, info = read(content, wanted)
            expected, expected_info = read_unpacking(monkeypatch, content, wanted)
            assert np.array_equal(pixels, expected)
            assert info == expected_info


def test_damaged_files_give_what_pillow_gives(monkeypatch):
    content = jpeg(picture(120, 90))
    wanted = Preprocessing(20, 20, 3)
    for _ in range(300):
        damaged = bytearray(content)
        for at in RANDOM.integers(2, len(content), 3):
            damaged[at] = RANDOM.integers(256)
        expected = outcome(lambda content: read_unpacking(monkeypatch, content, wanted), damaged)
        assert outcome(lambda content: read(content, wanted), damaged) == expected


def outcome(way, content):
    """The pixels and the header, or the error."""
    try:
        pixels, info = way(bytes(content))
    except ImageError as error:
        return str(error)
    return pixels.tobytes(), info
