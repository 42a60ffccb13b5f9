"""What is transparent in an image: alpha, one grey or colour, or what a frame does not cover."""

from __future__ import annotations

from PIL import Image

from softmaxce.errors import ImageError

_ALPHA_MODES = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
_COVERED = "box that the first frame covers"


def has_transparency(image: Image.Image) -> bool:
    """Whether some pixels may be transparent."""
    is_marked = image.mode in _ALPHA_MODES or "transparency" in image.info
    return is_marked or _covered(image) is not None


def _covered(image: Image.Image) -> tuple[int, int, int, int] | None:
    """The box that the first frame of a GIF covers; None for all of the canvas."""
    tiles = getattr(image, "tile", None)  # empty once the image is decoded, hence the mark
    if image.format == "GIF" and tiles and tiles[0][1] != (0, 0, *image.size):
        image.info[_COVERED] = tiles[0][1]
    return image.info.get(_COVERED)


def load_whole(image: Image.Image) -> Image.Image:
    """The decoded image, transparent where the first frame of a GIF does not cover the canvas."""
    covered = _covered(image)
    image.load()
    if covered is None:
        return image
    canvas = Image.new("RGBA", image.size)
    canvas.paste(image.crop(covered).convert("RGBA"), covered)
    return canvas


def fix_transparent_colour(name: str, image: Image.Image) -> None:
    """Scale the transparent grey of a PNG with few bits, as Pillow scales the pixels.

    Raises ImageError for a transparent colour of 16 bits, since Pillow keeps only 8 of each pixel.
    """
    transparent, tiles = image.info.get("transparency"), getattr(image, "tile", None)
    if image.format != "PNG" or transparent is None or not tiles:
        return
    raw_mode = str(tiles[0][3])
    if raw_mode == "RGB;16B":
        raise ImageError(
            name, "one of its 16-bit colours is transparent; save it with an alpha channel"
        )
    if image.mode in ("1", "L") and isinstance(transparent, int):
        unit = {"1": 255, "L;2": 85, "L;4": 17}.get(raw_mode, 1)
        image.info["transparency"] = min(255, transparent * unit)
