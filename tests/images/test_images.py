"""One image file → one pixel vector: every kind of file, against pixels known without a decoder."""

from __future__ import annotations

import io
import os
import struct
import zlib

import numpy as np
import pytest
from picture_files import chunk, png
from PIL import Image

from softmaxce.errors import ImageError
from softmaxce.images.reading import array_pixels, read_details, read_image, read_info, read_pixels
from softmaxce.preprocessing import Preprocessing

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
DEPTHS = {
    GREY: (1, 2, 4, 8, 16),
    RGB: (8, 16),
    PALETTE: (1, 2, 4, 8),
    GREY_ALPHA: (8, 16),
    RGBA: (8, 16),
}
N_SAMPLES = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
HEIGHT, WIDTH = 11, 13


def form(height: int = HEIGHT, width: int = WIDTH, channels: int = 3, **more: str) -> Preprocessing:
    return Preprocessing(height, width, channels, **more)


def pixels_of(content: bytes, wanted: Preprocessing) -> np.ndarray:
    row = read_pixels(io.BytesIO(content), wanted)
    assert row.dtype == np.uint8
    assert row.shape == (wanted.n_pixels,)
    return row.reshape(wanted.height, wanted.width, wanted.channels).astype(int)


def saved(image: Image.Image, file_format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def composited(colour: np.ndarray, alpha: np.ndarray, background: int = 255) -> np.ndarray:
    return colour * alpha + background * (1 - alpha)


def luma(rgb: np.ndarray) -> np.ndarray:
    """ITU-R BT.601."""
    return rgb @ np.array([0.299, 0.587, 0.114])


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("colour_type", "depth"), [(c, d) for c in DEPTHS for d in DEPTHS[c]])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_png(colour_type, depth, interlaced, channels):
    random = np.random.default_rng(depth + 16 * colour_type)
    samples = random.integers(0, 2**depth, (HEIGHT, WIDTH, N_SAMPLES[colour_type]))
    palette = random.integers(0, 256, (2 ** min(depth, 8), 3))
    before = chunk(b"PLTE", bytes(palette.reshape(-1).tolist())) if colour_type == PALETTE else b""
    content = png(
        samples, colour_type, depth, interlaced=interlaced, filters=(0, 1, 2, 3, 4), before=before
    )
    unit = samples / (2**depth - 1)
    if colour_type == PALETTE:
        expected = palette[samples[..., 0]].astype(float)
    elif colour_type in (GREY, RGB):
        expected = np.broadcast_to(255 * unit, (HEIGHT, WIDTH, 3))
    else:
        expected = composited(
            np.broadcast_to(255 * unit[..., :-1], (HEIGHT, WIDTH, 3)), unit[..., -1:]
        )
    if channels == 1:
        expected = luma(expected)[..., np.newaxis]
    # 8 bits are exact but for rounding; colour of 16 bits loses its low bytes before anything else
    tolerance = (
        2
        if depth == 16 and colour_type != GREY
        else 1
        if channels == 1 or N_SAMPLES[colour_type] in (2, 4)
        else 0.5
    )
    assert np.abs(pixels_of(content, form(channels=channels)) - expected).max() <= tolerance


def test_16_bit_grey_is_scaled_and_not_clipped():
    samples = np.array([[[0], [128], [129], [32768], [65406], [65407], [65535]]])
    expected = [0, 0, 1, 128, 254, 255, 255]  # half of 257 is between 128 and 129
    assert pixels_of(png(samples, GREY, 16), form(1, 7, 1)).reshape(-1).tolist() == expected
    tiff = saved(Image.fromarray(samples[..., 0].astype(np.uint16)), "TIFF")
    assert pixels_of(tiff, form(1, 7, 1)).reshape(-1).tolist() == expected
    pgm = b"P5 7 1 65535\n" + samples.astype(">u2").tobytes()
    assert pixels_of(pgm, form(1, 7, 1)).reshape(-1).tolist() == expected


