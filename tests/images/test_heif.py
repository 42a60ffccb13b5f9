"""HEIF and AVIF: read as other photographs where a plug-in is installed, otherwise named."""

from __future__ import annotations

import sys
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, features

from softmaxce.data.decoding import decode_files
from softmaxce.errors import ImageError
from softmaxce.images.heif import heif_formats
from softmaxce.images.reading import read_details, read_info, read_pixels
from softmaxce.preprocessing import Preprocessing

QUARTERS = np.array([[[200, 20, 20], [20, 200, 20]], [[20, 20, 200], [200, 200, 200]]])
WANTED = Preprocessing(2, 2, 3)
STORED = {1: lambda a: a, 3: lambda a: a[::-1, ::-1], 6: lambda a: a.transpose(1, 0, 2)[::-1]}


@pytest.fixture(params=["AVIF", "HEIF"])
def photo_format(request):
    """A format that can be written here."""
    if request.param not in heif_formats():
        pytest.skip("there is no plug-in for it")
    return request.param


def photo(photo_format: str, picture: np.ndarray, **options: object) -> bytes:
    stream = BytesIO()
    picture = np.ascontiguousarray(picture, np.uint8)
    Image.fromarray(picture).save(stream, photo_format, quality=95, **options)
    return stream.getvalue()


@pytest.mark.parametrize("orientation", STORED)
def test_a_photo_is_upright_whatever_its_orientation(photo_format, orientation):
    upright = QUARTERS.repeat(48, axis=0).repeat(32, axis=1)
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = photo(photo_format, STORED[orientation](upright), exif=exif.tobytes())
    assert (b"irot" in content) == (orientation != 1)  # said twice: by the container and by EXIF
    shown = read_pixels(content, WANTED).reshape(2, 2, 3).astype(int)
    assert np.abs(shown - QUARTERS).max() <= 12
    info = read_info(BytesIO(content))
    assert (info.width, info.height) == (64, 96)
    assert read_details(BytesIO(content)).format == photo_format


def test_transparency_is_composited(photo_format):
    picture = np.zeros((32, 32, 4), np.uint8)
    shown = read_pixels(photo(photo_format, picture), WANTED)
    assert shown.min() >= 253


def test_worker_processes_read_them_too(photo_format, tmp_path):
    content = photo(photo_format, np.full((900, 900, 3), 90))
    paths = []
    for number in range(12):
        (tmp_path / f"{number}.HEIC").write_bytes(content)
        paths.append(str(tmp_path / f"{number}.HEIC"))
    decoded = decode_files(paths, WANTED, jobs=2)
    assert not decoded.failures
    assert np.abs(decoded.pixels.astype(int) - 90).max() <= 2


def test_a_damaged_photo_is_an_image_error(photo_format):
    content = photo(photo_format, QUARTERS.repeat(32, axis=0).repeat(32, axis=1))
    for length in range(12, len(content) - 8, 40):
        with pytest.raises(ImageError, match="cannot be decoded"):
            read_pixels(content[:length], WANTED)


def test_what_to_install_is_said_without_the_plug_in(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    heif_formats.cache_clear()
    try:
        with pytest.raises(ImageError, match=r"pip install 'softmaxce\[heif\]', or convert it"):
            read_pixels(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", WANTED)
        monkeypatch.setattr(features, "check_module", lambda name: False)
        heif_formats.cache_clear()
        with pytest.raises(ImageError, match="AVIF; upgrade Pillow, or convert it to JPEG"):
            read_pixels(b"\0\0\0\x18ftypavif\0\0\0\0avif", WANTED)
    finally:
        heif_formats.cache_clear()
