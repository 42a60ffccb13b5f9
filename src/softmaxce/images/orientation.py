"""EXIF orientation, and applying it."""

from __future__ import annotations

from PIL import Image

ORIENTATION_TAG = 0x0112
SIDEWAYS = (5, 6, 7, 8)  # the orientations that swap width and height
_EXIF_KEYS = ("exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp")


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation (1 to 8) still to be applied; 1 if there is none or it is unreadable."""
    if image.format == "TIFF" or (image.format == "PNG" and _may_name_it_later(image)):
        image.load()  # Pillow rotates a TIFF itself
    if image.format == "TIFF" or not any(key in image.info for key in _EXIF_KEYS):
        return 1
    try:
        orientation = image.getexif().get(ORIENTATION_TAG, 1)
    except Exception:  # a broken EXIF block must not make the picture unreadable
        return 1
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def _may_name_it_later(image: Image.Image) -> bool:
    """Whether a PNG file may have EXIF after its pixels, which takes long to find by decoding."""
    stream = getattr(image, "fp", None)
    if stream is None:
        return True
    here = stream.tell()
    rest = stream.read()
    stream.seek(here)
    return any(chunk in rest for chunk in (b"eXIf", b"tEXt", b"zTXt", b"iTXt"))


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
