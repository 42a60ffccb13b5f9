"""What an image file is before preprocessing, and the version of what decodes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ImageInfo:
    """width and height in pixels, after EXIF's orientation; is_grey: the file can hold greys
    only."""

    width: int
    height: int
    is_grey: bool


@dataclass(frozen=True)
class ImageDetails:
    """More about an image file. format and mode are Pillow's names, orientation is EXIF's (1–8)."""

    info: ImageInfo
    format: str
    mode: str
    orientation: int
    has_transparency: bool
    is_animated: bool


def decoder_version() -> str:
    """The version of Pillow: another one may decode a file to other pixels."""
    from PIL import __version__  # without its decoders

    return __version__
