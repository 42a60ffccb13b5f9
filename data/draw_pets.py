"""Draw the sample data set: small RGB drawings of cats, dogs and people.

    python data/draw_pets.py [--output DIR]

writes DIR/train/<class>/<class>-001.png … and DIR/test/…, the same pixels on every machine:

- each image has its own random generator, seeded by split, class and index, so that adding or
  changing one image never changes another;
- every shape is a polygon on a grid of whole sub-pixels, filled row by row with rectangles,
  so nothing depends on how a version of Pillow rounds its ellipses and lines.
"""

from __future__ import annotations

import argparse
import math
import zlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from random import Random

from PIL import Image

Colour = tuple[int, int, int]
Point = tuple[float, float]

SIDE = 32  # pixels
OVERSAMPLING = 4  # sub-pixels per pixel and direction; their mean makes the edges smooth
N_IMAGES = {"train": 90, "test": 40}  # per class

# No search for repeats, in which builds of zlib differ: so the files are byte-identical too.
COMPRESSION = zlib.Z_HUFFMAN_ONLY

BLACK, WHITE, PINK = (34, 30, 34), (248, 246, 240), (232, 120, 130)
COATS = [
    (226, 142, 60),  # ginger
    (210, 164, 96),  # golden
    (130, 88, 56),  # brown
    (128, 128, 138),  # grey
    (60, 55, 60),  # black
    (234, 222, 202),  # cream
]
EYES = [(120, 200, 90), (230, 200, 70), (110, 190, 220)]
SKINS = [(250, 216, 188), (232, 184, 146), (190, 134, 92), (134, 90, 60), (96, 64, 46)]
HAIRS = [(40, 30, 28), (92, 58, 34), (206, 160, 80), (168, 74, 40), (150, 146, 146)]
CLOTHES = [
    (206, 58, 56),
    (44, 96, 176),
    (240, 190, 60),
    (52, 140, 90),
    (124, 72, 150),
    (236, 236, 232),
]
TROUSERS = [(44, 58, 98), (70, 66, 70), (120, 92, 66), (90, 110, 140)]
WALLS = [(244, 226, 200), (204, 222, 214), (222, 210, 232), (238, 206, 196), (198, 212, 228)]
FLOORS = [(186, 142, 100), (150, 116, 92), (170, 164, 160), (176, 120, 110)]
SKIES = [(158, 206, 240), (196, 222, 240), (246, 206, 160), (126, 170, 214)]
MEADOWS = [(120, 178, 84), (150, 190, 96), (96, 150, 90), (206, 190, 130)]


def shade(colour: Colour, factor: float) -> Colour:
    """The colour made darker (factor below 1) or lighter (above 1)."""
    red, green, blue = (min(255, round(channel * factor)) for channel in colour)
    return red, green, blue


class Canvas:
    """An image being drawn. Points are in the figure's units: x to the right and y down, the head
    near y = -1 and the feet at y = 1; `place` maps them to the image."""

    def __init__(self) -> None:
        self.image = Image.new("RGB", (SIDE * OVERSAMPLING, SIDE * OVERSAMPLING))
        self.place((0.5, 0.5), (0.5, 0.5), 0.0)

    def place(self, centre: Point, scale: Point, lean: float) -> None:
        """Set the figure's centre and scale (as fractions of the image side) and tilt (radians).

        A negative first scale mirrors the figure.
        """
        self.centre, self.scale, self.lean = centre, scale, lean

    def to_grid(self, point: Point) -> tuple[int, int]:
        """The nearest corner of the sub-pixel grid."""
        x, y = point[0] * self.scale[0], point[1] * self.scale[1]
        cos, sin = math.cos(self.lean), math.sin(self.lean)
        side = SIDE * OVERSAMPLING
        return (
            round(side * (self.centre[0] + x * cos - y * sin)),
            round(side * (self.centre[1] + x * sin + y * cos)),
        )

    def polygon(self, colour: Colour, points: Sequence[Point]) -> None:
        """Fill row by row, between every other pair of crossings with the edges."""
        corners = [self.to_grid(point) for point in points]
        edges = list(zip(corners, corners[1:] + corners[:1], strict=True))
        rows = [y for _, y in corners]
        for row in range(max(0, min(rows)), min(self.image.height, max(rows))):
            middle = row + 0.5
            crossings = sorted(
                round(x0 + (middle - y0) * (x1 - x0) / (y1 - y0))
                for (x0, y0), (x1, y1) in edges
                if (y0 < middle) != (y1 < middle)
            )
            for left, right in zip(crossings[::2], crossings[1::2], strict=True):
                if left < right:
                    self.image.paste(colour, (left, row, right, row + 1))

    def rectangle(self, colour: Colour, corner: Point, opposite: Point) -> None:
        (x0, y0), (x1, y1) = corner, opposite
        self.polygon(colour, [(x0, y0), (x1, y0), (x1, y1), (x0, y1)])

    def ellipse(self, colour: Colour, centre: Point, radii: Point, tilt: float = 0.0) -> None:
        cos, sin = math.cos(tilt), math.sin(tilt)
        rim = []
        for step in range(32):
            x = radii[0] * math.cos(step * math.pi / 16)
            y = radii[1] * math.sin(step * math.pi / 16)
            rim.append((centre[0] + x * cos - y * sin, centre[1] + x * sin + y * cos))
        self.polygon(colour, rim)

    def stroke(self, colour: Colour, width: float, *points: Point) -> None:
        """A line of that width through the points, with round joints and ends."""
        half = width / 2
        for (x0, y0), (x1, y1) in pairwise(points):
            length = math.hypot(x1 - x0, y1 - y0)
            x, y = half * (y1 - y0) / length, half * (x0 - x1) / length
            self.polygon(
                colour, [(x0 + x, y0 + y), (x1 + x, y1 + y), (x1 - x, y1 - y), (x0 - x, y0 - y)]
            )
        for point in points:
            self.ellipse(colour, point, (half, half))


