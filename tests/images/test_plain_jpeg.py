"""Plain JPEG files: the same pixels as by Pillow's own way, and no file that is not plain."""

import io

import numpy as np
import pytest
from PIL import Image

from softmaxce.errors import ImageError
from softmaxce.images import reading
from softmaxce.images.plain_jpeg import decode_plain_jpeg, plain_jpeg_size
from softmaxce.preprocessing import Preprocessing

RANDOM = np.random.default_rng(5)


def picture(width=97, height=131, mode="RGB"):
    small = RANDOM.integers(0, 256, (8, 8, 3), np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC).convert(mode)


def jpeg(image=None, **options):
    stream = io.BytesIO()
    (image or picture()).save(stream, "JPEG", **options)
    return stream.getvalue()


def with_segment(content, marker, body):
    """The file with one more segment behind its first two bytes."""
    segment = bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body
    return content[:2] + segment + content[2:]


def read(content, wanted):
    return reading.read_image(io.BytesIO(content), wanted)


def usual_way(monkeypatch, content, wanted):
    with monkeypatch.context() as patch:
        patch.setattr(reading, "plain_jpeg_size", lambda content: None)
        return read(content, wanted)


def profile():
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [1, 8, 16, 33, 64, 200])
def test_the_pixels_are_those_of_the_usual_way(monkeypatch, fit, channels, side):
    wanted = Preprocessing(side, max(1, side - 3), channels, fit, "#204060")
    for options in (
        {},
        {"quality": 30, "subsampling": 0},
        {"subsampling": 1, "comment": b"a comment"},
        {"optimize": True, "icc_profile": profile()},
        {"restart_marker_blocks": 2},
    ):
        for size in ((97, 131), (64, 64), (400, 533), (1, 9)):
            content = jpeg(picture(*size), **options)
            assert plain_jpeg_size(content) == size
            pixels, facts = read(content, wanted)
            expected, expected_facts = usual_way(monkeypatch, content, wanted)
            assert np.array_equal(pixels, expected)
            assert facts == expected_facts


def turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff",
        jpeg()[:20],
        jpeg(progressive=True),
        jpeg(picture(mode="L")),
        jpeg(picture(mode="CMYK")),
        jpeg(exif=turned()),
        with_segment(jpeg(), 0xEE, b"Adobe" + bytes(7)),
        with_segment(jpeg(), 0xE2, b"MPF\0" + bytes(20)),
        with_segment(jpeg(), 0xE1, b"http://ns.adobe.com/xap/1.0/\0"),
        with_segment(jpeg(), 0xFF, b""),
        jpeg().replace(b"\xff\xda", b"\xff\xc0"),
        jpeg(picture(4097, 4096), quality=10),
    ],
)
def test_what_is_not_plain_is_left_to_the_usual_way(content):
    assert plain_jpeg_size(content) is None


def test_a_size_of_nothing_is_not_plain():
    content = bytearray(jpeg())
    at = content.index(b"\xff\xc0")
    content[at + 5 : at + 7] = b"\0\0"
    assert plain_jpeg_size(bytes(content)) is None


def test_broken_files_are_refused_in_the_usual_words(monkeypatch):
    content = jpeg(picture(400, 400))
    wanted = Preprocessing(32, 32, 3)
    cut = content[: len(content) // 2]
    assert plain_jpeg_size(cut) == (400, 400)
    assert decode_plain_jpeg(cut, (400, 400), "RGB", (32, 32)) is None
    with pytest.raises(ImageError) as ours:
        read(cut, wanted)
    with pytest.raises(ImageError) as usual:
        usual_way(monkeypatch, cut, wanted)
    assert str(ours.value) == str(usual.value)


def test_damaged_files_give_what_the_usual_way_gives(monkeypatch):
    content = jpeg(picture(120, 90))
    wanted = Preprocessing(20, 20, 3)
    for _ in range(300):
        damaged = bytearray(content)
        for at in RANDOM.integers(2, len(content), 3):
            damaged[at] = RANDOM.integers(256)
        expected = outcome(lambda content: usual_way(monkeypatch, content, wanted), damaged)
        assert outcome(lambda content: read(content, wanted), damaged) == expected


def outcome(way, content):
    """The pixels and facts, or why there are none."""
    try:
        pixels, facts = way(bytes(content))
    except ImageError as error:
        return str(error)
    return pixels.tobytes(), facts
