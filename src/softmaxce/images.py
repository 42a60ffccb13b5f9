"""One image file → one uint8 pixel vector, row by row."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Preprocessing:
    """The form every image is brought into: pixels high, pixels wide, channels 1 or 3 (RGB)."""

    height: int
    width: int
    channels: int

    @property
    def n_pixels(self) -> int:
        """Length of one image's pixel vector."""
        return self.height * self.width * self.channels
