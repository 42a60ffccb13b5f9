"""One image file → one uint8 pixel vector. Pillow is imported when an image is first read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from softmaxce.preprocessing import Preprocessing

if TYPE_CHECKING:
    from softmaxce.images.reading import read_pixels as read_pixels

__all__ = ["Preprocessing", "read_pixels"]


def __getattr__(name: str) -> Any:
    if name != "read_pixels":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from softmaxce.images.reading import read_pixels

    return read_pixels
