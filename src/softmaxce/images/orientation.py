"""The way up that EXIF says, and turning a picture so."""

from __future__ import annotations

from PIL import Image

ORIENTATION_TAG = 0x0112
SIDEWAYS = (5, 6, 7, 8)  # orientations that swap width and height
_EXIF_KEYS = ("exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp")


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8, to be undone; 1 where there is none or it cannot be read."""
    if image.format in ("PNG", "TIFF"):
        image.load()  # a PNG may bring its EXIF behind the pixels; Pillow turns a TIFF itself
    if image.format == "TIFF" or not any(key in image.info for key in _EXIF_KEYS):
        return 1
    try:
        orientation = image.getexif().get(ORIENTATION_TAG, 1)
    except Exception:  # a broken EXIF block must never cost the picture
        return 1
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def upright(picture: Image.Image, orientation: int) -> Image.Image:
    """The picture turned or mirrored from `orientation` (2 to 8) to 1."""
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
