"""TIFF files of every layout: their true pixels, or refused with the reason, never wrong pixels."""

from __future__ import annotations

from io import BytesIO
from itertools import product

import numpy as np
import pytest
from picture_files import tiff

from softmaxce.errors import ImageError
from softmaxce.images.reading import read_details, read_info, read_pixels
from softmaxce.preprocessing import Preprocessing

INVERTED, GREY, RGB, PALETTE, CMYK, YCBCR, LAB = 0, 1, 2, 3, 5, 6, 8
OTHER, PREMULTIPLIED, ALPHA = 0, 1, 2  # kinds of extra samples
HEIGHT, WIDTH = 5, 19
N_COLOURS = {INVERTED: 1, GREY: 1, RGB: 3, PALETTE: 1, CMYK: 4}
SIXTEEN = np.array([[[0], [17 * 257], [34 * 257], [51 * 257]]])


def read(content: bytes, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    row = read_pixels(BytesIO(content), Preprocessing(height, width, 3))
    return row.reshape(height, width, 3).astype(float)


def expected(samples: np.ndarray, photometric: int, depth: int, extra: tuple, palette: np.ndarray):
    """The picture on white, computed from the samples."""
    unit, n_colours = samples / (2**depth - 1), N_COLOURS[photometric]
    colour, alpha = unit[..., :n_colours], unit[..., n_colours : n_colours + 1]
    match photometric:
        case 0:
            colour = 1 - colour
        case 3:
            colour = palette[samples[..., 0]] / 255
        case 5:
            colour = (1 - colour[..., :3]) * (1 - colour[..., 3:])
    if extra == (ALPHA,):
        colour = colour * alpha + 1 - alpha
    elif extra == (PREMULTIPLIED,):
        colour = colour + 1 - alpha
    return 255 * np.broadcast_to(colour, (*samples.shape[:2], 3))


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 12, 16])
@pytest.mark.parametrize("photometric", N_COLOURS)
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_layout_has_its_true_pixels_or_is_refused(photometric, depth, order):
    random = np.random.default_rng(depth + 32 * photometric)
    palette = random.integers(0, 256, (2 ** min(depth, 8), 3))
    tags = {320: (palette.T.reshape(-1) * 257).tolist()} if photometric == PALETTE else {}
    n_read = 0
    for planar, is_packed, tile, extra in product(
        (1, 2), (False, True), (None, 16), ((), (OTHER,), (PREMULTIPLIED,), (ALPHA,))
    ):
        n_samples = N_COLOURS[photometric] + len(extra)
        samples = random.integers(0, 2 ** min(depth, 8 if tags else 16), (HEIGHT, WIDTH, n_samples))
        if extra == (PREMULTIPLIED,):
            samples[..., :-1] = np.minimum(samples[..., :-1], samples[..., -1:])
        how = {"order": order, "planar": planar, "is_packed": is_packed, "tile": tile}
        content = tiff(samples, photometric, depth, extra=extra, more=tags, **how)
        try:
            shown = read(content)
        except ImageError:
            continue
        n_read += 1
        error = np.abs(shown - expected(samples, photometric, depth, extra, palette)).max()
        assert error <= (3 if depth > 8 and n_samples > 1 else 1.01), (how, extra)
    usual = {INVERTED: (1, 2, 4, 8), GREY: (1, 2, 4, 8, 16), PALETTE: (1, 2, 4, 8), CMYK: (8,)}
    assert n_read >= 4 * (depth in usual.get(photometric, (8, 16)))


def test_16_bit_grey_of_which_0_is_white():
    assert read(tiff(SIXTEEN, INVERTED, 16), 1, 4)[0, :, 0].tolist() == [255, 238, 221, 204]
    for is_packed, tile in product((False, True), (None, 16)):
        content = tiff(SIXTEEN, INVERTED, 16, is_packed=is_packed, tile=tile)
        assert read(content, 1, 4)[0, :, 0].tolist() == [255, 238, 221, 204]
    with pytest.raises(ImageError, match=r"not supported \(grey, 0 is white, 1 × 16 bits\)"):
        read(tiff(SIXTEEN, INVERTED, 16, order=">"), 1, 4)


@pytest.mark.parametrize("is_packed", [False, True])
def test_12_bit_grey_is_scaled_by_its_own_white(is_packed):
    samples = np.array([[[0], [1000], [2048], [4095]]])
    shown = read(tiff(samples, GREY, 12, is_packed=is_packed), 1, 4)
    assert shown[0, :, 0].tolist() == [0, 62, 128, 255]


REFUSED = {
    "signed 8 bits": (tiff(-SIXTEEN // 999, GREY, 8, sample_format=2), "signed numbers"),
    "signed 16 bits": (tiff(-SIXTEEN, GREY, 16, sample_format=2), "signed numbers"),
    "signed, big-endian": (tiff(SIXTEEN, GREY, 16, sample_format=2, order=">"), "signed numbers"),
    "signed colours": (tiff(np.ones((1, 4, 3)), RGB, 16, sample_format=2), "signed numbers"),
    "half floats": (tiff(SIXTEEN / 2**16, GREY, 16, sample_format=3), "floating-point numbers"),
    "floats": (tiff(SIXTEEN / 2**16, GREY, 32, sample_format=3), "floating-point numbers"),
    "double colours": (tiff(np.ones((1, 4, 3)), RGB, 64, sample_format=3), "floating-point"),
    "32 bits": (tiff(SIXTEEN, GREY, 32), "32-bit numbers of unknown range"),
    "32-bit colours": (tiff(np.ones((1, 4, 3)), RGB, 32), "32-bit numbers of unknown range"),
    "planes of 16 bits": (tiff(np.ones((1, 4, 3)), RGB, 16, planar=2), "interleaved channels"),
    "planes with alpha": (
        tiff(np.ones((1, 4, 2)), GREY, 8, planar=2, extra=(ALPHA,), is_packed=True),
        "interleaved channels",
    ),
    "16-bit grey and alpha": (tiff(np.ones((1, 4, 2)), GREY, 16, extra=(ALPHA,)), "2 × 16 bits"),
    "YCbCr": (tiff(np.ones((2, 4, 3)), YCBCR, 8, more={530: [1, 1]}), "uncompressed YCbCr"),
    "subsampled YCbCr": (tiff(np.ones((2, 4, 3)), YCBCR, 8), "uncompressed YCbCr"),
    "palette of 8 bits": (tiff(np.ones((1, 4, 1)), PALETTE, 8, more={320: [255] * 768}), "palette"),
    "complex": (tiff(SIXTEEN, GREY, 16, more={339: [5]}), "complex numbers"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_decoded_is_refused_for_the_right_reason(name):
    content, reason = REFUSED[name]
    for look in (read_info, read_details, lambda stream: read(stream.getvalue(), 1, 4)):
        with pytest.raises(ImageError, match=reason):
            look(BytesIO(content))


def test_lab():
    """The sRGB primary red in CIELAB; 8 bits are coarse."""
    red = read(tiff(np.array([[[136, 80, 67]]]), LAB, 8), 1, 1)
    assert np.abs(red - [255, 0, 0]).max() <= 12


def test_a_damaged_entry_does_not_hide_the_others():
    content = tiff(SIXTEEN, GREY, 16, sample_format=2, more={257: [1], 280: [1, 2, 3]})
    at = content.index(b"\x18\x01\x04\0")  # tag 280: its values are far behind the file
    content = content[: at + 8] + b"\xff\xff\xff\x7f" + content[at + 12 :]
    with pytest.raises(ImageError, match="signed"):
        read(content, 1, 4)