@pytest.mark.parametrize("kind", ["F", "I"])
def test_grey_of_unknown_range_is_refused(kind):
    content = saved(Image.new(kind, (4, 4), 3), "TIFF")
    with pytest.raises(ImageError, match="unknown range; save it with 8 or 16 bits"):
        read_pixels(io.BytesIO(content), form())


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_one_grey_may_be_transparent(depth):
    samples = np.array([[[0], [1], [0]]]) * (2**depth - 1)
    transparent = chunk(b"tRNS", struct.pack(">H", 2**depth - 1))
    content = png(samples, GREY, depth, before=transparent)
    assert pixels_of(content, form(1, 3, 1, background="#404040")).reshape(-1).tolist() == [
        0,
        64,
        0,
    ]


@pytest.mark.parametrize("depth", [2, 4])
def test_a_grey_between_may_be_transparent(depth):
    samples = np.array([[[0], [1], [2]]])
    content = png(samples, GREY, depth, before=chunk(b"tRNS", struct.pack(">H", 1)))
    unit = 255 / (2**depth - 1)
    expected = [0, 7, round(2 * unit)]
    assert pixels_of(content, form(1, 3, 1, background="#070707")).reshape(-1).tolist() == expected


def test_one_colour_may_be_transparent():
    samples = np.array([[[1, 2, 3], [9, 9, 9]]])
    content = png(samples, RGB, 8, before=chunk(b"tRNS", struct.pack(">3H", 1, 2, 3)))
    shown = pixels_of(content, form(1, 2, 3, background="#ff8000"))
    assert shown.tolist() == [[[255, 128, 0], [9, 9, 9]]]


def test_a_palette_may_be_transparent():
    palette = chunk(b"PLTE", bytes([10, 20, 30, 200, 100, 0])) + chunk(b"tRNS", bytes([0, 255]))
    content = png(np.array([[[0], [1]]]), PALETTE, 1, before=palette)
    shown = pixels_of(content, form(1, 2, 3, background="#0000ff"))
    assert shown.tolist() == [[[0, 0, 255], [200, 100, 0]]]


def oriented(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


# What was shown upright, as it is stored for each orientation (EXIF 2.3, section 4.6.4): the
# 0th stored row is the picture's top, top, bottom, bottom, left, right, right, left.
STORED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: a.transpose(1, 0, 2)[::-1],
    7: lambda a: a.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda a: a.transpose(1, 0, 2)[:, ::-1],
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "WEBP"])
def test_orientation_of_lossless_files(orientation, file_format):
    upright = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    image = Image.fromarray(np.ascontiguousarray(STORED[orientation](upright)))
    more = {"lossless": True, "exact": True} if file_format == "WEBP" else {}
    content = saved(image, file_format, exif=oriented(orientation), **more)
    np.testing.assert_array_equal(pixels_of(content, form()), upright)
    assert read_info(io.BytesIO(content)).width == WIDTH
    assert read_details(io.BytesIO(content)).orientation == orientation


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
def test_orientation_of_jpeg_in_every_fit(orientation, fit):
    wanted = form(16, 20, 3, fit=fit)
    y, x = np.mgrid[:240, :160]
    upright = np.stack([y, x, (x + y) / 2], axis=2).astype(np.uint8)
    plain = saved(Image.fromarray(upright), "JPEG", quality=95, subsampling=0)
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](upright)))
    turned = saved(stored, "JPEG", quality=95, subsampling=0, exif=oriented(orientation))
    assert np.abs(pixels_of(turned, wanted) - pixels_of(plain, wanted)).max() <= 3


def test_exif_behind_the_pixels_of_a_png_counts():
    tiff = b"II*\0\x08\0\0\0" + struct.pack("<HHHIHHI", 1, 0x0112, 3, 1, 3, 0, 0)
    samples = np.arange(2 * 3 * 3).reshape(2, 3, 3)
    content = png(samples, RGB, 8, after=chunk(b"eXIf", tiff))
    np.testing.assert_array_equal(pixels_of(content, form(2, 3)), samples[::-1, ::-1])


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0" + b"\xff" * 40,
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff",
    ],
)
def test_broken_exif_never_costs_the_picture(exif):
    samples = np.full((8, 8, 3), 77, np.uint8)
    content = saved(Image.fromarray(samples), "JPEG", exif=exif, quality=100)
    assert np.abs(pixels_of(content, form(8, 8)) - 77).max() <= 1


@pytest.mark.parametrize("value", [0, 9, 1000])
def test_an_orientation_that_means_nothing_is_none(value):
    content = saved(Image.new("RGB", (5, 3), "red"), "PNG", exif=oriented(value))
    assert read_info(io.BytesIO(content)).width == 5


