"""A plot of objective against seconds, drawn as SVG by hand."""

from __future__ import annotations

import math

Curve = list[tuple[float, float]]

WIDTH, HEIGHT, MARGIN = 720, 360, 60
COLOURS = ("#c0392b", "#2c3e50", "#2980b9", "#27ae60", "#8e44ad", "#f39c12", "#7f8c8d", "#16a085")


def write_svg(sets: dict[str, dict[str, Curve]]) -> str:
    """One panel for each data set: the objective minus the smallest value seen, against the
    seconds, both on logarithmic axes."""
    height = HEIGHT * len(sets)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="12">'
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>'
    )
    panels = [panel(name, curves, i * HEIGHT) for i, (name, curves) in enumerate(sets.items())]
    return head + "".join(panels) + "</svg>\n"


def panel(name: str, curves: dict[str, Curve], top: int) -> str:
    """One data set: a line for each solver, labelled in its colour."""
    least = min(value for curve in curves.values() for _, value in curve) * (1 - 1e-4)
    points = {
        solver: [(math.log10(max(s, 1e-3)), math.log10(value - least)) for s, value in curve]
        for solver, curve in curves.items()
    }
    xs = [x for line in points.values() for x, _ in line]
    ys = [y for line in points.values() for _, y in line]
    left, right, low, high = min(xs), max(xs), min(ys), max(ys)

    def place(x: float, y: float) -> str:
        across = MARGIN + (x - left) / ((right - left) or 1) * (WIDTH - 2 * MARGIN - 180)
        down = top + MARGIN + (high - y) / ((high - low) or 1) * (HEIGHT - 2 * MARGIN)
        return f"{across:.1f},{down:.1f}"

    parts = [
        f'<text x="{MARGIN}" y="{top + 30}" font-size="15">{name}: objective above the best '
        "value (nats), against seconds; log scales</text>"
    ]
    for tick in range(math.ceil(left), math.floor(right) + 1):
        x, y = place(tick, low).split(",")
        parts.append(
            f'<text x="{x}" y="{float(y) + 20}" text-anchor="middle">{10.0**tick:g} s</text>'
        )
    for tick in range(math.ceil(low), math.floor(high) + 1):
        x, y = place(left, tick).split(",")
        parts.append(f'<text x="{float(x) - 8}" y="{y}" text-anchor="end">1e{tick}</text>')
    for i, (solver, line) in enumerate(points.items()):
        colour = COLOURS[i % len(COLOURS)]
        path = " ".join(place(x, y) for x, y in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        x, y = WIDTH - 170 - MARGIN / 2, top + MARGIN + 18 * i
        parts.append(f'<text x="{x}" y="{y}" fill="{colour}">{solver}</text>')
    return "".join(parts)
