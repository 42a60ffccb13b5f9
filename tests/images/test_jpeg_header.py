"""JPEG encodings that are decoded only for some models are refused for all of them."""

from __future__ import annotations

import base64
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from softmaxce.errors import ImageError
from softmaxce.images.reading import read_details, read_info, read_pixels
from softmaxce.preprocessing import Preprocessing

# Written by libjpeg-turbo 3: 16 × 16 pixels, all (200, 30, 40) and all 200.
LOSSLESS_RGB = base64.b64decode(
    "/9j/7gAOQWRvYmUAZAAAAAAA/8MAEQgAEAAQA1IRAEcRAEIRAP/EABUAAQEAAAAAAAAAAAAAAAAAAAAH/9oADANS"
    "AEcAQgABAACkR2Tg" + "A" * 116 + "D/2Q=="
)
LOSSLESS_GREY = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/wwALCAAQABABAREA/8QAFQABAQAAAAAAAAAAAAAAAAAAAAf/2gAIAQEAAQAApAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/9k="
)


def jpeg(mode: str = "RGB", **options: object) -> bytes:
    y, x = np.mgrid[:48, :48]
    picture = Image.fromarray(np.stack([5 * x, 5 * y, x + y], axis=2).astype(np.uint8))
    stream = BytesIO()
    picture.convert(mode).save(stream, "JPEG", quality=95, **options)
    return stream.getvalue()


def with_frame(marker: int, n_bits: int = 8, before: bytes = b"") -> bytes:
    """A JPEG whose frame header says that it has another encoding."""
    head, tail = jpeg().split(b"\xff\xc0", 1)
    return head + before + bytes([0xFF, marker]) + tail[:2] + bytes([n_bits]) + tail[3:]


def outcomes(content: bytes) -> set[str]:
    """Why each model and each command cannot read it; "" for those that can."""
    models = [Preprocessing(side, side, n) for side in (2, 8, 16, 48) for n in (1, 3)]
    looks = [lambda m=m: read_pixels(BytesIO(content), m) for m in models]
    looks += [lambda: read_details(BytesIO(content)), lambda: read_info(BytesIO(content))]
    found = set()
    for look in looks:
        try:
            look()
            found.add("")
        except ImageError as error:
            found.add(error.reason)
    return found


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (LOSSLESS_RGB, "lossless JPEG"),
        (LOSSLESS_GREY, "lossless JPEG"),
        (with_frame(0xC3, before=b"\xff" * 9), "lossless JPEG"),
        (with_frame(0xC3, before=b"junk\xff\0"), "lossless JPEG"),
        (with_frame(0xCB), "lossless JPEG"),
        (with_frame(0xC5), "hierarchical JPEG"),
        (with_frame(0xF7), "JPEG-LS"),
        (with_frame(0xC1, 12), "JPEG with 12 bits per channel"),
        (with_frame(0xC2, 12), "JPEG with 12 bits per channel"),
    ],
)
def test_every_model_and_command_refuses_it(content, kind):
    assert outcomes(content) == {f"{kind} is not supported; save it as PNG"}


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 1}])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_every_model_and_command_reads_it(mode, options):
    assert outcomes(jpeg(mode, **options)) == {""}


def test_the_pixels_of_cmyk_and_inverted_cmyk_are_those_of_rgb():
    y, x = np.mgrid[:48, :48]
    expected = np.stack([5 * x, 5 * y, x + y], axis=2)
    shown = read_pixels(BytesIO(jpeg("CMYK")), Preprocessing(48, 48, 3)).reshape(48, 48, 3)
    assert np.abs(shown - expected).max() <= 16


def test_a_photo_with_further_pictures_is_a_jpeg():
    """As phones store a depth map or a second exposure; Pillow names the format MPO."""
    picture = Image.open(BytesIO(jpeg()))
    stream = BytesIO()
    picture.save(stream, "MPO", save_all=True, append_images=[picture])
    assert read_details(BytesIO(stream.getvalue())).format == "JPEG"
    assert outcomes(stream.getvalue()) == {""}
