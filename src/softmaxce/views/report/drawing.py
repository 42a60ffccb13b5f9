"""Drawings made of SVG shapes whose colours are roles, for a page or as files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Literal

from softmaxce.translation import translate
from softmaxce.views.safe_text import visible

Role = Literal["ink", "soft", "line", "accent", "second", "good", "bad", "card", "tint"]
Anchor = Literal["start", "middle", "end", "up"]
Point = tuple[float, float]

STYLE = (Path(__file__).parent / "report.css").read_text("utf-8")
_MARGIN = 12


@dataclass(frozen=True)
class Drawing:
    """SVG shapes on a canvas of width × height units (CSS pixels)."""

    name: str
    title: str
    width: float
    height: float
    shapes: Sequence[str]


def text(value: str) -> str:
    """Text from outside, escaped for HTML."""
    return escape(visible(value))


def rectangle(
    corner: Point, width: float, height: float, role: Role, *, opacity: float = 1, title: str = ""
) -> str:
    """A filled rectangle, from its upper left corner; title: its tooltip."""
    x, y = corner
    return _titled(
        f'rect class="fill-{role}" fill-opacity="{_number(opacity)}" x="{_number(x)}" '
        f'y="{_number(y)}" width="{_number(width)}" height="{_number(height)}"',
        title,
    )


def stroke(points: tuple[Point, ...], role: Role, width: float = 1, *, dashed: bool = False) -> str:
    """A line through points."""
    path = " ".join(f"{_number(x)},{_number(y)}" for x, y in points)
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    return f'<polyline class="stroke-{role}" points="{path}" stroke-width="{width}"{dashes}/>'


def dot(centre: Point, radius: float, role: Role, *, hollow: bool = False, title: str = "") -> str:
    """A disc, or a ring if hollow; title: its tooltip."""
    x, y = map(_number, centre)
    paint = f'class="stroke-{role}" stroke-width="1.5"' if hollow else f'class="fill-{role}"'
    return _titled(f'circle {paint} cx="{x}" cy="{y}" r="{_number(radius)}"', title)


def label(
    start: Point, words: str, anchor: Anchor = "start", role: Role = "soft", *, size: float = 13
) -> str:
    """Text on a baseline, which may go up; `words` may come from outside."""
    x, y = map(_number, start)
    place = f'transform="rotate(-90 {x} {y})"' if anchor == "up" else f'text-anchor="{anchor}"'
    return (
        f'<text class="fill-{role}" x="{x}" y="{y}" font-size="{_number(size)}" '
        f"{place}>{text(words)}</text>"
    )


def _titled(element: str, title: str) -> str:
    name = element.partition(" ")[0]
    return (
        f"<{element}><title>{text(translate(title))}</title></{name}>" if title else f"<{element}/>"
    )


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def as_svg(drawing: Drawing) -> str:
    """The drawing as an SVG element that takes its colours from the page's style sheet."""
    identifier, width = f"picture-{drawing.name}", _number(drawing.width)
    shapes = "\n".join(drawing.shapes)
    return (
        f'<svg viewBox="0 0 {width} {_number(drawing.height)}" role="img" '
        f'aria-labelledby="{identifier}" style="--natural: {width}px">\n'
        f'<title id="{identifier}">{text(translate(drawing.title))}</title>\n{shapes}\n</svg>'
    )


def as_svg_file(drawing: Drawing) -> bytes:
    """The drawing as an SVG file, in the light colours of the page and with a white background."""
    colours = dict(re.findall(r"--(\w+): (#\w+);", STYLE[: STYLE.index("}")]))
    style = "text{font-family:sans-serif}" + "".join(
        f".fill-{role}{{fill:{colour}}}.stroke-{role}{{stroke:{colour};fill:none}}"
        for role, colour in colours.items()
    )
    width, height = (_number(side + 2 * _MARGIN) for side in (drawing.width, drawing.height))
    shapes = "\n".join(drawing.shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="{-_MARGIN} {-_MARGIN} {width} {height}">\n'
        f"<title>{text(translate(drawing.title))}</title>\n<style>{style}</style>\n"
        f'<rect fill="#fff" x="{-_MARGIN}" y="{-_MARGIN}" width="100%" height="100%"/>\n'
        f"{shapes}\n</svg>\n"
    ).encode()
