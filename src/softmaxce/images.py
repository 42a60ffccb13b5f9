"""One image file → one uint8 pixel vector, row by row.

The rules, one for each thing that images differ in:

- orientation: as EXIF says; an EXIF block that cannot be read counts as none;
- transparency: composited on white;
- 16-bit grey: scaled to 8 bits, 65535 becoming 255;
- palettes, CMYK, YCbCr: converted to RGB or grey by Pillow;
- animations: the first frame;
- size: stretched to the wanted one, each new pixel the average of the area it covers.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from softmaxce.errors import ImageError

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".bmp", ".dib"}
    | {".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm"}
)
MAX_IMAGE_PIXELS = 100_000_000
MAX_SIDE = 4096
_GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L"})
_EXIF_KEYS = ("exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp")
_ORIENTATION = 0x0112
_SIDEWAYS = (5, 6, 7, 8)  # EXIF orientations that swap width and height

Source = str | PathLike[str] | BinaryIO


@dataclass(frozen=True)
class Preprocessing:
    """The form every image is brought into: pixels high, pixels wide, channels 1 or 3 (RGB)."""

    height: int
    width: int
    channels: int

    @property
    def n_pixels(self) -> int:
        """Length of one image's pixel vector.

        The value of row r, column c and channel k stands at (r·width + c)·channels + k.
        """
        return self.height * self.width * self.channels

    @property
    def mode(self) -> str:
        """Pillow's name of the channels."""
        return "L" if self.channels == 1 else "RGB"

    def fault(self) -> str | None:
        """What is wrong with these values, or None."""
        for side in (self.height, self.width):
            if type(side) is not int or not 1 <= side <= MAX_SIDE:
                return f"a side must be 1 to {MAX_SIDE} pixels long, not {side!r}"
        if type(self.channels) is not int or self.channels not in (1, 3):
            return f"channels must be 1 or 3, not {self.channels!r}"
        return None

    def __str__(self) -> str:
        return f"{self.width} × {self.height} {'grey' if self.channels == 1 else 'RGB'}"


@dataclass(frozen=True)
class ImageFacts:
    """What an image file was before preprocessing: size in pixels as it is shown, and colour."""

    width: int
    height: int
    is_grey: bool


def read_pixels(source: Source, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """The pixel vector (n_pixels,) of one image file. Raises ImageError."""
    return read_image(source, preprocessing)[0]


def read_image(
    source: Source, preprocessing: Preprocessing
) -> tuple[NDArray[np.uint8], ImageFacts]:
    """The pixel vector (n_pixels,) of one image file, and what the file was. Raises ImageError."""
    wanted = (preprocessing.width, preprocessing.height)
    with _open(source) as image:
        orientation = _orientation(image)
        width, height = image.size[::-1] if orientation in _SIDEWAYS else image.size
        facts = ImageFacts(width, height, _is_grey(image))
        if image.format == "JPEG":  # decodes at 1/2, 1/4 or 1/8 where that is still large enough
            image.draft(preprocessing.mode, wanted[::-1] if orientation in _SIDEWAYS else wanted)
        image.load()
        picture = _in_mode(image, preprocessing.mode)
        if orientation != 1:
            picture = _upright(picture, orientation)
        if picture.size != wanted:
            picture = picture.resize(wanted, Image.Resampling.BOX)
        return np.asarray(picture, dtype=np.uint8).reshape(-1), facts


def read_facts(source: Source) -> ImageFacts:
    """What an image file is, from its header alone. Raises ImageError."""
    with _open(source) as image:
        width, height = image.size
        if _orientation(image) in _SIDEWAYS:
            width, height = height, width
        return ImageFacts(width, height, _is_grey(image))


@contextmanager
def _open(source: Source) -> Iterator[Image.Image]:
    """The opened image; whatever a decoder raises inside becomes ImageError."""
    name = "standard input" if hasattr(source, "read") else os.fspath(source)
    try:
        if isinstance(name, str) and not hasattr(source, "read") and not os.path.isfile(name):
            raise ImageError(name, "it is no file" if os.path.exists(name) else "no such file")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(source, formats=FORMATS) as image:
                if image.width * image.height > MAX_IMAGE_PIXELS:
                    raise ImageError(
                        name,
                        f"its header asks for {image.width} × {image.height} pixels, "
                        f"more than {MAX_IMAGE_PIXELS // 10**6} million; make it smaller",
                    )
                yield image
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise ImageError(name, _unidentified(source)) from None
    except MemoryError:
        raise ImageError(name, "it needs more memory than there is") from None
    except Exception as error:  # decoders raise SyntaxError, struct.error, zlib.error and more
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ImageError(name, f"it cannot be decoded ({reason})") from error


def _unidentified(source: Source) -> str:
    if isinstance(source, (str, PathLike)) and os.path.getsize(source) == 0:
        return "the file is empty"
    if isinstance(source, io.BytesIO) and source.getbuffer().nbytes == 0:
        return "no bytes came"
    return f"it is no image of a known format ({', '.join(FORMATS)})"


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none or it cannot be read."""
    if image.format != "TIFF" and not any(key in image.info for key in _EXIF_KEYS):
        if image.format != "PNG":
            return 1
        image.load()  # a PNG may bring its EXIF behind the pixels
        if "exif" not in image.info:
            return 1
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # a broken EXIF block must never cost the picture
        return 1
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def _upright(picture: Image.Image, orientation: int) -> Image.Image:
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


def _is_grey(image: Image.Image) -> bool:
    if image.mode in ("P", "PA") and image.palette is not None:
        red, green, blue = (image.getpalette("RGB")[k::3] for k in range(3))  # type: ignore[index]
        return red == green == blue
    return image.mode in _GREY_MODES


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    """The picture in mode L or RGB, on white where it was transparent."""
    if image.mode.startswith("I"):
        image = _eight_bits(image)
    elif image.mode == "F":
        raise ImageError(
            getattr(image, "filename", "the image"),
            "its pixels are floating-point numbers of no agreed range; save it with 8 or 16 bits",
        )
    if image.mode == mode and "transparency" not in image.info:
        return image
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert(mode)


def _eight_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.int64)
    if values.size and (values.min() < 0 or values.max() > 65535):
        raise ImageError(
            getattr(image, "filename", "the image"),
            "its pixels are 32-bit numbers of no agreed range; save it with 8 or 16 bits",
        )
    return Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8))