def draw_scene(canvas: Canvas, rng: Random) -> None:
    """Indoors or outdoors, with one or two objects that are unrelated to the class."""
    outdoors = rng.random() < 0.5
    light = rng.uniform(0.85, 1.05)
    horizon = rng.uniform(0.1, 0.65)
    far = shade(rng.choice(SKIES if outdoors else WALLS), light)
    near = shade(rng.choice(MEADOWS if outdoors else FLOORS), light)
    canvas.rectangle(far, (-1, -1), (1, 1))
    x, y = rng.uniform(-0.9, 0.9), rng.uniform(-0.85, -0.4)
    if outdoors:
        canvas.ellipse(rng.choice([WHITE, (255, 232, 120)]), (x, y), (rng.uniform(0.12, 0.3), 0.14))
        if rng.random() < 0.5:
            tree = rng.choice([-1, 1]) * rng.uniform(0.6, 0.95)
            canvas.stroke((112, 80, 56), 0.12, (tree, -0.2), (tree, horizon))
            canvas.ellipse(shade(near, 0.7), (tree, -0.3), (0.3, rng.uniform(0.3, 0.45)))
    elif rng.random() < 0.6:
        canvas.rectangle(WHITE, (x - 0.26, y - 0.26), (x + 0.26, y + 0.3))
        canvas.rectangle(rng.choice(SKIES + CLOTHES), (x - 0.2, y - 0.2), (x + 0.2, y + 0.24))
    canvas.rectangle(near, (-1, horizon), (1, 1))
    if rng.random() < 0.35:
        ball = rng.choice([-1, 1]) * rng.uniform(0.5, 0.85), rng.uniform(0.65, 0.85)
        canvas.ellipse(rng.choice(CLOTHES), ball, (0.13, 0.13))


def draw_cat(canvas: Canvas, rng: Random) -> None:
    coat = shade(rng.choice(COATS), rng.uniform(0.85, 1.15))
    dark = shade(coat, 0.72)
    bib = rng.choice([coat, WHITE, shade(coat, 1.25)])
    swing = rng.uniform(-0.1, 0.1)
    if rng.random() < 0.5:  # sits and looks at us
        head = rng.uniform(-0.08, 0.08), rng.uniform(-0.4, -0.3)
        tail = [(0.4, 0.85), (0.8, 0.75), (0.88, 0.4), (0.74 + swing, 0.05), (0.86 + swing, -0.2)]
        canvas.stroke(coat, 0.17, *tail)
        canvas.ellipse(coat, (0, 0.5), (0.5, 0.52))
        canvas.ellipse(bib, (0, 0.38), (0.24, 0.36))
        for side in (-1, 1):
            canvas.ellipse(dark, (side * 0.22, 0.93), (0.17, 0.1))
    else:  # walks, tail up
        head = rng.uniform(-0.64, -0.5), rng.uniform(-0.3, -0.15)
        canvas.stroke(coat, 0.16, (0.62, 0.2), (0.82, -0.1), (0.8, -0.5), (0.92 + swing, -0.8))
        for x in (-0.42, -0.2, 0.4, 0.6):
            canvas.stroke(dark if x in (-0.2, 0.4) else coat, 0.17, (x, 0.4), (x + swing, 0.93))
        canvas.ellipse(coat, (0.1, 0.3), (0.7, 0.33))
        if bib == coat:
            for x in (-0.1, 0.15, 0.4):
                canvas.stroke(dark, 0.08, (x, 0.0), (x + 0.04, 0.3))
    draw_cat_head(canvas, rng, head, coat, bib)


