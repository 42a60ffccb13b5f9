"""The page for drawing in a real browser: its answers, its controls, its accessibility."""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from lesson_page_driver import explain
from PIL import Image
from play_page_driver import PlayPage, random_strokes

from softmaxce.images.reading import read_pixels
from softmaxce.model.model_file import load_model
from softmaxce.numerics import softmax

pytestmark = pytest.mark.slow

PETS = Path(__file__).parents[2] / "data" / "pets"
PHOTOS = sorted(PETS.glob("test/*/*.png"))
OPTIONS = {"pixels": [], "hidden": ["--hidden", "32"], "patches": ["--features", "patches:64"]}
ORIENTATION = 0x0112


@pytest.fixture(scope="session")
def model_file(tmp_path_factory):
    """`model_file("pixels")`: a model trained on the pets."""
    folder, made = tmp_path_factory.mktemp("models"), {}

    def trained(kind):
        if kind not in made:
            made[kind] = path = folder / f"{kind}.npz"
            command = [sys.executable, "-m", "softmaxce", "train", str(PETS), "--size", "24"]
            subprocess.run([*command, *OPTIONS[kind], "-o", str(path)], check=True)
        return made[kind]

    return trained


@pytest.fixture
def open_model(browser, tmp_path, model_file):
    """`open_model("pixels", "--lang", "ko")`: the page of a model, and the model."""

    def open_it(kind="pixels", *words):
        path = tmp_path / "play.html"
        explain("-m", str(model_file(kind)), *words, "--format", "html", "-o", str(path))
        return PlayPage(browser, path), load_model(model_file(kind))

    return open_it


def difference(page, model, content):
    """Between the page's probabilities and those of the command for a file."""
    pixels = read_pixels(content, model.preprocessing)
    expected = softmax(model.logits(pixels[np.newaxis, :])[0])
    return float(np.abs(np.array(page.probabilities()) - expected).max())


def encoded(image, number, suffix="PNG"):
    """A file with one of the orientations; some are grey, some transparent."""
    image = image.convert("L" if number % 5 == 0 else "RGB")
    if number % 3 == 0 and suffix == "PNG":
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    exif = Image.Exif()
    exif[ORIENTATION] = number % 8 + 1
    stream = io.BytesIO()
    image.save(stream, suffix, exif=exif)
    return stream.getvalue()


def photographs(n):
    chance = random.Random(0)
    for number in range(n):
        size = chance.randint(20, 400), chance.randint(20, 400)
        yield number, Image.open(PHOTOS[number]).convert("RGB").resize(size)


# A byte of a patch feature is rounded; the command sums in single precision, the page in double.
TOLERANCES = {"pixels": 1e-6, "hidden": 1e-6, "patches": 0.002}


@pytest.mark.parametrize("kind", OPTIONS)
def test_drawings_and_png_files_are_answered_as_by_the_command(open_model, kind):
    page, model = open_model(kind)
    chance = random.Random(1)
    for _ in range(14):
        page.clear()
        page.draw(random_strokes(chance))
        assert difference(page, model, page.paper()) <= TOLERANCES[kind]
        assert difference(page, model, page.seen()) <= TOLERANCES[kind]
    for number, photo in photographs(12):
        content = encoded(photo, number)
        page.open(content, "photo.png")
        assert difference(page, model, content) <= TOLERANCES[kind]
    assert page.errors() == []


def test_jpeg_files_are_answered_nearly_as_by_the_command(open_model):
    page, model = open_model()
    for number, photo in photographs(20):
        content = encoded(photo, number, "JPEG")
        page.open(content, "photo.jpg")
        assert difference(page, model, content) <= 0.005


def test_the_command_gives_the_numbers_of_a_saved_drawing(open_model, model_file, tmp_path):
    page, _ = open_model()
    page.draw([[(0.2, 0.3), (0.7, 0.6)], [(0.4, 0.9), (0.8, 0.2)]])
    path = tmp_path / "picture.png"
    path.write_bytes(page.seen())
    words = ["explain", str(path), "-m", str(model_file("pixels")), "--format", "json"]
    done = subprocess.run(
        [sys.executable, "-m", "softmaxce", *words], capture_output=True, check=True
    )
    assert page.probabilities() == pytest.approx(json.loads(done.stdout)["probabilities"], abs=1e-6)


