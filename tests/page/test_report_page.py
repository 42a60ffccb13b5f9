"""Reports in a real browser: offline, without a complaint, usable on a phone and in the dark."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from lesson_page_driver import Page
from PIL import Image

pytestmark = pytest.mark.slow

HOSTILE = ['<b>bold</b> & "quoted"', "'</style><script>alert(1)</script>"]
N_CLASSES = (2, 10, 100)


def draw(folder, names, n_images):
    """Noisy pictures of 8 × 8; the classes overlap, so that some are taken for others."""
    random = np.random.default_rng(len(names))
    for name in names:
        (folder / name.replace("/", "∕")).mkdir(parents=True)
        centre = random.normal(128, 25, (8, 8, 3))
        for number in range(n_images):
            values = np.clip(random.normal(centre, 60), 0, 255).astype(np.uint8)
            Image.fromarray(values).save(folder / name.replace("/", "∕") / f"{number}.png")


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """(command, number of classes) → the page that it wrote."""
    made = {}
    for n_classes in N_CLASSES:
        folder = tmp_path_factory.mktemp(f"classes-{n_classes}")
        names = HOSTILE if n_classes == 2 else [f"class {k:03}" for k in range(n_classes)]
        draw(folder / "train", names, 30)
        draw(folder / "other", names, 12)
        for command, words in (
            ("train", ("train", "train", "--l2", 0.01, "--report", "train.html")),
            ("evaluate", ("evaluate", "other", "--coverage", 0.9, "--report", "evaluate.html")),
        ):
            line = [sys.executable, "-m", "softmaxce", *map(str, words)]
            subprocess.run(line, cwd=folder, check=True, capture_output=True)
            made[command, n_classes] = folder / f"{command}.html"
    return made


CASES = [(command, n) for command in ("train", "evaluate") for n in N_CLASSES]


@pytest.mark.parametrize(("command", "n_classes"), CASES)
def test_it_opens_offline_without_a_complaint(browser, reports, command, n_classes):
    path = reports[command, n_classes]
    page = Page(browser, path)
    assert page.errors() == []
    asked_for = [url for url in page.requests() if not url.startswith("data:")]
    assert asked_for == [path.as_uri()]
    assert page.run("return document.querySelectorAll('script').length") == 0
    broken = "return [...document.images].filter((i) => !i.complete || !i.naturalWidth).length"
    assert page.run(broken) == 0
    assert page.run("return document.images.length") >= 10 + n_classes
    assert path.stat().st_size < 5_000_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(("command", "n_classes"), CASES)
def test_axe_finds_nothing_serious(browser, reports, command, n_classes, width, scheme):
    page = Page(browser, reports[command, n_classes])
    page.prefer(scheme)
    page.resize(width, 900)
    page.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    found = page.axe_findings()
    page.prefer("light")
    assert found == []


@pytest.mark.parametrize("width", [1280, 390, 320])
@pytest.mark.parametrize(("command", "n_classes"), CASES)
def test_it_fits_its_window(browser, reports, command, n_classes, width):
    page = Page(browser, reports[command, n_classes])
    page.resize(width, 800)
    assert page.run("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("n_classes", [10, 100])
def test_the_names_of_the_rows_stay_when_the_confusion_matrix_scrolls(browser, reports, n_classes):
    page = Page(browser, reports["evaluate", n_classes])
    page.resize(390, 800)
    places = page.run(
        "const box = document.querySelector('.matrix');"
        "const cells = box.querySelectorAll('tbody th, td');"
        "const lefts = () => [cells[0], cells[1]].map((c) => c.getBoundingClientRect().left);"
        "const before = lefts(); box.scrollLeft = 60; return [before, lefts()];"
    )
    (row_before, cell_before), (row_after, cell_after) = places
    assert row_after == pytest.approx(row_before, abs=1)  # the space between the cells
    assert cell_after == cell_before - 60


@pytest.mark.parametrize(("command", "n_classes"), CASES)
def test_every_picture_has_a_name_and_a_table_or_text(browser, reports, command, n_classes):
    page = Page(browser, reports[command, n_classes])
    nameless = (
        "return [...document.querySelectorAll('svg')].filter((s) => !document.getElementById("
        "s.getAttribute('aria-labelledby'))?.textContent).length"
        " + [...document.images].filter((i) => !i.alt).length"
    )
    assert page.run(nameless) == 0
    without = (
        "return [...document.querySelectorAll('section')].filter((s) => s.querySelector('svg, img')"
        " && !s.querySelector('table, .grid')).length"
    )
    assert page.run(without) == 0


def test_names_are_shown_and_never_obeyed(browser, reports):
    page = Page(browser, reports["evaluate", 2])
    text = page.text("main")
    assert "<b>bold<∕b>" in text
    assert "<script>alert(1)<∕script>" in text


def test_it_prints_in_light_colours(browser, reports):
    page = Page(browser, reports["evaluate", 10])
    page.prefer("dark")
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    assert len(printed["data"]) > 10_000
    features = [{"name": "prefers-color-scheme", "value": "dark"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": features})
    colour = page.run("return getComputedStyle(document.body).color")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    assert colour == "rgb(29, 36, 48)"