def draw_cat_head(canvas: Canvas, rng: Random, head: Point, coat: Colour, bib: Colour) -> None:
    x, y = head
    for side in (-1, 1):
        ear = [(0.42, 0.0), (0.4, -0.64), (0.04, -0.25)]
        inside = [(0.33, -0.2), (0.34, -0.46), (0.18, -0.28)]
        for colour, corners in ((coat, ear), (PINK, inside)):
            canvas.polygon(colour, [(x + side * dx, y + dy) for dx, dy in corners])
    canvas.ellipse(coat, (x, y), (0.44, 0.37))
    canvas.ellipse(bib, (x, y + 0.18), (0.22, 0.16))
    iris = rng.choice(EYES)
    whiskers = WHITE if sum(coat) < 480 else BLACK
    for side in (-1, 1):
        canvas.ellipse(iris, (x + side * 0.18, y - 0.04), (0.1, 0.1))
        canvas.ellipse(BLACK, (x + side * 0.18, y - 0.04), (0.045, 0.1))
        for tip in (0.08, 0.2):
            canvas.stroke(whiskers, 0.03, (x + side * 0.2, y + 0.15), (x + side * 0.62, y + tip))
    canvas.polygon(PINK, [(x - 0.07, y + 0.08), (x + 0.07, y + 0.08), (x, y + 0.17)])


def draw_dog(canvas: Canvas, rng: Random) -> None:
    coat = shade(rng.choice(COATS), rng.uniform(0.85, 1.15))
    dark = shade(coat, 0.66)
    collar = rng.choice(CLOTHES)
    wag = rng.uniform(-0.15, 0.15)
    if rng.random() < 0.5:  # sits and looks at us
        x, y = rng.uniform(-0.08, 0.08), rng.uniform(-0.42, -0.3)
        canvas.stroke(coat, 0.15, (0.4, 0.85), (0.72, 0.7), (0.86 + wag, 0.42))
        canvas.ellipse(coat, (0, 0.52), (0.52, 0.5))
        canvas.ellipse(shade(coat, 1.25), (0, 0.5), (0.22, 0.36))
        for side in (-1, 1):
            canvas.ellipse(dark, (side * 0.25, 0.92), (0.19, 0.11))
        canvas.stroke(collar, 0.13, (x - 0.26, 0.1), (x + 0.26, 0.1))
        draw_dog_face(canvas, rng, (x, y), coat)
    else:  # stands and looks aside
        canvas.stroke(coat, 0.14, (0.6, 0.15), (0.82, -0.1), (0.95 + wag, -0.35))
        for x in (-0.42, -0.22, 0.42, 0.62):
            canvas.stroke(dark if x in (-0.22, 0.42) else coat, 0.18, (x, 0.4), (x, 0.92))
        canvas.ellipse(coat, (0.1, 0.26), (0.7, 0.33))
        canvas.stroke(coat, 0.4, (-0.4, 0.1), (-0.5, -0.2))
        canvas.stroke(collar, 0.12, (-0.64, 0.02), (-0.26, -0.04))
        draw_dog_profile(canvas, rng, (-0.52, rng.uniform(-0.42, -0.3)), coat)


def draw_dog_face(canvas: Canvas, rng: Random, head: Point, coat: Colour) -> None:
    x, y = head
    dark = shade(coat, 0.6)
    canvas.ellipse(coat, (x, y), (0.42, 0.4))
    if rng.random() < 0.4:
        canvas.ellipse(dark, (x + 0.18, y - 0.1), (0.17, 0.17))
    for side in (-1, 1):
        canvas.ellipse(
            dark, (x + side * 0.45, y + 0.08), (0.15, 0.38), -side * rng.uniform(0.1, 0.35)
        )
        canvas.ellipse(WHITE, (x + side * 0.17, y - 0.1), (0.08, 0.08))
        canvas.ellipse(BLACK, (x + side * 0.17, y - 0.09), (0.06, 0.06))
    if rng.random() < 0.7:
        canvas.ellipse(PINK, (x, y + 0.4), (0.1, 0.18))
    canvas.ellipse(shade(coat, 1.3), (x, y + 0.2), (0.24, 0.19))
    canvas.ellipse(BLACK, (x, y + 0.11), (0.12, 0.08))


