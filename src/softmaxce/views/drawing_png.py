"""Drawings as PNG, in the light colours of the page."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from softmaxce.views.drawing import Dot, Drawing, Label, Point, Rectangle, Role, Shape, Stroke

SCALE = 2  # pixels for each unit
_COLOURS: dict[Role, tuple[int, int, int]] = {
    "ink": (29, 36, 48),
    "soft": (90, 100, 115),
    "line": (220, 223, 229),
    "accent": (31, 95, 168),
    "second": (169, 79, 0),
    "good": (28, 107, 60),
    "bad": (163, 23, 42),
    "card": (255, 255, 255),
    "tint": (232, 239, 248),
}
_MARGIN = 12
_DASH, _GAP = 5.0, 4.0


def as_png(drawing: Drawing) -> bytes:
    """The drawing as a PNG file, SCALE pixels a unit, with a margin around it."""
    size = (
        round(SCALE * (drawing.width + 2 * _MARGIN)),
        round(SCALE * (drawing.height + 2 * _MARGIN)),
    )
    image = Image.new("RGB", size, _COLOURS["card"])
    canvas = ImageDraw.Draw(image)
    for shape in drawing.shapes:
        _draw(canvas, shape)
    return png_bytes(image)


def png_bytes(image: Image.Image) -> bytes:
    """The image as a PNG file; the same picture gives the same bytes."""
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()


@lru_cache(maxsize=16)
def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, so that pictures look the same everywhere."""
    return ImageFont.load_default(size)


def _at(x: float, y: float) -> Point:
    return SCALE * (x + _MARGIN), SCALE * (y + _MARGIN)


def _faded(role: Role, strength: float) -> tuple[int, int, int]:
    red, green, blue = (round(strength * full + (1 - strength) * 255) for full in _COLOURS[role])
    return red, green, blue


def _draw(canvas: ImageDraw.ImageDraw, shape: Shape) -> None:
    if isinstance(shape, Rectangle):
        left, top = _at(shape.x, shape.y)
        right, bottom = _at(shape.x + shape.width, shape.y + shape.height)
        box = (left, top, max(left, right - 1), max(top, bottom - 1))
        canvas.rectangle(box, fill=_faded(shape.fill, shape.strength))
    elif isinstance(shape, Stroke):
        width = max(1, round(SCALE * shape.width))
        for start, end in _pieces(shape):
            canvas.line((_at(*start), _at(*end)), fill=_COLOURS[shape.colour], width=width)
    elif isinstance(shape, Dot):
        (x, y), radius = _at(shape.x, shape.y), SCALE * shape.radius
        box = (x - radius, y - radius, x + radius, y + radius)
        if shape.is_hollow:
            canvas.ellipse(box, outline=_COLOURS[shape.colour], width=round(1.5 * SCALE))
        else:
            canvas.ellipse(box, fill=_COLOURS[shape.colour])
    else:
        _write(canvas, shape)


def _write(canvas: ImageDraw.ImageDraw, label: Label) -> None:
    anchor = {"start": "ls", "middle": "ms", "end": "rs"}[label.anchor]
    face = font(SCALE * label.size)
    if not isinstance(face, ImageFont.FreeTypeFont):  # a Pillow without FreeType: no anchors
        anchor = None  # type: ignore[assignment]
    colour = _COLOURS[label.colour]
    canvas.text(_at(label.x, label.y), label.text, fill=colour, font=face, anchor=anchor)


def _pieces(stroke: Stroke) -> list[tuple[Point, Point]]:
    """The segments to draw: the whole ones, or their dashes."""
    pieces = []
    for (x0, y0), (x1, y1) in zip(stroke.points, stroke.points[1:], strict=False):
        if not stroke.is_dashed:
            pieces.append(((x0, y0), (x1, y1)))
            continue
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        n_dashes = max(1, round(length / (_DASH + _GAP)))
        for k in range(n_dashes):
            start, end = k / n_dashes, (k + _DASH / (_DASH + _GAP)) / n_dashes
            pieces.append(
                (
                    (x0 + start * (x1 - x0), y0 + start * (y1 - y0)),
                    (x0 + end * (x1 - x0), y0 + end * (y1 - y0)),
                )
            )
    return pieces
