"""The lesson page of an image in a real browser: what a pixel adds, the vector, the templates."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from helpers import PETS
from lesson_page_driver import Page, explained

from softmaxce.images.reading import read_pixels
from softmaxce.lesson.picture import Picture
from softmaxce.model.model_file import load_model
from softmaxce.views.lesson.formatting import number

pytestmark = pytest.mark.slow

CAT = str(PETS / "test" / "cat" / "cat-001.png")
KINDS = {
    "coloured": [],
    "grey": ["--color", "gray", "--size", "30x20"],
    "hidden": ["--hidden", "16"],
    "patches": ["--features", "patches"],
}
RIGHT, LEFT, UP, DOWN, SHIFT = "\ue014", "\ue012", "\ue013", "\ue015", "\ue008"


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Kind → the path of a model of the sample data."""
    folder = tmp_path_factory.mktemp("models")
    for kind, options in KINDS.items():
        words = ["train", PETS / "train", "-o", folder / f"{kind}.npz", "--quiet", *options]
        command = [sys.executable, "-m", "softmaxce", *map(str, words)]
        subprocess.run(command, check=True, capture_output=True)
    return {kind: str(folder / f"{kind}.npz") for kind in KINDS}


@dataclass
class Shown:
    """A page, and the picture that it shows."""

    page: Page
    picture: Picture
    classes: list[int]  # the winner and the true class
    command: list[str]

    @property
    def rows(self) -> list[list[str]]:
        """What is written about the place: the rows of the table."""
        script = "return [...document.querySelectorAll('#place tbody tr')].map("
        return self.page.run(script + "(r) => [...r.cells].map((c) => c.textContent))")

    @property
    def title(self) -> str:
        return str(self.page.run("return document.querySelector('#place caption').textContent"))

    def expected(self, row: int, column: int) -> list[list[str]]:
        """The rows of the table for this place, from Python."""
        patches, (_, width, channels) = self.picture.model.patches, self.picture.shape
        if patches is not None:
            added = [
                patches.contributions(self.picture.pixels, self.picture.contributions(k))
                for k in self.classes
            ]
            return [[written(places[row, column]) for places in added]]
        indices = [(row * width + column) * channels + channel for channel in range(channels)]
        added = [self.picture.contributions(k) for k in self.classes]
        rows = [
            [str(i), str(self.picture.pixels[i]), *(written(values[i]) for values in added)]
            for i in indices
        ]
        if channels == 1:
            return rows
        sums = [self.picture.contribution_map(k)[row, column] for k in self.classes]
        rows.append(["", "", *map(written, sums)])
        names = ["red", "green", "blue", "sum"]
        return [[name, *cells] for name, cells in zip(names, rows, strict=True)]

    def resize(self, width: int) -> None:
        """Give the page another width; on a narrow page, nothing lies over the image."""
        self.page.resize(width, 900)
        self.page.run("document.querySelectorAll('#panel').forEach((d) => { d.open = false; })")

    def point_at(self, row: float, column: float) -> None:
        """Move the mouse to the middle of a pixel."""
        from selenium.webdriver import ActionChains

        view = self.page.find("#view")
        self.page.run("arguments[0].scrollIntoView({behavior: 'instant', block: 'center'})", view)
        height, width, _ = self.picture.shape
        right = ((column + 0.5) / width - 0.5) * view.size["width"]
        down = ((row + 0.5) / height - 0.5) * view.size["height"]
        actions = ActionChains(self.page.browser, duration=0)
        actions.move_to_element_with_offset(view, round(right), round(down)).perform()


def written(value: float) -> str:
    return number(float(value), 4 if value else 0)


@pytest.fixture
def show(open_page, models):
    """`show("hidden", "--label", "dog")`: the page of the cat's picture."""

    def show_it(kind: str, *words: str) -> Shown:
        command = [CAT, "-m", models[kind], *words]
        page = open_page(*command)
        model = load_model(models[kind])
        picture = Picture(model, read_pixels(CAT, model.preprocessing))
        page.run("document.getElementById('ask')?.click()")  # show what the questions hide
        state: Any = page.run("return softmaxce.state()")
        winner = int(np.argmax(picture.logits))
        classes = list(dict.fromkeys([winner, state["label"]]))
        return Shown(page, picture, classes, command)

    return show_it


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_holds_the_contributions_of_the_command(show, kind):
    shown = show(kind, "--label", "person")
    classes = shown.page.run("return DATA.image.classes")
    assert [c["name"] for c in classes] == [
        shown.picture.model.class_names[k] for k in shown.classes
    ]
    held = np.frombuffer(base64.b64decode(classes[0]["contributions"]), "<f8").tolist()
    steps = {step["name"]: step["numbers"] for step in explained(*shown.command)["steps"]}
    assert held == steps["logits"]["contributions"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [1280, 390])
