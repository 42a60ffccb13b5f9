"""Reports and their pictures, without a browser."""

from __future__ import annotations

import io
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from helpers import PETS, assert_one_error_line, draw_classes
from PIL import Image

from softmaxce.model.model_file import load_model
from softmaxce.views.pictures import DOWN, UP

TEST = PETS / "test"
SVG = {"svg": "http://www.w3.org/2000/svg"}
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
        f"were predicted as '{worst['predicted']}'"
    ) in text
    assert "--report e.html --save-plots plots" in text


def test_the_worst_images_of_each_confusion_are_those_of_the_rows(softmaxce, pages):
    import csv

    outcome = softmaxce("evaluate", TEST, "-m", pages / "m.npz", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(outcome.stdout)))
    rows.sort(key=lambda row: -float(row["cross_entropy"]))
    page = (pages / "e.html").read_text("utf-8")
    groups = re.findall(r"<h3>(&#x27;.*?): (\d+) images?(.*?)</h3>\n(.*?)</ul>", page, re.S)
    assert len(groups) > 2
    sizes = []
    for title, count, more, cards in groups:
        label, predicted = re.findall("&#x27;(.*?)&#x27;", title)
        paths = [r["path"] for r in rows if (r["label"], r["predicted"]) == (label, predicted)]
        shown = re.findall(r'class="path" title="([^"]+)">([^<]+)<', cards)
        assert int(count) == len(paths)
        assert shown == [(path, "/".join(path.split("/")[-2:])) for path in paths[: len(shown)]]
        assert (f"the {len(shown)} with the highest" in more) == (len(shown) < len(paths))
        sizes.append(int(count))
    assert sizes == sorted(sizes, reverse=True)
    n_wrong = sum(row["label"] != row["predicted"] for row in rows)
    others = re.search(r"<h3>Other errors: (\d+) image", page)
    assert sum(sizes) + int(others[1] if others else 0) == n_wrong


def test_the_training_report_has_the_fit_and_all_parts(pages):
    text = text_of((pages / "train.html").read_text("utf-8"))
    for fragment in ("Training", "penalty l2", "validation cross-entropy", "Validation images 61"):
        assert fragment in text
    for split in ("training 209", "validation 61", "test 120"):
        assert split in text


def test_titles_and_heads_name_the_report_and_its_images(pages):
    trained, evaluated = ((pages / name).read_text("utf-8") for name in ("train.html", "e.html"))
    for page, title, heads in (
        (trained, "Training report", ["training images", "test images"]),
        (evaluated, "Evaluation report", ["training images", "scored images"]),
    ):
        assert page.count(f">{title}</") == 2
        table = page.partition("<span>Images of each class</span>")[2]
        assert re.findall('class="number">([^<]+)</th>', table)[:2] == heads
        assert "with the command</p><pre" in page


def test_the_probabilities_on_a_page_are_per_cent(pages):
    page = (pages / "e.html").read_text("utf-8")
    shares = re.findall(r'class="share[^>]*><span>[^<]*</span><span>([^<]*)</span>', page)
    assert len(shares) > 20
    assert all(re.fullmatch(r"(\d+\.\d|&lt;0\.1) %", share) for share in shares)


def test_nothing_is_loaded_from_anywhere(pages):
    for name in ("train.html", "e.html"):
        page = (pages / name).read_text("utf-8")
        assert "<script" not in page
        for address in re.findall(r'(?:src|href)="([^"]*)"', page):
            assert address.startswith("data:")


def test_the_pictures_are_the_same_each_time_and_need_nothing_else(softmaxce, pages, tmp_path):
    names = sorted(path.name for path in (pages / "plots").iterdir())
    assert names == [
        "classes.svg",
        "confusion.svg",
        "objective.svg",
        "penalties.svg",
        "reliability.svg",
        "weights-0-cat.png",
        "weights-1-dog.png",
        "weights-2-person.png",
    ]
    again = tmp_path / "again"
    softmaxce("evaluate", TEST, "-m", pages / "m.npz", "--save-plots", again)
    for name in names:
        content = (again / name).read_bytes()
        assert content == (pages / "plots" / name).read_bytes()
        if name.endswith(".png"):
            continue
        root = ElementTree.fromstring(content)
        shapes = list(root.iter())
        assert len(shapes) > 6
        assert root.find("svg:style", SVG).text.count("#") > 10
        for shape in shapes:
            assert "var(" not in str(shape.attrib)
            assert "href" not in shape.attrib


def test_weights_are_orange_where_they_raise_the_logit_and_blue_where_they_lower_it(pages):
    """The same two colours in every picture of weights."""
    model = load_model(pages / "m.npz")
    weights = model.layers[0].weights.reshape(32, 32, 3, 3).sum(axis=2)
    colours = set()
    for k, name in enumerate(model.class_names):
        with Image.open(pages / "plots" / f"weights-{k}-{name}.png") as image:
            pixels = np.asarray(image.resize((32, 32), Image.Resampling.NEAREST)).astype(int)
        colours |= set(map(tuple, pixels.reshape(-1, 3).tolist()))
        is_large = np.abs(weights[..., k]) > 0.1 * np.abs(weights[..., k]).max()
        is_orange = pixels[..., 0] > pixels[..., 2]
        np.testing.assert_array_equal(is_orange[is_large], weights[is_large, k] > 0)
    assert {tuple(UP.tolist()), tuple(DOWN.tolist())} <= colours


