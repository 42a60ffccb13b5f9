"""EXIF orientation, and applying it."""

from __future__ import annotations

import os

from PIL import Image

ORIENTATION_TAG = 0x0112
SIDEWAYS = (5, 6, 7, 8)  # the orientations that swap width and height
_PNG_SIGNATURE_BYTES = 8
_EXIF_CHUNKS = (b"eXIf", b"tEXt", b"zTXt", b"iTXt")
_EXIF_KEYS = ("exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp")


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation (1 to 8) still to be applied; 1 if there is none or it is unreadable."""
    if image.format == "TIFF" or (image.format == "PNG" and _may_have_exif_after_pixels(image)):
        image.load()  # Pillow rotates a TIFF itself
    if image.format == "TIFF" or not any(key in image.info for key in _EXIF_KEYS):
        return 1
    try:
        orientation = image.getexif().get(ORIENTATION_TAG, 1)
    except Exception:  # a broken EXIF block must not make the picture unreadable
        return 1
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def _may_have_exif_after_pixels(image: Image.Image) -> bool:
    """Whether a PNG file has a chunk that can hold EXIF, found without decoding the pixels."""
    stream = getattr(image, "fp", None)
    if stream is None:
        return True
    here = stream.tell()
    stream.seek(_PNG_SIGNATURE_BYTES)
    try:
        while len(head := stream.read(8)) == 8 and head[4:] != b"IEND":
            if head[4:] in _EXIF_CHUNKS:
                return True
            stream.seek(int.from_bytes(head[:4], "big") + 4, os.SEEK_CUR)  # data and checksum
        return len(head) < 8
    finally:
        stream.seek(here)


def upright(picture: Image.Image, orientation: int) -> Image.Image:
    """The picture rotated or mirrored from `orientation` (2 to 8) to 1."""
    method = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }[orientation]
    return picture.transpose(method)