def test_progressive_jpeg_is_the_same_picture():
    y, x = np.mgrid[:64, :64]
    image = Image.fromarray(np.stack([4 * x, 4 * y, 2 * (x + y)], axis=2).astype(np.uint8))
    wanted = form(64, 64)
    baseline = pixels_of(saved(image, "JPEG", quality=98, subsampling=0), wanted)
    progressive = pixels_of(
        saved(image, "JPEG", quality=98, subsampling=0, progressive=True), wanted
    )
    np.testing.assert_array_equal(progressive, baseline)
    assert np.abs(baseline - np.asarray(image)).max() <= 4


def test_cmyk_jpeg():
    content = saved(Image.new("CMYK", (16, 16), (255, 0, 0, 51)), "JPEG", quality=100)
    shown = pixels_of(content, form(16, 16))
    assert np.abs(shown - [0, 204, 204]).max() <= 2  # (1 − ink)(1 − black), each of 255


def test_lab_tiff():
    """L* = 53.24, a* = 80.09, b* = 67.20 is sRGB's red (Lindbloom's calculator, D65)."""
    grey = pixels_of(saved(Image.new("LAB", (4, 4), (255, 128, 128)), "TIFF"), form(4, 4))
    assert grey.min() >= 253
    red = pixels_of(saved(Image.new("LAB", (4, 4), (136, 208, 195)), "TIFF"), form(4, 4))
    assert red[0, 0, 0] >= 240
    assert red[0, 0, 1:].max() <= 60


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "TIFF", "PNG"])
def test_only_the_first_frame_is_read(file_format):
    frames = [Image.new("RGB", (6, 4), colour) for colour in ("red", "lime", "blue")]
    more = {"lossless": True} if file_format == "WEBP" else {}
    content = saved(frames[0], file_format, save_all=True, append_images=frames[1:], **more)
    assert (pixels_of(content, form(4, 6)) == [255, 0, 0]).all()
    assert read_details(io.BytesIO(content)).is_animated


def test_grey_among_colour_and_colour_among_grey():
    grey = png(np.full((2, 2, 1), 90), GREY, 8)
    assert (pixels_of(grey, form(2, 2, 3)) == 90).all()
    green = png(np.tile([0, 255, 0], (2, 2, 1)), RGB, 8)
    assert (pixels_of(green, form(2, 2, 1)) == 150).all()  # 0.587 · 255
    assert read_info(io.BytesIO(grey)).is_grey
    assert not read_info(io.BytesIO(green)).is_grey


def test_a_palette_of_greys_is_grey():
    colours = np.repeat(np.arange(256), 3)
    content = png(np.array([[[3]]]), PALETTE, 8, before=chunk(b"PLTE", bytes(colours.tolist())))
    assert read_info(io.BytesIO(content)).is_grey


@pytest.mark.parametrize(
    ("height", "width", "is_exact"),
    [(4, 4, True), (3, 5, True), (1, 1, True), (12, 10, True), (5, 7, False), (12, 7, False)],
)
def test_shrinking_averages_areas(height, width, is_exact):
    y, x = np.mgrid[:12, :20]
    samples = np.stack([12 * x + y, 20 * y, 100 + 30 * np.sin(x / 3) + 3 * y], axis=2).astype(int)
    if is_exact:
        samples = np.random.default_rng(1).integers(0, 256, (12, 20, 3))
    # The exact average by way of an integer multiple of both sizes.
    fine = np.repeat(np.repeat(samples, height, axis=0), width, axis=1).astype(float)
    expected = fine.reshape(height, 12, width, 20, 3).mean(axis=(1, 3))
    shown = pixels_of(png(samples, RGB, 8), form(height, width))
    assert np.abs(shown - expected).max() <= (1 if is_exact else 6)


def test_crop_keeps_the_middle_and_pad_keeps_all():
    samples = np.zeros((4, 12, 1), int)
    samples[:, 4:8] = 200
    wide = png(samples, GREY, 8)
    assert (pixels_of(wide, form(4, 4, 1, fit="crop")) == 200).all()
    padded = pixels_of(wide, form(6, 6, 1, fit="pad", background="#646464"))[..., 0]
    assert (padded[[0, 1, 4, 5]] == 100).all()
    assert padded[2:4].tolist() == [[0, 0, 200, 200, 0, 0]] * 2
    stretched = pixels_of(wide, form(2, 3, 1))[..., 0]
    assert stretched.tolist() == [[0, 200, 0]] * 2


