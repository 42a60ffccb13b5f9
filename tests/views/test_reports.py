"""Reports and their pictures, without a browser."""

from __future__ import annotations

import io
import re
import shutil
from html.parser import HTMLParser

import pytest
from helpers import PETS, assert_one_error_line, draw_classes
from PIL import Image

TEST = PETS / "test"
VOID = {"meta", "link", "img", "rect", "polyline", "circle", "br"}


class Balanced(HTMLParser):
    """Fails where an element is not closed, and keeps the text."""

    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def text_of(page):
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    return " ".join(" ".join(parser.text).split())


@pytest.fixture(scope="module")
def pages(pets_model, tmp_path_factory):
    """Both reports on the sample, and the pictures of the evaluation."""
    from helpers import run_command

    folder = tmp_path_factory.mktemp("reports")
    trained = run_command("train", PETS, "-o", "m.npz", "--report", "train.html", cwd=folder)
    assert trained.exit_code == 0, trained.stderr
    words = ("evaluate", TEST, "-m", "m.npz", "--report", "e.html", "--save-plots", "plots")
    assert run_command(*words, cwd=folder).exit_code == 0
    return folder


def test_the_report_says_what_evaluate_says(softmaxce, pages):
    words = ("evaluate", TEST, "-m", pages / "m.npz", "--format", "json")
    result = softmaxce(*words).json
    text = text_of((pages / "e.html").read_text("utf-8"))
    assert f"{100 * result['accuracy']:.1f} %" in text
    assert f"{result['cross_entropy']:.4f}" in text
    low, high = result["accuracy_interval"]
    assert f"[{100 * low:.1f}, {100 * high:.1f}]" in text
    worst = result["confusions"][0]
    assert (
        f"{worst['count']} of {worst['support']} '{worst['label']}' "
        f"were called '{worst['predicted']}'"
    ) in text
    assert "--report e.html --save-plots plots" in text


def test_the_worst_images_are_those_of_the_rows(softmaxce, pages):
    import csv

    outcome = softmaxce("evaluate", TEST, "-m", pages / "m.npz", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(outcome.stdout)))
    rows.sort(key=lambda row: -float(row["cross_entropy"]))
    shown = re.findall(r'class="path">([^<]+)<', (pages / "e.html").read_text("utf-8"))
    assert shown == [row["path"] for row in rows[:24]]


def test_the_training_report_has_the_fit_and_all_parts(pages):
    text = text_of((pages / "train.html").read_text("utf-8"))
    for fragment in ("How it was fitted", "penalty l2", "training images", "held-out images"):
        assert fragment in text
    assert "test images" in text


def test_nothing_is_loaded_from_anywhere(pages):
    for name in ("train.html", "e.html"):
        page = (pages / name).read_text("utf-8")
        assert "<script" not in page
        for address in re.findall(r'(?:src|href)="([^"]*)"', page):
            assert address.startswith("data:")


def test_the_pictures_are_the_same_each_time_and_open(softmaxce, pages, tmp_path):
    names = sorted(path.name for path in (pages / "plots").iterdir())
    assert names == [
        "classes.png",
        "confusion.png",
        "course.png",
        "highest-loss.png",
        "penalties.png",
        "reliability.png",
        "templates.png",
    ]
    again = tmp_path / "again"
    softmaxce("evaluate", TEST, "-m", pages / "m.npz", "--save-plots", again)
    for name in names:
        assert (again / name).read_bytes() == (pages / "plots" / name).read_bytes()
        with Image.open(again / name) as image:
            image.load()
            assert len(image.convert("L").getcolors(1 << 16)) > 3


def test_a_report_on_a_model_that_is_always_right(softmaxce, tmp_path):
    draw_classes(tmp_path / "d", {"a": 12, "b": 12}, side=3)
    words = ("train", "d", "--report", "r.html", "--save-plots", "p")
    assert softmaxce(*words).exit_code == 0
    assert "every answer is right" in text_of((tmp_path / "r.html").read_text("utf-8"))


def test_targets_that_cannot_be_written_are_refused_before_the_work(
    softmaxce, pets_model, tmp_path
):
    shutil.copy(pets_model, tmp_path / "m.npz")
    (tmp_path / "file").write_text("x")
    words = ("evaluate", TEST, "-m", "m.npz")
    assert_one_error_line(softmaxce(*words, "--report", "m.npz"), 1, "something else")
    assert_one_error_line(softmaxce(*words, "--report", "no/r.html"), 1, "no folder")
    assert_one_error_line(softmaxce(*words, "--save-plots", "file"), 1, "no folder")
    refused = softmaxce(*words, "--errors", "x", "--report", "x")
    assert_one_error_line(refused, 1, "something else")
    draw_classes(tmp_path / "d", {"a": 5, "b": 5})
    assert_one_error_line(softmaxce("train", "d", "--report", "model.npz"), 1, "something else")
    assert not (tmp_path / "model.npz").exists()
