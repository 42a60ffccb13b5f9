"""Whether the page for drawing answers as the command does, in Chromium.

    python benchmarks/play_page.py MODEL.npz [--photos DIR] [--digits]

Draws 200 pictures on the page, and opens 100 photographs in it, as PNG (all orientations, with
transparency, grey) and as JPEG. Prints the largest difference from the command's probabilities and
how many answers are the same. Required: 1e-6 for PNG; for JPEG, where a pixel may be rounded
otherwise, 0.02 and the same answer for at least 99. --digits: draws twenty digits; required: 17
right answers.
"""

from __future__ import annotations

import argparse
import io
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "page"))

from play_page_driver import PlayPage, digits, random_strokes

from softmaxce.images.reading import read_pixels
from softmaxce.model.model_file import load_model
from softmaxce.numerics import softmax
from softmaxce.views.lesson import play

N_DRAWINGS, N_PHOTOS = 200, 100
ORIENTATION = 0x0112


def photographs(folder: Path | None, chance: random.Random) -> list[Image.Image]:
    """Photographs from the folder, or synthetic ones, of any size up to 1000 pixels."""
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder else []
    files = [path for path in files if path.suffix in (".png", ".jpg")]
    chosen = chance.sample(files, N_PHOTOS) if files else [None] * N_PHOTOS
    return [_photograph(path, chance) for path in chosen]


def _photograph(path: Path | None, chance: random.Random) -> Image.Image:
    size = chance.randint(20, 1000), chance.randint(20, 1000)
    if path:
        return Image.open(path).convert("RGB").resize(size)
    noise = np.random.default_rng(chance.randrange(2**32)).integers(0, 256, (12, 12, 3), np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


def encoded(image: Image.Image, number: int, suffix: str) -> bytes:
    """The photograph in a file, with one of the orientations; every third PNG is transparent, and
    every fifth picture grey."""
    if number % 5 == 0:
        image = image.convert("L")
    if number % 3 == 0 and suffix == "PNG":
        alpha = Image.linear_gradient("L").resize(image.size)
        image = Image.merge("RGBA", (*image.convert("RGB").split(), alpha))
    exif = Image.Exif()
    exif[ORIENTATION] = number % 8 + 1
    stream = io.BytesIO()
    image.save(stream, suffix, exif=exif, quality=90)
    return stream.getvalue()


class Comparison:
    """The page's probabilities beside the command's."""

    def __init__(self, page: PlayPage, model: Any) -> None:
        self.page, self.model = page, model
        self.differences: list[float] = []
        self.n_same = 0

    def add(self, content: bytes) -> None:
        """Compare what the page shows with the command's probabilities for the file."""
        pixels = read_pixels(content, self.model.preprocessing)
        expected = softmax(self.model.logits(pixels[np.newaxis, :])[0])
        ours = np.array(self.page.probabilities())
        self.differences.append(float(np.abs(ours - expected).max()))
        self.n_same += int(ours.argmax() == expected.argmax())

    def report(self, what: str) -> None:
        """Print the figures."""
        worst, n = max(self.differences), len(self.differences)
        within = sum(difference <= 1e-6 for difference in self.differences)
        print(
            f"{what}: {n} pictures, {self.n_same} same answers, largest difference {worst:.1e}, "
            f"{within} within 1e-6",
            flush=True,
        )


def main() -> None:
    """Print the figures for one model."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--digits", action="store_true")
    options = parser.parse_args()
    model = load_model(options.model)
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "play.html"
        path.write_text(play.as_text(model, str, "en"), "utf-8")
        print(f"{options.model}: {path.stat().st_size / 1e6:.2f} MB", flush=True)
        with PlayPage.opened(path) as page:
            drawings = Comparison(page, model)
            page.set(centre=False, dark=False)
            for _ in range(N_DRAWINGS):
                page.clear()
                page.set(centre=False, dark=False)
                page.draw(random_strokes(chance))
                drawings.add(page.paper())
            drawings.report("drawings")
            photos = photographs(options.photos, chance)
            for suffix in ("PNG", "JPEG"):
                compared = Comparison(page, model)
                for number, photo in enumerate(photos):
                    content = encoded(photo, number, suffix)
                    page.open(content, f"photo.{suffix.lower()}")
                    compared.add(content)
                compared.report(suffix)
            if options.digits:
                right = 0
                for digit, strokes in digits():
                    page.clear()
                    page.draw(strokes)
                    right += page.answer() == digit
                print(f"digits: {right} of 20 right")


if __name__ == "__main__":
    main()
