"""One image file → one uint8 pixel vector, row by row.

The rules, one for each property in which image files differ:

- format: PNG, JPEG, GIF, BMP, WebP, TIFF, the PPM family, and, with plug-ins, HEIF and AVIF,
  recognised by content, not by name;
- orientation: as EXIF says; an unreadable EXIF block is ignored;
- transparency: composited on the background colour;
- 16-bit grey: scaled to 8 bits (65535 becomes 255); 16-bit colour: the high bytes;
- 32-bit and floating-point grey: refused, because their range is unknown;
- palettes, CMYK, YCbCr, LAB: converted to RGB; colour profiles are not applied;
- animations and files with several pages: the first picture;
- grey pictures in RGB data sets: the grey value in all three channels; colour pictures in grey data
  sets: ITU-R 601 luma;
- fit: stretched to the target size, or the central part with the target's aspect ratio, or the
  whole picture centred on the background colour;
- size: each new pixel is the average of the area it covers; if the old side is not a multiple of
  the new one, Pillow's Hamming filter weights the pixels at the border of that area. A JPEG is
  decoded at the smallest of 1/1, 1/2, 1/4 and 1/8 of its size that is not below the target size.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from os import PathLike
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from softmaxce.errors import ImageError, InputError, SoftmaxceError
from softmaxce.images.arrays import image_of
from softmaxce.images.colours import in_mode, is_grey
from softmaxce.images.decoder_guards import check_header, quiet_decoders, silenced
from softmaxce.images.files import Content, read_file, stream_of
from softmaxce.images.heif import heif_formats, is_heif
from softmaxce.images.info import ImageDetails, ImageInfo
from softmaxce.images.orientation import ORIENTATION_TAG, SIDEWAYS, orientation_of, upright
from softmaxce.images.plain_jpeg import decode_plain_jpeg, plain_jpeg_size
from softmaxce.images.signatures import HEAD_BYTES, why_not_opened
from softmaxce.images.small_png import plain_size
from softmaxce.images.transparency import fix_transparent_colour, has_transparency, load_whole
from softmaxce.preprocessing import SUFFIXES_OF, Preprocessing

FORMATS = tuple(name for name in SUFFIXES_OF if name not in ("AVIF", "HEIF"))
MAX_DECODED_BYTES = 2**28
# Pillow passes a file to a decoder in blocks and repeats what the decoder did not use, such as an
# incomplete row: with its default, 64 kB, the time would grow with the square of the size.
_BLOCK_BYTES = 2**22
_BYTES_PER_PIXEL = {"1": 1, "L": 1, "P": 5, "RGB": 5, "I;16": 4, "I;16B": 4, "I;16L": 4}
_BYTES_OF_DECODER = {"WEBP": 10, "AVIF": 4, "HEIF": 2}  # besides the picture, as measured

# Without any handler, Python would print what Pillow logs about odd files on stderr.
logging.getLogger("PIL").addHandler(logging.NullHandler())

File = str | PathLike[str] | bytes | BinaryIO
Source = File | Image.Image | NDArray[np.generic]
_Box = tuple[float, float, float, float]


def read_pixels(source: Source, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """The pixel vector (n_pixels,) of one image.

    source: a path, an image file opened in binary mode or its bytes, a PIL image, or an array
    (height, width) or (height, width, channels): 1 to 4 channels of uint8 (grey, grey and alpha,
    RGB, RGBA), bool or, for grey, uint16. Raises ImageError, or InputError for anything else.
    """
    if isinstance(source, np.ndarray):
        source = image_of(source)
    if not isinstance(source, Image.Image):
        return read_image(source, preprocessing)[0]
    with quiet_decoders, _decoder_errors("image"):
        picture = load_whole(source).copy()  # the caller's image keeps its size and mode
        return _pixels_of("image", picture, preprocessing)[0]


def read_image(source: File, preprocessing: Preprocessing) -> tuple[NDArray[np.uint8], ImageInfo]:
    """The pixel vector (n_pixels,) of one image file, and its header. Raises ImageError."""
    with quiet_decoders:
        return decode_content(*_content_of(source), preprocessing)


def read_details(source: File) -> ImageDetails:
    """The format, mode, size … of an image file, from its header if possible. Raises ImageError."""
    name, content = _content_of(source)
    if isinstance(content, bytes) and (size := plain_size(content)):
        width, height, channels = size
        info = ImageInfo(width, height, channels == 1)
        return ImageDetails(info, "PNG", "L" if channels == 1 else "RGB", 1, False, False)
    with quiet_decoders, _open(name, content) as image:
        # Loading a TIFF applies its orientation and resets the tag.
        stored = getattr(image, "tag_v2", {}).get(ORIENTATION_TAG, 1)
        orientation = orientation_of(image)
        return ImageDetails(
            info=_info(image, orientation),
            format="JPEG" if image.format == "MPO" else image.format or "",  # a JPEG with several
            mode=image.mode,
            orientation=stored if stored in range(2, 9) else orientation,
            has_transparency=has_transparency(image),
            is_animated=bool(getattr(image, "is_animated", False)),
        )


def read_info(source: File) -> ImageInfo:
    """The size and colour of an image file, from its header. Raises ImageError."""
    with quiet_decoders, _open(*_content_of(source)) as image:
        return _info(image, orientation_of(image))


def _content_of(source: File) -> tuple[str, Content]:
    if isinstance(source, (str, PathLike)):
        path = os.fspath(source)
        return path, read_file(path)
    content = source if isinstance(source, bytes) else getattr(source, "read", lambda: None)()
    if not isinstance(content, bytes):
        raise InputError(
            f"cannot read an image from this: {type(source).__name__}: give a path, bytes, a file "
            "opened in binary mode, a PIL image or an array"
        )
    name = "image" if content is source else "standard input"
    if not content:
        raise ImageError(name, "it is empty")
    return name, content


def decode_content(
    name: str, content: Content, preprocessing: Preprocessing
) -> tuple[NDArray[np.uint8], ImageInfo]:
    """The pixel vector and header of an image file's content; `name` is for ImageError."""
    plain = _decode_plain(content, preprocessing) if isinstance(content, bytes) else None
    if plain:
        return plain
    with _open(name, content) as image:
        return _pixels_of(name, image, preprocessing)