def test_the_logits_of_a_linear_model_cancel(open_model):
    page, _ = open_model()
    assert "Your logits cancel: they sum to 0" in page.text("#shares")


def test_everything_follows_the_drawing(open_model):
    page, model = open_model()
    before = page.text("#stages"), page.text("#softmax")
    page.draw([[(0.1, 0.1), (0.9, 0.9)], [(0.1, 0.9), (0.9, 0.1)]])
    assert page.text("#stages") != before[0]
    assert page.text("#softmax") != before[1]
    winner = model.class_names[int(np.argmax(page.probabilities()))]
    assert page.answer() == winner
    assert winner in page.text("#added-text")
    assert "scaled to 24 × 24" in page.text("#done")
    page.find("#true-1").click()
    page.find("#reset").click()  # back to the drawing's numbers, not to those of a blank paper
    assert page.answer() == winner
    assert page.text("#stages") != before[0]
    page.clear()
    assert page.text("#softmax") == before[1]
    assert page.errors() == []


def test_it_can_be_drawn_on_with_the_keyboard(open_model):
    page, _ = open_model()
    blank = page.paper()
    paper = page.find("#paper")
    paper.send_keys("\ue014" * 4)
    page.wait_for_frame()
    assert page.paper() == blank  # the pen is up
    paper.send_keys(" " + "\ue014" * 5 + "\ue015" * 3 + " " + "\ue012")
    page.wait_for_frame()
    ink = np.asarray(Image.open(io.BytesIO(page.paper())).convert("L")) < 128
    assert ink.sum() > 1000
    rows, columns = np.nonzero(ink)
    assert np.ptp(columns) > 40
    assert np.ptp(rows) > 30


def test_a_file_can_be_chosen_and_a_broken_one_is_refused(open_model, tmp_path):
    page, model = open_model()
    page.find("#file").send_keys(str(PHOTOS[0]))
    page.browser.implicitly_wait(1)
    page.run("return new Promise((done) => setTimeout(done, 500))")
    assert difference(page, model, PHOTOS[0].read_bytes()) <= 1e-6
    page.open(b"not a picture", "x.png")
    assert "cannot be read" in page.text("#problem")
    page.open(PHOTOS[1].read_bytes()[:900], "x.png")
    assert "cannot be read" in page.text("#problem")


def test_a_browser_without_a_camera_says_so(open_model):
    page, _ = open_model()
    page.find("#camera").click()
    page.run("return new Promise((done) => setTimeout(done, 500))")
    assert "camera cannot be used" in page.text("#problem")
    assert page.find("#camera").get_attribute("aria-pressed") == "false"


def test_the_camera_is_answered_until_it_is_switched_off(browser, tmp_path, model_file):
    path = tmp_path / "play.html"
    explain("-m", str(model_file("pixels")), "-o", str(path))
    fake = "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"
    with PlayPage.opened(path, *fake) as page:
        page.find("#camera").click()
        wait = "return new Promise((done) => setTimeout(done, 1500))"
        page.run(wait)
        first = page.seen()
        page.set(centre=True)
        page.run(wait)
        assert page.seen() != first
        assert "cropped and centred" in page.text("#done")  # the choice stays
        page.find("#camera").click()
        page.run(wait)
        last = page.seen()
        page.run(wait)
        assert page.seen() == last
        assert page.errors() == []


def test_no_network_request_is_made(open_model):
    page, _ = open_model()
    page.draw([[(0.1, 0.1), (0.9, 0.9)]])
    page.open(PHOTOS[0].read_bytes(), "photo.png")
    asked = [a for a in page.requests() if not a.startswith(("data:", "blob:"))]
    assert asked == [page.address]
    failed = page.run("return fetch('https://example.org/').then(() => 'reached', () => 'refused')")
    assert failed == "refused"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_axe_finds_nothing_and_the_page_fits(open_model, scheme, width, language):
    page, _ = open_model("pixels", "--lang", language)
    page.prefer(scheme)
    page.resize(width, 900)
    page.draw([[(0.1, 0.1), (0.9, 0.9)]])
    page.open_all()
    assert page.run("return document.documentElement.scrollWidth") <= width
    found = page.axe_findings()
    page.prefer("light")
    assert found == []
