"""What an image file may be called, and what every image is resized and converted to; or features.

Nothing here needs Pillow, so that a model can be loaded and scored without it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from softmaxce.errors import ModelError

SUFFIXES_OF = {
    "PNG": {".png"},
    "JPEG": {".jpg", ".jpeg", ".jpe", ".jfif"},
    "GIF": {".gif"},
    "BMP": {".bmp", ".dib"},
    "WEBP": {".webp"},
    "TIFF": {".tif", ".tiff"},
    "PPM": {".ppm", ".pgm", ".pbm", ".pnm"},
    "AVIF": {".avif"},
    "HEIF": {".heic", ".heif", ".hif"},
}
# Photographs in formats that are not read are images too: they are reported, not left out.
_UNREADABLE_SUFFIXES = {".jp2", ".j2k", ".jxl"}
SUFFIXES = frozenset(_UNREADABLE_SUFFIXES).union(*SUFFIXES_OF.values())
FITS = ("stretch", "crop", "pad")
MAX_SIDE = 4096
MAX_FEATURE = 1e12  # absolute, of a feature that another program computed: no logit overflows


@dataclass(frozen=True)
class Preprocessing:
    """What every image is resized and converted to: height and width in pixels, 1 or 3 channels.

    fit: how an image of another aspect ratio is resized ("stretch", "crop" or "pad"); background:
    the colour "#rrggbb" behind transparent pixels and around padded images.
    """

    height: int
    width: int
    channels: int
    fit: str = "stretch"
    background: str = "#ffffff"

    @property
    def images(self) -> Preprocessing:
        """Itself: what images are converted to. A FeatureVectors raises an error instead."""
        return self

    @property
    def n_pixels(self) -> int:
        """Length of one image's pixel vector.

        The value of row r, column c and channel k is at index (r·width + c)·channels + k.
        """
        return self.height * self.width * self.channels

    @property
    def mode(self) -> str:
        """Pillow's name for the channels: "L" (grey) or "RGB"."""
        return "L" if self.channels == 1 else "RGB"

    def fault(self) -> str | None:
        """What is wrong with these values, or None."""
        for side in (self.height, self.width):
            if type(side) is not int or not 1 <= side <= MAX_SIDE:
                return f"a side must be 1 to {MAX_SIDE} pixels long, not {side!r}"
        if type(self.channels) is not int or self.channels not in (1, 3):
            return f"channels must be 1 or 3, not {self.channels!r}"
        if self.fit not in FITS:
            return f"fit must be one of {', '.join(FITS)}, not {self.fit!r}"
        colour = self.background
        if not isinstance(colour, str) or not re.fullmatch(r"#[0-9a-f]{6}", colour):
            return f"background must be a colour like #ffffff, not {colour!r}"
        return None

    def __str__(self) -> str:
        how = {"stretch": "", "crop": ", cropped", "pad": ", padded"}[self.fit]
        return f"{self.width} × {self.height} {'grey' if self.channels == 1 else 'RGB'}{how}"


@dataclass(frozen=True)
class FeatureVectors:
    """What a model sees instead of images: rows of `n_features` numbers that another program
    computed. names: of the features; empty if they have none."""

    n_features: int
    names: tuple[str, ...] = ()

    @property
    def images(self) -> Preprocessing:
        """Raises ModelError: images cannot be converted to features."""
        raise ModelError(
            f"cannot use images: the model was trained on rows of {self}; give one .npz or "
            ".npy file of such rows"
        )

    def name(self, number: int) -> str:
        """The name of a feature, counting from 0."""
        return self.names[number] if self.names else f"feature {number}"

    def __str__(self) -> str:
        return f"{self.n_features:,} features"


Form = Preprocessing | FeatureVectors