def test_a_jpeg_shrunk_while_decoding_is_close_to_the_average_of_areas():
    random = np.random.default_rng(2)
    y, x = np.mgrid[:533, :400] / 400
    waves = [
        np.sin(2 * np.pi * (fx * x + fy * y + p)) for fx, fy, p in random.uniform(0, 5, (12, 3))
    ]
    picture = np.stack([sum(waves[k::3]) for k in range(3)], axis=2)
    picture = np.clip(128 + 40 * picture + random.normal(0, 3, picture.shape), 0, 255)
    content = saved(Image.fromarray(picture.astype(np.uint8)), "JPEG", quality=90)
    full = np.asarray(Image.open(io.BytesIO(content)).resize((64, 64), Image.Resampling.BOX))
    error = np.abs(pixels_of(content, form(64, 64)) - full.astype(int))
    assert error.mean() <= 3.5
    assert np.quantile(error, 0.99) <= 20


def test_arrays_are_preprocessed_like_files():
    images = np.random.default_rng(3).integers(0, 256, (4, HEIGHT, WIDTH, 3), np.uint8)
    for wanted in (form(), form(5, 4), form(7, 7, 1, fit="pad"), form(5, 5, 3, fit="crop")):
        rows = array_pixels(images, wanted)
        for image, row in zip(images, rows, strict=True):
            np.testing.assert_array_equal(row, pixels_of(png(image, RGB, 8), wanted).reshape(-1))


def test_a_bomb_is_refused_from_its_header():
    header = struct.pack(">2I5B", 30_000, 30_000, 8, RGB, 0, 0, 0)
    content = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )
    for read in (read_info, lambda source: read_pixels(source, form())):
        with pytest.raises(ImageError, match="MB of memory; make it smaller"):
            read(io.BytesIO(content))


def test_files_that_are_not_images_are_named(tmp_path):
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("I am no picture")
    (tmp_path / "folder.png").mkdir()
    whole = png(np.random.default_rng(5).integers(0, 256, (30, 30, 3)), RGB, 8)
    (tmp_path / "short.png").write_bytes(whole[:-300])
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "null.png").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "fifo.png")
    reasons = {
        "empty.png": "the file is empty",
        "text.png": "not a supported image format",
        "folder.png": "it is a folder",
        "short.png": "it cannot be decoded",
        "loop.png": "it cannot be read",
        "null.png": "not a regular file",
        "fifo.png": "not a regular file",
        "nothing.png": "no such file",
        "nul\0.png": "NUL",
    }
    for name, reason in reasons.items():
        with pytest.raises(ImageError, match=reason) as caught:
            read_image(str(tmp_path / name), form())
        assert caught.value.path == str(tmp_path / name)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM"])
def test_only_image_errors_are_raised(file_format, capfd):
    random = np.random.default_rng(4)
    whole = saved(Image.fromarray(random.integers(0, 256, (20, 24, 3), np.uint8)), file_format)
    names = set()
    for _ in range(200):
        content = bytearray(whole)
        for position in random.integers(0, len(content), random.integers(1, 6)):
            content[position] = random.integers(0, 256)
        if random.random() < 0.3:
            del content[random.integers(0, len(content)) :]
        try:
            read_pixels(io.BytesIO(bytes(content)), form())
        except ImageError as error:
            names.add(error.path)
    assert names <= {"standard input"}
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"height": 0}, "a side"),
        ({"channels": 2}, "channels"),
        ({"fit": "squeeze"}, "fit must be one of"),
        ({"background": "#fff"}, "background"),
        ({"background": ["#ffffff"]}, "background"),
        ({"fit": ["stretch"]}, "fit must be"),
    ],
)
def test_faults_of_a_preprocessing_are_named(wrong, fault):
    values = {"height": 3, "width": 3, "channels": 3, **wrong}
    assert fault in (Preprocessing(**values).fault() or "")
    assert form().fault() is None