def draw_dog_profile(canvas: Canvas, rng: Random, head: Point, coat: Colour) -> None:
    x, y = head
    if rng.random() < 0.5:
        canvas.ellipse(PINK, (x - 0.34, y + 0.26), (0.07, 0.17))
    canvas.ellipse(shade(coat, 1.12), (x - 0.28, y + 0.1), (0.3, 0.15))
    canvas.ellipse(coat, (x, y), (0.33, 0.32))
    canvas.ellipse(BLACK, (x - 0.54, y + 0.03), (0.09, 0.08))
    canvas.ellipse(WHITE, (x - 0.14, y - 0.08), (0.08, 0.08))
    canvas.ellipse(BLACK, (x - 0.15, y - 0.07), (0.06, 0.06))
    canvas.ellipse(shade(coat, 0.6), (x + 0.18, y + 0.12), (0.15, 0.34), -rng.uniform(0.0, 0.4))


def draw_person(canvas: Canvas, rng: Random) -> None:
    skin, hair = rng.choice(SKINS), rng.choice(HAIRS)
    shirt, trousers = rng.choice(CLOTHES), rng.choice(TROUSERS)
    stance = rng.uniform(0.1, 0.28)
    skirt = rng.random() < 0.35
    for side in (-1, 1):
        canvas.stroke(skin if skirt else trousers, 0.2, (side * 0.12, 0.3), (side * stance, 0.9))
        canvas.ellipse(BLACK, (side * (stance + 0.04), 0.95), (0.15, 0.08))
        arm = rng.choice([(0.42, 0.3), (0.62, 0.0), (0.66, -0.42), (0.46, -0.85)])
        elbow = (side * 0.44, -0.05 if arm[1] > -0.2 else -0.2)
        hand = (side * arm[0], arm[1] + rng.uniform(-0.08, 0.08))
        canvas.stroke(shade(shirt, 0.85), 0.15, (side * 0.25, -0.26), elbow)
        canvas.stroke(skin, 0.13, elbow, hand)
    if skirt:
        canvas.polygon(trousers, [(-0.22, 0.1), (0.22, 0.1), (0.42, 0.6), (-0.42, 0.6)])
    canvas.polygon(shirt, [(-0.32, -0.32), (0.32, -0.32), (0.25, 0.3), (-0.25, 0.3)])
    canvas.ellipse(shirt, (0, -0.3), (0.32, 0.12))
    canvas.stroke(skin, 0.15, (0, -0.45), (0, -0.34))
    canvas.ellipse(hair, (0, -0.72), (0.3, 0.29))
    canvas.ellipse(skin, (0, -0.64), (0.25, 0.26))
    long_hair = rng.random() < 0.45
    for side in (-1, 1):
        canvas.ellipse(BLACK, (side * 0.1, -0.66), (0.05, 0.05))
        if long_hair:
            canvas.stroke(hair, 0.15, (side * 0.23, -0.76), (side * 0.3, -0.3))
    canvas.stroke(shade(PINK, 0.8), 0.05, (-0.08, -0.51), (0.08, -0.51))


DRAW = {"cat": draw_cat, "dog": draw_dog, "person": draw_person}


def add_noise(image: Image.Image, rng: Random) -> Image.Image:
    """Make each pixel slightly lighter or darker, in coarse steps that keep the files small."""
    step = rng.choice([3, 6, 9])
    pixels = bytearray(image.tobytes())
    for start in range(0, len(pixels), 3):
        change = step * (rng.randrange(3) - 1)
        for at in range(start, start + 3):
            pixels[at] = min(255, max(0, pixels[at] + change))
    return Image.frombytes("RGB", image.size, bytes(pixels))


def draw_image(class_name: str, split: str, index: int) -> Image.Image:
    """One image; every pixel depends only on its class, split and index."""
    rng = Random(f"{split}/{class_name}-{index:03d}")
    canvas = Canvas()
    draw_scene(canvas, rng)
    size = rng.uniform(0.31, 0.44)
    centre = rng.uniform(0.42, 0.58), rng.uniform(0.48, 0.55)
    stretch = rng.choice([-1, 1]) * rng.uniform(0.92, 1.08)
    canvas.place(centre, (size * stretch, size), rng.uniform(-0.1, 0.1))
    DRAW[class_name](canvas, rng)
    return add_noise(canvas.image.reduce(OVERSAMPLING), rng)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the pictures of cats, dogs and persons.")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(__file__).parent / "pets",
        metavar="DIR",
        help="folder to write train/ and test/ into (default: pets beside this script)",
    )
    output = parser.parse_args().output
    for split, n_images in N_IMAGES.items():
        for class_name in DRAW:
            folder = output / split / class_name
            folder.mkdir(parents=True, exist_ok=True)
            for index in range(1, n_images + 1):
                picture = draw_image(class_name, split, index)
                picture.save(folder / f"{class_name}-{index:03d}.png", compress_type=COMPRESSION)


if __name__ == "__main__":
    main()