def _pixels_of(
    name: str, image: Image.Image, preprocessing: Preprocessing
) -> tuple[NDArray[np.uint8], ImageInfo]:
    """The pixel vector and header of an image that may not be decoded yet."""
    orientation = orientation_of(image)
    info = _info(image, orientation)
    box, inner = _frame(info.width, info.height, preprocessing)
    if orientation in SIDEWAYS:
        box, inner = (box[1], box[0], box[3], box[2]), inner[::-1]
    full = image.size
    if image.format == "JPEG":
        image.draft(preprocessing.mode, _draft_size(full, box, inner))
        _refuse_too_large(name, image)
    picture = in_mode(name, load_whole(image), preprocessing.mode, preprocessing.background)
    picture = _resized(picture, _scaled(box, full, picture.size), inner)
    if orientation != 1:
        picture = upright(picture, orientation)
    return _row(picture, preprocessing), info


def _decode_plain(
    content: bytes, preprocessing: Preprocessing
) -> tuple[NDArray[np.uint8], ImageInfo] | None:
    """As decode_content, for a plain JPEG file; None for any other file, or if decoding fails."""
    full = plain_jpeg_size(content)
    if full is None:
        return None
    box, inner = _frame(*full, preprocessing)
    picture = decode_plain_jpeg(content, full, preprocessing.mode, _draft_size(full, box, inner))
    if picture is None:
        return None
    picture = _resized(picture, _scaled(box, full, picture.size), inner)
    return _row(picture, preprocessing), ImageInfo(*full, is_grey=False)


