"""What an image file is before preprocessing. Nothing here needs Pillow."""

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
