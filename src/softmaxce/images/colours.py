"""A decoded picture in any of Pillow's modes → mode L (grey) or RGB."""

from __future__ import annotations

import numpy as np
from PIL import Image

from softmaxce.errors import ImageError
from softmaxce.images.tiff_header import BITS, MIN_IS_WHITE, PHOTOMETRIC
from softmaxce.images.transparency import has_transparency

_GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L"})
_BAND_ROWS = 256


def is_grey(image: Image.Image) -> bool:
    """Whether the file can contain only greys, by its mode and palette, not its pixels."""
    if image.mode in ("P", "PA") and image.palette is not None:
        red, green, blue = (image.getpalette("RGB")[k::3] for k in range(3))  # type: ignore[index]
        return red == green == blue
    return image.mode in _GREY_MODES


def in_mode(name: str, image: Image.Image, mode: str, background: str) -> Image.Image:
    """The picture in mode L or RGB, composited on the background colour if it is transparent.

    A grey picture stays in mode L even if RGB is asked for: copying the grey to three channels is
    cheaper after resizing.
    """
    if image.mode.startswith("I"):
        image = _eight_bits(name, image)
    elif image.mode == "La":
        image = image.convert("LA")  # Pillow converts the premultiplied mode to no other
    elif image.mode == "F":
        raise ImageError(
            name,
            "its pixels are floating-point numbers of unknown range; save it with 8 or 16 bits",
        )
    elif image.mode == "LAB":
        image = _lab_to_rgb(image)
    if has_transparency(image):
        picture = image.convert("RGBA")
        canvas = Image.new("RGBA", image.size, background)
        image = Image.alpha_composite(canvas, picture)
    if image.mode in ("L", mode):
        return image
    return image.convert("L" if image.mode == "1" else mode)


def _eight_bits(name: str, image: Image.Image) -> Image.Image:
    """Grey of 12 or 16 bits rounded to 8 bits, with alpha if one value means transparent."""
    if image.mode == "I" and image.format not in ("PNG", "PPM"):
        raise ImageError(
            name, "its pixels are 32-bit numbers of unknown range; save it with 8 or 16 bits"
        )
    values = np.asarray(image)
    tags = getattr(image, "tag_v2", {})  # of a TIFF
    white = 2 ** tags.get(BITS, (16,))[0] - 1
    bytes_ = np.empty(values.shape, np.uint8)
    for start in range(0, len(values), _BAND_ROWS):
        band = values[start : start + _BAND_ROWS].astype(np.uint32)
        bytes_[start : start + _BAND_ROWS] = (band * 255 + white // 2) // white
    if tags.get(PHOTOMETRIC) == MIN_IS_WHITE:  # with fewer bits, Pillow inverts them itself
        bytes_ = 255 - bytes_
    grey = Image.fromarray(bytes_)
    transparent = image.info.get("transparency")
    if not isinstance(transparent, int):
        return grey
    alpha = Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8))
    return Image.merge("LA", (grey, alpha))


def _lab_to_rgb(image: Image.Image) -> Image.Image:
    from PIL import ImageCms  # rarely needed and slow to import

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(lab, srgb, "LAB", "RGB")
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None  # None is returned only for in-place conversion
    return converted