def array_pixels(images: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """Rows (n_images, n_pixels) of images (n, height, width) or (n, height, width, 3)."""
    channels = 1 if images.ndim == 3 else 3
    if (
        images.shape[1:3] == (preprocessing.height, preprocessing.width)
        and channels == preprocessing.channels
    ):
        return images.reshape(len(images), -1)
    rows = np.empty((len(images), preprocessing.n_pixels), np.uint8)
    box, inner = _frame(images.shape[2], images.shape[1], preprocessing)
    for row, image in zip(rows, images, strict=True):
        picture = Image.fromarray(np.ascontiguousarray(image))
        if picture.mode != "L":
            picture = picture.convert(preprocessing.mode)
        row[:] = _row(_resized(picture, box, inner), preprocessing)
    return rows


def _resized(picture: Image.Image, box: _Box, size: tuple[int, int]) -> Image.Image:
    if picture.size == size and box == (0, 0, *size):
        return picture
    divides = (box[2] - box[0]) % size[0] == 0 and (box[3] - box[1]) % size[1] == 0
    kernel = Image.Resampling.BOX if divides else Image.Resampling.HAMMING
    return picture.resize(size, kernel, box)


@cache
def columns_first() -> bool:
    """Whether this Pillow averages columns before rows if the height shrinks much more than the
    width, which can change a pixel by 1."""
    picture = Image.frombytes("L", (3, 9), bytes(7 * i**2 % 256 for i in range(27)))
    kernel = Image.Resampling.HAMMING
    rows_first = picture.resize((2, 9), kernel).resize((2, 3), kernel)
    return picture.resize((2, 3), kernel).tobytes() != rows_first.tobytes()


def _row(picture: Image.Image, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """The pixel vector of an upright picture that has its final size, except for margins."""
    if picture.mode != preprocessing.mode:
        picture = picture.convert(preprocessing.mode)
    if picture.size != (preprocessing.width, preprocessing.height):
        picture = _padded(picture, preprocessing)
    return np.frombuffer(picture.tobytes(), np.uint8)  # faster than np.asarray


def _frame(width: int, height: int, preprocessing: Preprocessing) -> tuple[_Box, tuple[int, int]]:
    """The part of a picture that is kept, and the size to which it is resized."""
    size = preprocessing.width, preprocessing.height
    if preprocessing.fit == "crop":
        scale = max(size[0] / width, size[1] / height)
        kept = min(width, size[0] / scale), min(height, size[1] / scale)
        left, top = (width - kept[0]) / 2, (height - kept[1]) / 2
        return (left, top, left + kept[0], top + kept[1]), size
    if preprocessing.fit == "pad":
        scale = min(size[0] / width, size[1] / height)
        size = max(1, round(width * scale)), max(1, round(height * scale))
    return (0.0, 0.0, float(width), float(height)), size


def _draft_size(full: tuple[int, int], box: _Box, inner: tuple[int, int]) -> tuple[int, int]:
    """The smallest size of the whole picture at which the kept part is still large enough."""
    width = full[0] * inner[0] / (box[2] - box[0])
    height = full[1] * inner[1] / (box[3] - box[1])
    return max(1, int(width)), max(1, int(height))


def _scaled(box: _Box, full: tuple[int, int], drafted: tuple[int, int]) -> _Box:
    """A box of the full picture, in the pixels of its draft."""
    x, y = drafted[0] / full[0], drafted[1] / full[1]
    return box[0] * x, box[1] * y, box[2] * x, box[3] * y


def _padded(picture: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    canvas = Image.new("RGB", (preprocessing.width, preprocessing.height), preprocessing.background)
    canvas = canvas.convert(preprocessing.mode)
    canvas.paste(
        picture,
        ((preprocessing.width - picture.width) // 2, (preprocessing.height - picture.height) // 2),
    )
    return canvas


@contextmanager
def _open(name: str, content: Content) -> Iterator[Image.Image]:
    """The opened image; every exception of a decoder becomes an ImageError."""
    with (
        _decoder_errors(name),
        stream_of(content) as stream,
        _identified(name, stream) as image,
    ):
        if image.format != "JPEG":  # a JPEG can be decoded at a fraction of its size
            _refuse_too_large(name, image)
        with silenced if image.format == "TIFF" else nullcontext():
            yield image


@contextmanager
def _decoder_errors(name: str) -> Iterator[None]:
    """Raise every exception of a decoder as an ImageError."""
    try:
        yield
    except SoftmaxceError:
        raise
    except MemoryError:
        raise ImageError(name, "decoding it needs more memory than is available") from None
    except Image.DecompressionBombError:
        raise ImageError(name, _TOO_LARGE) from None
    except Exception as error:  # decoders raise SyntaxError, struct.error, zlib.error and others
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ImageError(name, f"it cannot be decoded ({reason})") from error


def _identified(name: str, stream: BinaryIO) -> Image.Image:
    """The image, of which the header has been read. Raises ImageError, and what decoders raise."""
    head = stream.read(HEAD_BYTES)
    layout = check_header(name, head, stream)
    formats = heif_formats() if is_heif(head) else FORMATS
    try:
        image = Image.open(stream, formats=formats)
    except UnidentifiedImageError:
        raise ImageError(name, why_not_opened(head, formats, layout)) from None
    fix_transparent_colour(name, image)
    image.decodermaxblock = _BLOCK_BYTES
    return image


_TOO_LARGE = (
    f"decoding an image of this size takes more than {MAX_DECODED_BYTES // 2**20} MB of memory; "
    "make it smaller"
)


def _refuse_too_large(name: str, image: Image.Image) -> None:
    """Raise ImageError if, by its header, the image needs too much memory."""
    known = _BYTES_PER_PIXEL.get(image.mode, 8)
    bytes_per_pixel = 12 if has_transparency(image) else known  # RGBA, background and composite
    bytes_per_pixel += _BYTES_OF_DECODER.get(image.format or "", 0)
    n_bytes = image.width * image.height * bytes_per_pixel
    if image.info.get("progressive"):  # a progressive JPEG keeps all coefficients, at any scale
        scale = getattr(image, "decoderconfig", None) or (1,)
        n_bytes += 6 * image.width * image.height * scale[0] ** 2
    if n_bytes > MAX_DECODED_BYTES:
        raise ImageError(name, _TOO_LARGE)


def _info(image: Image.Image, orientation: int) -> ImageInfo:
    width, height = image.size[::-1] if orientation in SIDEWAYS else image.size
    return ImageInfo(width, height, is_grey(image))
