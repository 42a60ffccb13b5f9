"""What `read_pixels` accepts besides files, and images that cover only a part of their canvas."""

from __future__ import annotations

import struct
from io import BytesIO, StringIO

import numpy as np
import pytest
from picture_files import chunk, png
from PIL import Image

from softmaxce.errors import ImageError, InputError
from softmaxce.images import read_pixels
from softmaxce.images.reading import read_details
from softmaxce.preprocessing import Preprocessing

PICTURE = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
FORMS = [
    Preprocessing(9, 7, 3),
    Preprocessing(4, 5, 3, "crop"),
    Preprocessing(6, 6, 1, "pad", "#102030"),
]


@pytest.mark.parametrize("wanted", FORMS, ids=str)
def test_every_kind_of_source_gives_the_same_pixels(tmp_path, wanted):
    content = png(PICTURE, 2, 8)
    (tmp_path / "image.png").write_bytes(content)
    expected = read_pixels(str(tmp_path / "image.png"), wanted)
    opened = Image.open(BytesIO(content))
    with (tmp_path / "image.png").open("rb") as stream:
        for source in (tmp_path / "image.png", content, BytesIO(content), stream, opened, PICTURE):
            np.testing.assert_array_equal(read_pixels(source, wanted), expected)
    reversed_in_memory = np.flip(np.flip(PICTURE).copy())
    np.testing.assert_array_equal(read_pixels(reversed_in_memory, wanted), expected)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.full((3, 3), 90, np.uint8), [90, 90, 90]),
        (np.full((3, 3, 1), 90, np.uint8), [90, 90, 90]),
        (np.full((3, 3, 2), [90, 0], np.uint8), [0, 0, 255]),
        (np.full((3, 3, 4), [1, 2, 3, 255], np.uint8), [1, 2, 3]),
        (np.full((3, 3, 4), [1, 2, 3, 0], np.uint8), [0, 0, 255]),
        (np.full((3, 3), 128 * 257, np.uint16), [128, 128, 128]),
        (np.full((3, 3), 128 * 257, ">u2"), [128, 128, 128]),
        (np.ones((3, 3), bool), [255, 255, 255]),
    ],
)
def test_arrays_of_every_kind(array, expected):
    row = read_pixels(array, Preprocessing(1, 1, 3, background="#0000ff"))
    assert row.tolist() == expected


@pytest.mark.parametrize(
    "source",
    [
        None,
        3,
        [[1, 2]],
        StringIO("text"),
        np.zeros((3, 3)),
        np.zeros((3, 3, 3), np.int64),
        np.zeros((3, 3, 3), np.uint16),
        np.zeros((2, 3, 3, 3), np.uint8),
        np.zeros((3, 3, 5), np.uint8),
        np.zeros(9, np.uint8),
        np.zeros((0, 3), np.uint8),
    ],
    ids=lambda source: type(source).__name__ + str(getattr(source, "shape", "")),
)
def test_anything_else_is_an_input_error(source):
    with pytest.raises(InputError, match="give "):
        read_pixels(source, Preprocessing(1, 1, 3))


def test_a_pil_image_is_read_by_the_rules_for_files_and_not_changed():
    exif = Image.Exif()
    exif[0x0112] = 3
    stream = BytesIO()
    Image.fromarray(PICTURE).save(stream, "JPEG", exif=exif, quality=100, subsampling=0)
    image = Image.open(BytesIO(stream.getvalue()))
    row = read_pixels(image, Preprocessing(9, 7, 3)).reshape(9, 7, 3)
    assert np.abs(row.astype(int) - PICTURE[::-1, ::-1]).max() <= 12
    assert (image.size, image.mode) == ((7, 9), "RGB")
    assert np.array_equal(read_pixels(image, Preprocessing(9, 7, 3)).reshape(9, 7, 3), row)
    for mode, reason in (("F", "floating-point"), ("I", "32-bit numbers")):
        with pytest.raises(ImageError, match=reason):
            read_pixels(Image.new(mode, (3, 3)), Preprocessing(1, 1, 3))
    with pytest.raises(ImageError, match="cannot be decoded"):
        read_pixels(Image.open(BytesIO(stream.getvalue()[:-60])), Preprocessing(1, 1, 3))


def gif(box: tuple[int, int, int, int], canvas: tuple[int, int], **options: object) -> bytes:
    """A GIF with a green frame at (left, top, right, bottom) of its canvas; colour 0 is red."""
    frame = Image.new("P", (box[2] - box[0], box[3] - box[1]), 1)
    frame.putpalette([255, 0, 0, 0, 255, 0])
    stream = BytesIO()
    frame.save(stream, "GIF", optimize=False, **options)
    content = bytearray(stream.getvalue())
    place = b"," + struct.pack("<4H", 0, 0, *frame.size)
    at = content.index(place)
    content[at : at + len(place)] = b"," + struct.pack("<4H", *box[:2], *frame.size)
    content[6:10] = struct.pack("<2H", *canvas)
    return bytes(content)


@pytest.mark.parametrize("options", [{}, {"transparency": 0}, {"transparency": 7}])
@pytest.mark.parametrize("box", [(0, 0, 2, 2), (1, 1, 3, 2), (3, 2, 4, 3), (0, 0, 4, 2)])
@pytest.mark.parametrize("channels", [1, 3])
def test_what_the_first_frame_of_a_gif_does_not_cover_is_background(box, options, channels):
    content = gif(box, (4, 3), **options)
    wanted = Preprocessing(3, 4, channels, background="#0000ff")
    left, top, right, bottom = box
    expected = np.full((3, 4, 3), [0, 0, 255])
    expected[top:bottom, left:right] = [0, 255, 0]
    if channels == 1:
        expected = np.round(expected @ [[0.299], [0.587], [0.114]]).astype(int)
    for source in (BytesIO(content), Image.open(BytesIO(content))):
        np.testing.assert_array_equal(read_pixels(source, wanted), expected.reshape(-1))
    assert read_details(BytesIO(content)).has_transparency


def test_a_gif_whose_frame_covers_its_canvas_is_opaque():
    content = gif((0, 0, 4, 3), (4, 3))
    assert not read_details(BytesIO(content)).has_transparency
    assert (
        read_pixels(BytesIO(content), Preprocessing(3, 4, 3)).reshape(-1, 3) == [0, 255, 0]
    ).all()


def test_a_transparent_colour_of_16_bits_is_refused_and_of_8_bits_exact():
    colours = np.array([[[0x1234, 0x5678, 0x9ABC], [0x1299, 0x5678, 0x9ABC]]])
    transparent = chunk(b"tRNS", struct.pack(">3H", *colours[0, 0]))
    with pytest.raises(ImageError, match="16-bit colours is transparent; save it with an alpha"):
        read_details(BytesIO(png(colours, 2, 16, before=transparent)))
    transparent = chunk(b"tRNS", struct.pack(">3H", 0x34, 0x78, 0xBC))
    content = png(colours % 256, 2, 8, before=transparent)
    row = read_pixels(BytesIO(content), Preprocessing(1, 2, 3, background="#0000ff"))
    assert row.tolist() == [0, 0, 255, 0x99, 0x78, 0xBC]
