"""The page for drawing in a browser: drawing on it and opening files, and what it answers."""

from __future__ import annotations

import base64
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lesson_page_driver import Page

Point = tuple[float, float]
Strokes = list[list[Point]]

DRAW = """
const [strokes] = arguments;
const paper = document.getElementById("paper");
const { left, top, width, height } = paper.getBoundingClientRect();
paper.setPointerCapture = () => {};
const send = (type, [x, y], buttons) => {
  const place = { clientX: left + x * width, clientY: top + y * height };
  paper.dispatchEvent(new PointerEvent(type, { ...place, buttons, pointerId: 1, bubbles: true }));
};
for (const stroke of strokes) {
  send("pointerdown", stroke[0], 1);
  stroke.slice(1).forEach((point) => send("pointermove", point, 1));
  send("pointerup", stroke.at(-1), 0);
}
"""
OPEN = """
const [content, name, done] = arguments;
const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
const frame = (then) => requestAnimationFrame(then);
openFile(new File([bytes], name)).then(() => frame(() => frame(done)));
"""


class PlayPage(Page):
    """One page for drawing."""

    def draw(self, strokes: Strokes) -> None:
        """Draw with the mouse; points from 0 to 1."""
        self.run(DRAW, strokes)
        self.wait_for_frame()

    def open(self, content: bytes, name: str) -> None:
        """Open a picture, as if it were dropped."""
        text = base64.b64encode(content).decode("ascii")
        self.browser.execute_async_script(OPEN, text, name)

    def clear(self) -> None:
        """Press the button."""
        self.run("document.getElementById('clear').click()")
        self.wait_for_frame()

    def set(self, **options: bool) -> None:
        """Check or clear check boxes."""
        for name, value in options.items():
            script = "const box = document.getElementById(arguments[0]); "
            script += "if (box.checked !== arguments[1]) box.click()"
            self.run(script, name, value)
        self.wait_for_frame()

    def paper(self) -> bytes:
        """What is on the paper, as PNG."""
        return self._png("document.getElementById('paper')")

    def seen(self) -> bytes:
        """What the model sees, as PNG."""
        return self._png("document.querySelector('.seen')")

    def _png(self, canvas: str) -> bytes:
        address = self.run(f"return {canvas}.toDataURL()")
        return base64.b64decode(address.partition(",")[2])

    def probabilities(self) -> list[float]:
        """As the strip shows them."""
        return list(self.strip()["probabilities"])

    def answer(self) -> str:
        """The class."""
        return self.text("#answer")

    @staticmethod
    @contextmanager
    def opened(path: Path, *switches: str) -> Iterator[PlayPage]:
        """The page in a browser of its own."""
        from selenium import webdriver

        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or ""
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            own = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}")
            for switch in (*own, *switches):
                options.add_argument(switch)
            options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
            service = webdriver.ChromeService(shutil.which("chromedriver"))
            browser: Any = webdriver.Chrome(options, service)
            try:
                yield PlayPage(browser, path)
            finally:
                browser.quit()


def random_strokes(chance: random.Random) -> Strokes:
    """One to four strokes of up to nine points."""

    def points() -> list[Point]:
        return [(chance.random(), chance.random()) for _ in range(chance.randint(1, 9))]

    return [points() for _ in range(chance.randint(1, 4))]


def _arc(x: float, y: float, width: float, height: float, start: int, end: int) -> list[Point]:
    """Part of an ellipse; angles in degrees, clockwise from the right."""
    from math import cos, radians, sin

    step = 10 if end > start else -10
    angles = [radians(angle) for angle in range(start, end + step, step)]
    return [(x + width * cos(angle), y + height * sin(angle)) for angle in angles]


# Each digit in two hands; points from 0 to 1.
DIGITS: dict[str, tuple[Strokes, Strokes]] = {
    "0": ([_arc(0.5, 0.5, 0.2, 0.33, 0, 360)], [_arc(0.45, 0.55, 0.17, 0.25, -90, 270)]),
    "1": ([[(0.5, 0.15), (0.5, 0.85)]], [[(0.6, 0.2), (0.45, 0.8)]]),
    "2": (
        [[*_arc(0.5, 0.35, 0.2, 0.18, 180, 390), (0.3, 0.82), (0.72, 0.82)]],
        [[*_arc(0.45, 0.32, 0.2, 0.16, 200, 400), (0.28, 0.75), (0.7, 0.78)]],
    ),
    "3": (
        [[*_arc(0.45, 0.33, 0.2, 0.17, 200, 450), *_arc(0.45, 0.67, 0.22, 0.18, -90, 160)]],
        [
            [
                (0.3, 0.2),
                *_arc(0.48, 0.34, 0.18, 0.15, -80, 90),
                *_arc(0.46, 0.66, 0.2, 0.18, -90, 150),
            ]
        ],
    ),
    "4": (
        [[(0.32, 0.18), (0.3, 0.5), (0.68, 0.5)], [(0.66, 0.18), (0.64, 0.85)]],
        [[(0.35, 0.22), (0.32, 0.52), (0.7, 0.48)], [(0.66, 0.25), (0.6, 0.85)]],
    ),
    "5": (
        [[(0.68, 0.18), (0.38, 0.18), (0.36, 0.45), *_arc(0.47, 0.62, 0.2, 0.2, -100, 150)]],
        [[(0.7, 0.2), (0.4, 0.22), (0.36, 0.48), *_arc(0.45, 0.65, 0.18, 0.17, -110, 160)]],
    ),
    "6": (
        [[(0.6, 0.15), (0.42, 0.35), *_arc(0.5, 0.65, 0.16, 0.18, 180, 540)]],
        [[(0.55, 0.18), (0.38, 0.45), *_arc(0.48, 0.66, 0.14, 0.15, 180, 540)]],
    ),
    "7": (
        [[(0.28, 0.2), (0.7, 0.2), (0.45, 0.85)]],
        [[(0.3, 0.25), (0.68, 0.22), (0.52, 0.55), (0.46, 0.82)]],
    ),
    "8": (
        [[*_arc(0.5, 0.33, 0.15, 0.16, 90, 450)], [*_arc(0.5, 0.67, 0.18, 0.18, -90, 270)]],
        [[*_arc(0.52, 0.34, 0.13, 0.14, 90, 450)], [*_arc(0.48, 0.64, 0.15, 0.16, -80, 280)]],
    ),
    "9": (
        [[*_arc(0.48, 0.35, 0.16, 0.16, 0, 360), (0.64, 0.35), (0.6, 0.85)]],
        [[*_arc(0.47, 0.37, 0.14, 0.15, -20, 340), (0.6, 0.35), (0.52, 0.82)]],
    ),
}


def digits() -> list[tuple[str, Strokes]]:
    """Twenty digits, each drawn twice."""
    return [(digit, strokes) for digit, hands in DIGITS.items() for strokes in hands]