def test_pointing_at_a_pixel_shows_its_numbers(show, kind, width):
    shown = show(kind, "--label", "person")
    shown.resize(width)
    reach = 0 if kind != "patches" else 2.5  # a patch is shown around the pointer
    for row, column in [(0, 0), (3, 17), (11, 5), (14, 26), (9, 19)]:
        shown.point_at(row + reach, column + reach)
        assert shown.title.startswith(f"Row {row}, column {column}")
        assert shown.rows == shown.expected(row, column)
    assert shown.page.errors() == []


def test_at_the_edges_the_last_place_is_shown(show):
    for kind, last in (("coloured", (31, 31)), ("grey", (19, 29)), ("patches", (26, 26))):
        shown = show(kind)
        height, width, _ = shown.picture.shape
        shown.point_at(height - 1, width - 1)
        assert shown.title.startswith("Row {}, column {}".format(*last))
        assert shown.rows == shown.expected(*last)


def test_a_channel_of_the_brightest_pixel_comes_first(show):
    shown = show("grey")
    numbers = explained(*shown.command)["steps"][0]["numbers"]
    assert shown.title == f"Row {numbers['row']}, column {numbers['column']}"
    assert shown.rows[0][:2] == [str(numbers["index"]), str(numbers["brightness"])]


@pytest.mark.parametrize("kind", KINDS)
def test_the_arrow_keys_move_the_frame(show, kind):
    shown = show(kind, "--label", "person")
    view = shown.page.find("#view")
    view.send_keys(SHIFT + LEFT * 4 + UP * 4)
    assert shown.title.startswith("Row 0, column 0")
    view.send_keys(LEFT + UP)
    assert shown.title.startswith("Row 0, column 0")
    view.send_keys(RIGHT * 3 + DOWN * 2)
    assert shown.title.startswith("Row 2, column 3")
    view.send_keys(SHIFT + RIGHT)
    assert shown.title.startswith("Row 2, column 13")
    assert shown.rows == shown.expected(2, 13)
    assert shown.page.find("#place").get_attribute("role") == "status"
    cursor = (
        "const c = document.getElementById('cursor').getBoundingClientRect();"
        "const v = document.getElementById('view').getBoundingClientRect();"
        "return [(c.x - v.x) / v.width, (c.y - v.y) / v.height]"
    )
    height, width, _ = shown.picture.shape
    assert shown.page.run(cursor) == pytest.approx([13 / width, 2 / height], abs=1e-4)


def test_a_finger_moves_the_frame(show):
    from selenium.webdriver.support.ui import WebDriverWait

    shown = show("grey")
    box = shown.page.run("return document.getElementById('view').getBoundingClientRect().toJSON()")

    def touch(kind: str, row: int, column: int) -> None:
        x = box["x"] + box["width"] * (column + 0.5) / 30
        y = box["y"] + box["height"] * (row + 0.5) / 20
        event = {"type": kind, "touchPoints": [{"x": x, "y": y}]}
        shown.page.browser.execute_cdp_cmd("Input.dispatchTouchEvent", event)

    touch("touchStart", 4, 7)
    wait = WebDriverWait(shown.page.browser, 5)
    wait.until(lambda _: shown.title == "Row 4, column 7")
    touch("touchMove", 5, 15)
    touch("touchMove", 5, 22)
    wait.until(lambda _: shown.title == "Row 5, column 22")
    assert shown.rows == shown.expected(5, 22)
    end = {"type": "touchEnd", "touchPoints": []}
    shown.page.browser.execute_cdp_cmd("Input.dispatchTouchEvent", end)


@pytest.mark.parametrize("kind", ["coloured", "grey"])
def test_the_vector_shows_where_the_index_is(show, kind):

    shown = show(kind)
    shown.point_at(7, 12)
    _, width, channels = shown.picture.shape
    index = (7 * width + 12) * channels
    assert shown.page.text("#index").endswith(f"= (7 · {width} + 12) · {channels} + 0 = {index}")
    cells = (
        "return [...document.querySelectorAll('#cells span')]"
        ".map((s) => [s.textContent, s.className])"
    )
    around = range(index - 4, index + channels + 4)
    here = range(index, index + channels)
    assert shown.page.run(cells) == [
        [str(shown.picture.pixels[i]), "here" if i in here else ""] for i in around
    ]
    share = index / len(shown.picture.pixels)
    mark, left, width = shown.page.run(
        "const mark = document.getElementById('mark'); const style = getComputedStyle(mark);"
        "return [style.getPropertyValue('--mark'), style.left, mark.parentNode.clientWidth]"
    )
    assert 100 * float(mark) == pytest.approx(100 * share, abs=1e-3)
    assert float(left.removesuffix("px")) == pytest.approx(width * share, abs=0.5)


@pytest.mark.parametrize("kind", ["coloured", "grey"])
def test_pointing_at_the_vector_moves_the_frame(show, kind):
    from selenium.webdriver import ActionChains

    shown = show(kind)
    vector = shown.page.find("#vector")
    for share in (0.1, 0.5, 0.9):
        right = round((share - 0.5) * vector.size["width"])
        actions = ActionChains(shown.page.browser, duration=0)
        actions.move_to_element_with_offset(vector, right, 0).perform()
        row, column = map(int, re.findall(r"\d+", shown.title))
        height, width, _ = shown.picture.shape
        assert (row * width + column) / (height * width) == pytest.approx(share, abs=3e-3)
        assert shown.rows == shown.expected(row, column)


