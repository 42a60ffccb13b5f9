"""One image file → one uint8 pixel vector."""

from softmaxce.images.reading import Preprocessing, read_pixels

__all__ = ["Preprocessing", "read_pixels"]
