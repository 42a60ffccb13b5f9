"""Images, weights and contributions as pictures.

Weights and contributions have one colour code everywhere: orange raises the logit, blue lowers it,
and white does neither; people with colour-blindness can tell these apart.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.style import Style
from rich.text import Text

from softmaxce.workflows.outputs import write_folder

if TYPE_CHECKING:
    from softmaxce.lesson.picture import Picture

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]
UP = np.array([217.0, 95.0, 2.0])
DOWN = np.array([43.0, 98.0, 173.0])
WHITE = np.array([255.0, 255.0, 255.0])
PNG_SIDE = 280
MAX_COLUMNS = 56


def image_pixels(picture: Picture) -> Pixels:
    """The image in RGB: (height, width, 3)."""
    return in_rgb(picture.grid)


def in_rgb(pixels: Pixels) -> Pixels:
    """Pixels (height, width, 1 or 3) as (height, width, 3)."""
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def map_pixels(values: Floats, largest: float | None = None) -> Pixels:
    """A signed map (height, width) in two colours: (height, width, 3).

    largest: the absolute value with full colour; that of the map itself if None.
    """
    colour, strength = _signed(values, largest)
    return np.asarray(np.rint(WHITE + strength * (colour - WHITE)), dtype=np.uint8)


def _signed(values: Floats, largest: float | None = None) -> tuple[Floats, Floats]:
    """The colours (height, width, 3) of a signed map, and their strengths (height, width, 1)."""
    largest = largest or float(np.abs(values).max()) or 1.0
    strength = np.minimum(np.abs(values) / largest, 1.0)[..., np.newaxis]
    return np.where(values[..., np.newaxis] >= 0, UP, DOWN), strength


def contribution_pixels(picture: Picture, k: int) -> Pixels:
    """What each place adds to logit k."""
    return map_pixels(picture.contribution_map(k))


def overlay_pixels(picture: Picture, k: int) -> Pixels:
    """What each place adds to logit k, transparent where that is little: (height, width, 4)."""
    colour, strength = _signed(picture.contribution_map(k))
    return np.asarray(np.rint(np.concatenate([colour, 255.0 * strength], axis=2)), dtype=np.uint8)


def template_pixels(picture: Picture, k: int) -> Pixels:
    """The weights of class k; with hidden layers the gradient of logit k at this image."""
    return map_pixels(picture.as_map(picture.slopes(k)[0]))


def half_blocks(pixels: Pixels, max_columns: int) -> Text:
    """A picture as text: one character is two pixels, one above the other."""
    pixels = shrunk(pixels, min(max_columns, MAX_COLUMNS))
    if len(pixels) % 2:
        pixels = np.concatenate([pixels, np.full_like(pixels[:1], 255)])
    text = Text()
    for above, below in zip(pixels[0::2], pixels[1::2], strict=True):
        for top, bottom in zip(above.tolist(), below.tolist(), strict=True):
            text.append("▀", Style(color=_rgb(top), bgcolor=_rgb(bottom)))
        text.append("\n")
    text.right_crop(1)
    return text


def _rgb(colour: list[int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def shows_colour(console: Console) -> bool:
    """Whether half blocks are visible on this console."""
    return console.is_terminal and console.color_system is not None and not console.no_color


def shrunk(pixels: Pixels, max_width: int) -> Pixels:
    """The picture (height, width, 3), reduced to at most max_width columns."""
    height, width = pixels.shape[:2]
    if width <= max_width:
        return pixels
    size = (max_width, max(1, round(height * max_width / width)))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))


def png_bytes(pixels: Pixels, min_side: int = 1) -> bytes:
    """A PNG of the picture (height, width, 3 or 4), enlarged until its longer side is min_side."""
    height, width = pixels.shape[:2]
    factor = -(-min_side // max(height, width))
    stream = io.BytesIO()
    size = (width * factor, height * factor)
    image = Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST)
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def data_uri(pixels: Pixels) -> str:
    """A picture as the `src` of an HTML image."""
    return f"data:image/png;base64,{base64.b64encode(png_bytes(pixels)).decode('ascii')}"


def save(picture: Picture, winner: int, folder: str) -> int:
    """Write image, contribution map and templates as so many PNG files. Raises OutputError.

    With patch features, the filters instead of the templates.
    """
    names = picture.model.class_names
    pictures = {
        "image": image_pixels(picture),
        f"contributions-{file_stem(names, winner)}": contribution_pixels(picture, winner),
    }
    if picture.model.patches is not None:
        from softmaxce.views.filters import most_used  # which imports this module

        pictures["filters"] = most_used(picture.model)
    for k in range(len(names) if picture.model.patches is None else 0):
        pictures[f"template-{file_stem(names, k)}"] = template_pixels(picture, k)
    write_folder(folder, {f"{name}.png": png_bytes(p, PNG_SIDE) for name, p in pictures.items()})
    return len(pictures)


def file_stem(class_names: Sequence[str], k: int) -> str:
    """Number and name of class k as part of a file name."""
    name = re.sub(r"[^0-9A-Za-z가-힣._-]+", "_", class_names[k])[:60]
    return f"{k:0{len(str(len(class_names) - 1))}}-{name}"