def test_the_first_and_the_last_value_have_nothing_beside_them(show):
    shown = show("grey")
    cells = "return [...document.querySelectorAll('#cells span')].map((s) => s.textContent)"
    shown.point_at(0, 0)
    assert shown.page.run(cells)[:4] == [""] * 4
    shown.point_at(19, 29)
    assert shown.page.run(cells)[5:] == [""] * 4


def test_with_patch_features_there_is_no_vector(show):
    shown = show("patches")
    assert not shown.page.find("#vector").is_displayed()
    assert not shown.page.find("#image-row").is_displayed()
    assert "6 × 6 pixels" in shown.title


def test_the_contributions_are_drawn_onto_the_image(show):
    shown = show("coloured")
    opacities = (
        "return ['picture', 'overlay'].map("
        "(id) => getComputedStyle(document.getElementById(id)).opacity)"
    )
    assert shown.page.run(opacities) == ["1", "0"]
    blend = shown.page.find("#blend")
    blend.send_keys(RIGHT * 20)
    assert shown.page.run(opacities) == ["1", "1"]
    blend.send_keys(RIGHT * 20)
    assert shown.page.run(opacities) == ["0", "1"]
    same_place = (
        "const [a, b] = ['picture', 'overlay'].map("
        "(id) => document.getElementById(id).getBoundingClientRect());"
        "return [a.x - b.x, a.y - b.y, a.width - b.width, a.height - b.height]"
    )
    assert shown.page.run(same_place) == pytest.approx([0, 0, 0, 0], abs=0.5)


@pytest.mark.parametrize(("kind", "ratio"), [("coloured", 1), ("grey", 1.5)])
def test_the_image_is_first_large_and_pixelated(show, kind, ratio):
    shown = show(kind)
    size = shown.page.find("#view").size
    assert size["width"] == 352  # 22 rem
    assert size["width"] / size["height"] == pytest.approx(ratio, rel=0.01)
    style = "return getComputedStyle(document.getElementById('picture')).imageRendering"
    assert shown.page.run(style) == "pixelated"
    first = "return document.querySelector('main section img').id"
    assert shown.page.run(first) == "picture"
    shown.resize(390)
    room = shown.page.find("main").size["width"]
    assert shown.page.find("#view").size["width"] == min(352, room) >= 340


@pytest.mark.parametrize("width", [1280, 390])
def test_the_templates_of_winner_and_true_class_are_large(show, width):
    shown = show("coloured", "--label", "person")
    shown.resize(width)
    boxes = shown.page.run(
        "return [...document.querySelectorAll('#logits figure.pixels img')].map("
        "(i) => [i.closest('figure').classList.contains('large'), i.alt, i.width, i.offsetTop])"
    )
    assert [box[0] for box in boxes] == [True, True, False]
    names = shown.picture.model.class_names
    for (_, text, *_), k in zip(boxes, shown.classes, strict=False):
        assert names[k] in text
    assert boxes[0][3] == boxes[1][3]  # side by side
    assert boxes[0][2] == boxes[1][2] >= (300 if width == 1280 else 160)
    assert boxes[2][2] <= 130


def test_a_right_answer_has_one_large_template(show):
    shown = show("coloured")
    shown = show("coloured", "--label", shown.picture.model.class_names[shown.classes[0]])
    assert len(shown.page.browser.find_elements("css selector", "#logits figure.large")) == 1
    assert len(shown.page.browser.find_elements("css selector", "#place thead th")) == 4


@pytest.mark.parametrize("width", [1280, 390, 320])
@pytest.mark.parametrize("kind", KINDS)
def test_the_page_fits_its_window(show, kind, width):
    shown = show(kind, "--label", "person")
    shown.resize(width)
    assert shown.page.run("return document.documentElement.scrollWidth") <= width
    if width == 320:
        return  # a table may be scrolled
    over = "const b = document.querySelector('#place .table'); return b.scrollWidth - b.clientWidth"
    assert shown.page.run(over) <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(
    ("kind", "language"), [("coloured", "ko"), ("grey", "en"), ("patches", "en")]
)
def test_axe_finds_nothing_serious(show, kind, language, width, scheme):
    page = show(kind, "--label", "person", "--lang", language).page
    page.prefer(scheme)
    page.resize(width, 900)
    found = page.axe_findings()
    page.prefer("light")
    assert found == []


@pytest.mark.parametrize("kind", KINDS)
def test_no_request_is_made_and_nothing_is_wrong(show, kind):
    page = show(kind).page
    assert [url for url in page.requests() if not url.startswith("data:")] == [page.address]
    assert page.errors() == []
    broken = "return [...document.images].filter((i) => !i.complete || !i.naturalWidth).length"
    assert page.run(broken) == 0
