"""1,000 classes: tables are short and say which classes they have; JSON has no matrix of zeros."""

from __future__ import annotations

import re

import numpy as np
import pytest
from helpers import PETS, draw_classes, run_command
from PIL import Image

from softmaxce.layers import Layer
from softmaxce.model.model_file import save_model
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.preprocessing import Preprocessing

SIDE = 4
N_IMAGES = 1500


def write(folder, n_classes, n_images=N_IMAGES):
    """images.npz and model.npz: random images, and a model that knows some of them."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (n_images, SIDE, SIDE), dtype=np.uint8)
    labels = np.arange(n_images) % n_classes
    np.savez(folder / "images.npz", x=pixels, y=labels)
    Image.fromarray(pixels[0]).save(folder / "one.png")
    names = tuple(sorted(map(str, range(n_classes))))
    centres = np.array([pixels[int(name)].ravel() / 255 - 0.5 for name in names]).T
    layer = Layer(centres * 4, -2 * np.sum(centres * (centres + 1), axis=0))
    save_model(SoftmaxModel((layer,), Preprocessing(SIDE, SIDE, 1), names), folder / "model.npz")
    return folder


@pytest.fixture(scope="module")
def thousand(tmp_path_factory):
    return write(tmp_path_factory.mktemp("thousand"), 1000)


@pytest.fixture(scope="module")
def result(thousand):
    return run_command("evaluate", "images.npz", "--format", "json", cwd=thousand).json


def rows_of(text, header):
    """The cells of the rows of the table whose header starts like this."""
    lines = text[text.index(f"\n{header}") + 1 :].partition("\n\n")[0].splitlines()
    return [re.split(r"\s{2,}", line.strip()) for line in lines[2:]]


def test_evaluate_shows_the_20_classes_with_the_lowest_recall(thousand, result):
    text = run_command("evaluate", "images.npz", "-q", "--details", cwd=thousand).stdout
    assert len(text.splitlines()) < 110
    assert max(map(len, text.splitlines())) <= 80
    assert "20 of 1,000 classes with the lowest recall; --format json lists all" in text
    rows = rows_of(text, "class  ")
    assert len(rows) == 11  # and a legend
    rows = rows_of(text[text.index("Scores of each class") :], "class  ")
    shown = [row[0] for row in rows]
    per_class = result["per_class"]
    recalls = sorted(c["recall"] for c in per_class.values())
    assert [per_class[name]["recall"] for name in shown] == recalls[:20]
    assert len(set(shown)) == 20
    assert len(per_class) == 1000
    assert 0 < result["accuracy"] < 1


def test_of_equal_recalls_the_lower_f1_then_the_more_images_are_worse():
    from softmaxce.metrics.scores import score
    from softmaxce.views.score_tables import by_recall

    labels = np.array([0, 0, 1, 2, 2, 2, 3, 3, 4])
    predicted = [0, 4, 0, 4, 4, 4, 3, 4, 4]
    values, which = by_recall(score(np.log(np.eye(6)[predicted] * 0.9 + 0.01), labels))
    assert which == "lowest recall"
    # recalls ½, 0, 0, ½, 1 and none; F1 of class 0: ½, of class 3: ⅔
    assert sorted(range(5), key=values.__getitem__) == [2, 1, 0, 3, 4]
    assert values[5] is None


def test_json_has_no_matrix_of_zeros(result):
    assert result["confusion_matrix"]["counts"] is None
    names, cells = result["confusion_matrix"]["classes"], result["confusion_cells"]
    assert len(cells) <= N_IMAGES
    assert sum(count for *_, count in cells) == N_IMAGES
    right = {names[i]: count for i, j, count in cells if i == j}
    for name, scores in result["per_class"].items():
        assert scores["recall"] * scores["support"] == pytest.approx(right.get(name, 0))
    wrong = {(names[i], names[j]): count for i, j, count in cells if i != j}
    assert wrong == {(c["label"], c["predicted"]): c["count"] for c in result["confusions"]}


@pytest.mark.parametrize(("n_classes", "is_dense"), [(2, True), (200, True), (201, False)])
def test_the_dense_matrix_has_up_to_200_classes(tmp_path, n_classes, is_dense):
    write(tmp_path, n_classes, 500)
    found = run_command("evaluate", "images.npz", "--format", "json", cwd=tmp_path).json
    counts = found["confusion_matrix"]["counts"]
    assert (counts is not None) == is_dense
    if is_dense:
        cells = {(i, j): count for i, j, count in found["confusion_cells"]}
        dense = np.array(counts)
        assert cells == {(i, j): dense[i, j] for i, j in np.argwhere(dense).tolist()}


def test_classes_without_images_have_no_recall(thousand, tmp_path):
    with np.load(thousand / "images.npz") as arrays:
        few = arrays["y"] < 5
        np.savez(tmp_path / "few.npz", x=arrays["x"][few], y=arrays["y"][few])
    words = ("evaluate", tmp_path / "few.npz", "-q")
    text = run_command(*words, cwd=thousand).stdout
    assert {row[0] for row in rows_of(text, "class  ")[:-1]} == set("01234")


@pytest.mark.parametrize(("n_classes", "n_shown"), [(30, 30), (31, 20), (100, 20)])
def test_up_to_30_classes_are_all_shown(tmp_path, n_classes, n_shown):
    write(tmp_path, n_classes, 300)
    text = run_command("evaluate", "images.npz", "-q", "--details", cwd=tmp_path).stdout
    text = text[text.index("Scores of each class") :]
    assert len(rows_of(text, "class  ")) == n_shown
    assert (f"20 of {n_classes} classes" in text) == (n_shown == 20)


def test_train_shows_the_same_and_its_json_has_every_class(softmaxce, tmp_path):
    draw_classes(tmp_path / "d", {f"class {k:02}": 6 for k in range(40)}, side=2)
    text = softmaxce("train", "d", "-q").stdout
    assert "classes with the lowest recall (validation images)" in text
    assert len(rows_of(text, "class  ")) == 11  # and a legend
    found = softmaxce("train", "d", "-q", "--format", "json").json
    for split in ("train", "validation"):
        assert len(found[split]["per_class"]) == 40
        supports = [c["support"] for c in found[split]["per_class"].values()]
        assert sum(supports) == found[split]["n_images"]


def test_predict_shows_the_10_most_probable_and_counts_the_rest(thousand):
    text = run_command("predict", "one.png", cwd=thousand).stdout
    (row,) = run_command("predict", "one.png", "--format", "json", cwd=thousand).json["predictions"]
    best = sorted(row["probabilities"], key=row["probabilities"].get, reverse=True)[:10]
    assert [cells[0] for cells in rows_of(text, "class  ")[:-1]] == best
    assert re.search(r"990 more classes share [\d.]+ %; -k 1000 shows all\.", text)
    everything = run_command("predict", "one.png", "-k", 1000, cwd=thousand).stdout
    assert len(everything.splitlines()) > 1000
    three = run_command("predict", "one.png", "-k", 3, cwd=thousand).stdout
    assert "997 more classes share" in three
    assert "shows all" not in three


def test_a_large_prediction_set_is_cut(softmaxce, tmp_path):
    draw_classes(tmp_path / "d", {f"class {k:02}": 6 for k in range(40)}, side=2)
    softmaxce("train", "d", "-q")
    image = tmp_path / "d" / "class 00" / "000.png"
    for n_images in (1, 6):
        text = softmaxce("predict", *[image] * n_images, "--coverage", "0.999", "-q").stdout
        assert "and 30 more" in " ".join(text.split())


def test_info_and_check_show_the_smallest_classes(softmaxce, tmp_path):
    counts = {f"class {k:02}": 40 - k for k in range(35)}
    draw_classes(tmp_path / "d", counts, side=1, mode="L")
    assert softmaxce("train", "d", "--validation", 0, "-q").exit_code == 0
    info, check = softmaxce("info").stdout, softmaxce("check", "d", "-q").stdout
    assert "20 of 35 classes with the fewest training images" in info
    assert "20 of 35 classes with the fewest training images" in check
    smallest = [[f"class {k:02}", str(40 - k)] for k in range(34, 14, -1)]
    assert rows_of(info, "class  ") == smallest
    *rows, total = rows_of(check, "class  ")
    assert rows == smallest
    assert total == ["total", f"{sum(counts.values()):,}"]


def test_compare_and_explain_are_readable(thousand):
    words = ("compare", "model.npz", "model.npz", "images.npz", "-q")
    assert len(run_command(*words, cwd=thousand).stdout.splitlines()) < 60
    for extra in ((), ("--format", "markdown")):
        text = run_command("explain", "one.png", "--label", "500", *extra, cwd=thousand).stdout
        assert len(text.splitlines()) < 420
        assert re.search(r"… \d+ more", text)


def test_the_report_has_every_class_but_folds_them(thousand, tmp_path):
    page = tmp_path / "report.html"
    words = ("evaluate", "images.npz", "--report", page, "-q")
    assert run_command(*words, cwd=thousand).exit_code == 0
    text = page.read_text("utf-8")
    assert len(text) < 2_000_000
    assert "<summary>All classes as a table</summary>" in text
    assert "<summary>Images of each class</summary>" in text
    assert text.count('<th scope="row">999</th>') == 2


def test_few_classes_stay_as_they_were(softmaxce, pets_model):
    found = softmaxce("evaluate", PETS / "test", "-m", pets_model, "--format", "json").json
    assert set(found["confusion_matrix"]) == {"classes", "counts"}
    assert " classes with the " not in softmaxce("info", pets_model).stdout