def test_a_report_on_a_model_that_is_always_right(softmaxce, tmp_path):
    draw_classes(tmp_path / "d", {"a": 12, "b": 12}, side=3)
    words = ("train", "d", "--report", "r.html", "--save-plots", "p")
    assert softmaxce(*words).exit_code == 0
    text = text_of((tmp_path / "r.html").read_text("utf-8"))
    assert "Every prediction is correct" in text
    assert re.search(r"Correct predictions: \d+ images? ", text)


def test_targets_that_cannot_be_written_are_refused_before_the_work(
    softmaxce, pets_model, tmp_path
):
    shutil.copy(pets_model, tmp_path / "m.npz")
    (tmp_path / "file").write_text("x")
    words = ("evaluate", TEST, "-m", "m.npz")
    assert_one_error_line(softmaxce(*words, "--report", "m.npz"), 1, "another output")
    assert_one_error_line(
        softmaxce(*words, "--report", "no/r.html"), 1, "the folder no does not exist"
    )
    assert_one_error_line(softmaxce(*words, "--save-plots", "file"), 1, "not a folder")
    for report in ("x", "X"):  # one file where names ignore case
        refused = softmaxce(*words, "--errors", "x", "--report", report)
        assert_one_error_line(refused, 1, "another output")
    (tmp_path / "link.npz").hardlink_to(tmp_path / "m.npz")
    assert_one_error_line(softmaxce(*words, "--report", "link.npz"), 1, "another output")
    draw_classes(tmp_path / "d", {"a": 5, "b": 5})
    assert_one_error_line(softmaxce("train", "d", "--report", "model.npz"), 1, "another output")
    assert not (tmp_path / "model.npz").exists()


@pytest.fixture(scope="module")
def patch_reports(tmp_path_factory):
    """Reports and pictures of a linear model with patches and of one with a hidden layer."""
    from helpers import run_command

    folder = tmp_path_factory.mktemp("patch-reports")
    draw_classes(folder / "train", {"<b>cat": 12, "dog": 12, "person": 12}, side=12)
    for name, more in (("linear", ()), ("hidden", ("--hidden", 4))):
        words = ("train", "train", "--features", "patches:8", "-o", f"{name}.npz", *more)
        plots = ("--report", f"{name}.html", "--save-plots", name)
        done = run_command(*words, *plots, cwd=folder)
        assert done.exit_code == 0, done.stderr
    return folder


def test_the_report_of_a_patch_model_shows_filters_and_patches_of_classes(patch_reports):
    page = (patch_reports / "linear.html").read_text("utf-8")
    text = text_of(page)
    assert "The 8 filters, the most used first. Every region" in text
    assert "upper row: they raise its logit" in text
    assert "Weights of each class" not in text
    assert re.findall('alt="Patches for and against (.*?)"', page) == [
        "&lt;b&gt;cat",
        "dog",
        "person",
    ]
    assert "8 patches of 6 × 6" in text
    names = {path.name for path in (patch_reports / "linear").glob("*.png")}
    assert names == {"filters.png", "patches-0-_b_cat.png", "patches-1-dog.png"} | {
        "patches-2-person.png"
    }


def test_with_hidden_layers_the_report_shows_the_filters_only(patch_reports):
    page = (patch_reports / "hidden.html").read_text("utf-8")
    assert "The 8 filters, the most used first. Every region" in text_of(page)
    assert "Patches for and against" not in page
    assert [path.name for path in (patch_reports / "hidden").glob("*.png")] == ["filters.png"]


def test_the_patches_for_a_class_are_those_with_its_highest_weights(patch_reports):
    from softmaxce.views.filters import for_and_against

    model = load_model(patch_reports / "linear.npz")
    patches = model.patches
    n = patches.n_patches
    weights = np.zeros_like(model.layers[0].weights)
    by_filter = weights[:, 1].reshape(3, 2, patches.grid**2, n)  # threshold, sign, point, patch
    by_filter[0, 0, 2, 5], by_filter[1, 1, 0, 3] = 2.0, -3.0
    by_filter[0, 1, 1, 6], by_filter[1, 1, 2, 6] = 0.7, 0.6
    layer = model.layers[0]._replace(weights=weights)
    sheet = for_and_against(replace(model, layers=(layer,)), 1).astype(int)

    def tile(row, column):
        return sheet[7 * row : 7 * row + 6, 7 * column : 7 * column + 6]

    def shades(number, sign):
        values = sign * patches.bank[:-1, number].reshape(6, 6, -1)
        return 127.5 + 127.5 * values / np.abs(values).max()

    for place, number, sign in (((0, 0), 5, 1), ((0, 1), 6, -1), ((1, 0), 3, -1)):
        assert np.abs(tile(*place) - shades(number, sign)).max() <= 0.51
