"""A picture as a few shapes, whose colours are roles: drawn as SVG here, as PNG next door."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Literal

from softmaxce.views.safe_text import visible

Role = Literal["ink", "soft", "line", "accent", "second", "good", "bad", "card", "tint"]
Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]

FONT_SIZE = 13.0


@dataclass(frozen=True)
class Rectangle:
    """A filled rectangle; strength from 0 to 1 fades it; title is what a pointer is told."""

    x: float
    y: float
    width: float
    height: float
    fill: Role
    strength: float = 1.0
    title: str = ""


@dataclass(frozen=True)
class Stroke:
    """A line through points."""

    points: tuple[Point, ...]
    colour: Role
    width: float = 1.0
    is_dashed: bool = False


@dataclass(frozen=True)
class Dot:
    """A disc, or a ring if hollow."""

    x: float
    y: float
    radius: float
    colour: Role
    is_hollow: bool = False
    title: str = ""


@dataclass(frozen=True)
class Label:
    """Text whose baseline is at y; `text` may come from outside."""

    x: float
    y: float
    text: str
    anchor: Anchor = "start"
    colour: Role = "soft"
    size: float = FONT_SIZE


Shape = Rectangle | Stroke | Dot | Label


@dataclass(frozen=True)
class Drawing:
    """Shapes on a canvas of width × height units; one unit is a pixel of a page."""

    name: str
    title: str
    width: float
    height: float
    shapes: tuple[Shape, ...]


def as_svg(drawing: Drawing) -> str:
    """The drawing as an SVG element whose colours the page's style decides."""
    identifier = f"picture-{drawing.name}"
    shapes = "\n".join(_svg(shape) for shape in drawing.shapes)
    size = f"{_number(drawing.width)} {_number(drawing.height)}"
    return (
        f'<svg viewBox="0 0 {size}" role="img" aria-labelledby="{identifier}" '
        f'style="--natural: {_number(drawing.width)}px">\n'
        f'<title id="{identifier}">{text(drawing.title)}</title>\n{shapes}\n</svg>'
    )


def text(value: str) -> str:
    """A text from outside as HTML: shown, never obeyed."""
    return escape(visible(value))


def shortened(value: str, n_characters: int) -> str:
    """The text, with its middle left out where it is longer."""
    shown = visible(value)
    if len(shown) <= n_characters:
        return shown
    n_end = (n_characters - 1) // 2
    return f"{shown[: n_characters - 1 - n_end]}…{shown[len(shown) - n_end :]}"


def _number(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")


def _svg(shape: Shape) -> str:
    if isinstance(shape, Rectangle):
        x, y, width, height = map(_number, (shape.x, shape.y, shape.width, shape.height))
        faded = "" if shape.strength >= 1 else f' fill-opacity="{shape.strength:.2f}"'
        box = f'<rect class="fill-{shape.fill}" x="{x}" y="{y}" width="{width}" height="{height}"'
        return _titled(f"{box}{faded}", "rect", shape.title)
    if isinstance(shape, Stroke):
        points = " ".join(f"{_number(x)},{_number(y)}" for x, y in shape.points)
        dashes = ' stroke-dasharray="5 4"' if shape.is_dashed else ""
        width = _number(shape.width)
        return (
            f'<polyline class="stroke-{shape.colour}" points="{points}" '
            f'stroke-width="{width}"{dashes}/>'
        )
    if isinstance(shape, Dot):
        kind = "stroke" if shape.is_hollow else "fill"
        disc = (
            f'<circle class="{kind}-{shape.colour}" cx="{_number(shape.x)}" '
            f'cy="{_number(shape.y)}" r="{_number(shape.radius)}"'
        )
        return _titled(
            disc + (' stroke-width="1.5"' if shape.is_hollow else ""), "circle", shape.title
        )
    anchor = "" if shape.anchor == "start" else f' text-anchor="{shape.anchor}"'
    return (
        f'<text class="fill-{shape.colour}" x="{_number(shape.x)}" y="{_number(shape.y)}" '
        f'font-size="{_number(shape.size)}"{anchor}>{text(shape.text)}</text>'
    )


def _titled(start: str, element: str, title: str) -> str:
    return f"{start}><title>{text(title)}</title></{element}>" if title else f"{start}/>"
