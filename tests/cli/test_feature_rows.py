"""Every command on rows of features that another program computed."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from helpers import assert_one_error_line, run_command
from PIL import Image

from softmaxce.layers import Layer
from softmaxce.lesson import build, make_example
from softmaxce.lesson.feature_row import FeatureRow
from softmaxce.model.model_file import load_model
from softmaxce.workflows.train import train
from softmaxce.workflows.train_options import TrainOptions

RANDOM = np.random.default_rng(0)
NAMES = ("ant", "[red]bee", "새")
Y = np.arange(150) % 3
X = (RANDOM.normal(size=(150, 20)) + 2 * np.eye(3, 20)[Y]).astype(np.float32)
X[:, 7] = 3.5


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Features with a model of them, other features, and pictures with a model of them."""
    folder = tmp_path_factory.mktemp("features")
    parts = {"features_train": X[:120], "y_train": Y[:120], "features_test": X[120:]}
    named = {"class_names": NAMES, "feature_names": [f"[b]{i}" for i in range(20)]}
    np.savez(folder / "f.npz", **parts, y_test=Y[120:], **named)
    np.savez(folder / "plain.npz", x=X, y=np.array(NAMES)[Y])
    np.savez(folder / "short.npz", x=X[:, 1:], y=np.array(NAMES)[Y])
    np.savez(folder / "images.npz", x=np.zeros((150, 8, 8), np.uint8) + Y[:, None, None], y=Y)
    np.save(folder / "features.npy", X)
    for source, model in (("f.npz", "m.npz"), ("plain.npz", "p.npz"), ("images.npz", "i.npz")):
        done = run_command("train", source, "-o", model, "--format", "json", cwd=folder)
        assert done.exit_code == 0
        (folder / f"{model}.json").write_text(done.stdout, "utf-8")
    return folder


def test_train_names_the_features_and_constant_ones(folder):
    found = json.loads((folder / "m.npz.json").read_text("utf-8"))
    assert found["image"] is None
    assert found["features"]["n_features"] == 20
    assert found["test"]["accuracy"] > 0.7
    assert [f["kind"] for f in found["source_findings"]] == ["constant_feature"]
    assert found["source_findings"][0]["examples"] == ["[b]7"]
    done = run_command("train", "plain.npz", "-o", "x.npz", "--details", cwd=folder)
    assert "Input: 20 features, computed by another program" in done.stdout
    assert "1 feature with the same value in every row: feature 7" in done.stderr


def test_predictions_are_the_softmax_of_xw_plus_b(folder):
    layer = load_model(folder / "p.npz").layers[0]
    logits = X.astype(np.float64) @ layer.weights + layer.biases
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    done = run_command("predict", "features.npy", "-m", "p.npz", "--format", "json", cwd=folder)
    rows = done.json["predictions"]
    assert [row["path"] for row in rows] == [f"features.npy[{i}]" for i in range(150)]
    found = [[*row["probabilities"].values()] for row in rows]
    order = [NAMES.index(name) for name in rows[0]["probabilities"]]
    assert sorted(order) == [0, 1, 2]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    one = run_command("predict", "features.npy[3]", "-m", "p.npz", "--format", "csv", cwd=folder)
    (row,) = csv.DictReader(io.StringIO(one.stdout))
    assert row["path"] == "features.npy[3]"
    assert float(row["probability"]) == max(found[3])


def test_evaluate_compare_and_info(folder):
    scores = run_command("evaluate", "f.npz", "-m", "m.npz", "--format", "json", cwd=folder)
    assert scores.json["n_images"] == 30
    assert scores.stderr == ""  # constant features matter in training
    compared = run_command("compare", "m.npz", "p.npz", "plain.npz", cwd=folder)
    assert "Both models on the same 150 images" in compared.stdout
    assert "20 features" in run_command("info", "p.npz", cwd=folder).stdout
    info = run_command("info", "m.npz", "--format", "json", cwd=folder).json
    assert info["features"]["names"] == [f"[b]{i}" for i in range(20)]
    assert (info["image"], info["format_version"]) == (None, 4)
    korean = run_command("info", "p.npz", "--lang", "ko", cwd=folder)
    assert "입력: 다른 프로그램이 계산한 특징 20개" in korean.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["--folds", "3", "--permutations", "3"],
        ["--only", "ant", "--only", "새", "--test", "0.2", "--class-weight", "balanced"],
        ["--merge", "ant,새=insect"],
        ["--hidden", "5"],
    ],
    ids=str,
)
def test_options_of_the_fit_work_on_features(folder, words):
    done = run_command("train", "plain.npz", "-o", "x.npz", *words, cwd=folder)
    assert done.exit_code == 0
    assert "images are classified correctly" in done.stdout


def test_check_finds_wrong_labels_and_draws_curves(folder):
    labels = np.array(NAMES)[Y]
    wrong = [5, 8, 20, 44]  # of the third class
    labels[wrong] = NAMES[0]
    np.savez(folder / "wrong.npz", x=X + 3 * np.eye(3, 20)[Y], y=labels)
    words = "--labels", "--curve", "--report", "r.html", "--format", "json"
    found = run_command("check", "wrong.npz", *words, cwd=folder).json
    suspects = {suspect["path"] for suspect in found["labels"]["suspects"]}
    assert suspects == {f"wrong.npz[{row}]" for row in wrong}
    assert found["form"]["n_features"] == 20
    assert len(found["learning_curve"]["sizes"]) == 4
    assert "<img" not in (folder / "r.html").read_text("utf-8")
    text = run_command("check", "f.npz", cwd=folder).stdout
    assert "Input: 20 features" in text
    assert "Sizes" not in text


def test_reports_have_no_pictures(folder):
    words = "--report", "r.html", "--save-plots", "plots"
    assert run_command("evaluate", "f.npz", "-m", "m.npz", *words, cwd=folder).exit_code == 0
    page = (folder / "r.html").read_text("utf-8")
    assert "20 features, computed by another program" in page
    assert "<img" not in page
    assert not [*(folder / "plots").glob("*.png")]


@pytest.mark.parametrize("hidden", ["none", "6"])
def test_the_contributions_of_the_features_and_the_bias_sum_to_the_logit(folder, hidden):
    train_words = "-o", "h.npz", "--hidden", hidden
    assert run_command("train", "plain.npz", *train_words, cwd=folder).exit_code == 0
    words = "features.npy[4]", "-m", "h.npz", "--format", "json"
    found = run_command("explain", *words, cwd=folder).json
    numbers = found["steps"][0]["numbers"]
    winner = int(np.argmax(found["logits"]))
    total = sum(numbers["contributions"]) + numbers["biases"][winner]
    assert total == pytest.approx(found["logits"][winner], abs=1e-9)
    first = int(np.argmax(np.abs(numbers["contributions"])))
    assert numbers["feature_names"][0] == f"feature {first}"
    assert numbers["feature_values"][0] == float(X[4, first])
    if hidden == "none":
        layer = load_model(folder / "h.npz").layers[0]
        expected = X[4].astype(np.float64) * layer.weights[:, winner]
        np.testing.assert_allclose(numbers["contributions"], expected, rtol=1e-12)


@pytest.mark.parametrize("end", ["txt", "html", "md", "json"])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_format_explains_a_row_and_names_its_features(folder, end, language):
    words = "-m", "m.npz", "-o", f"lesson.{end}", "--lang", language, "--more"
    done = run_command("explain", "f.npz[3]", *words, cwd=folder)
    assert (done.exit_code, done.stderr) == (0, "")
    text = (folder / f"lesson.{end}").read_text("utf-8")
    assert "f.npz[3]" in text.replace("\\", "")
    assert "[b]0" in text.replace("\\", "")


@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6, 1e11])
@pytest.mark.parametrize("hidden", [False, True])
def test_a_lesson_with_large_features_holds_to_rounding(folder, hidden, factor):
    model = load_model(folder / "p.npz")
    if hidden:
        first = Layer(RANDOM.normal(size=(20, 50)), RANDOM.normal(size=50))
        last = Layer(RANDOM.normal(size=(50, 3)), RANDOM.normal(size=3))
        model = replace(model, layers=(first, last))
    rows = RANDOM.normal(size=(20, 20)) * factor
    for row in rows:
        shown = FeatureRow(model, row)
        names = model.class_names
        steps = build(make_example(shown.logits.tolist(), "features", classes=names), shown)
        assert steps[0].name == "logits"


@pytest.mark.parametrize(
    ("words", "rc", "error"),
    [
        (["evaluate", "short.npz", "-m", "p.npz"], 1, "but the training data are rows of 20"),
        (["predict", "short.npz", "-m", "p.npz"], 1, "it contains rows of 19 features, but"),
        (["compare", "p.npz", "p.npz", "short.npz"], 1, "19 features"),
        (["predict", "images.npz", "-m", "p.npz"], 1, "contains images, but the training data"),
        (["predict", "plain.npz", "-m", "i.npz"], 1, "rows of 20 features, but the training"),
        (["evaluate", "plain.npz", "-m", "i.npz"], 1, "unknown class"),
        (["explain", "plain.npz[3]", "-m", "i.npz"], 1, "20 features, but the training data are"),
        (["explain", "images.npz[3]", "-m", "p.npz"], 1, "it contains images"),
        (["explain", "none.npz[3]", "-m", "p.npz"], 1, "none.npz: no such file"),
        (["predict", "none.npz", "-m", "p.npz"], 1, "none.npz: no such file"),
        (["predict", "f.npz[1]", "f.npz[2]", "-m", "m.npz"], 1, "or several files"),
        (["explain", "plain.npz", "-m", "p.npz"], 1, "name one of them: plain.npz[0]"),
        (
            ["explain", "plain.npz[150]", "-m", "p.npz"],
            1,
            "plain.npz[150]: it has 150 rows",
        ),
        (["predict", "plain.npz[150]", "-m", "p.npz"], 1, "no such row: plain.npz[150]"),
        (["predict", "a.png", "-m", "p.npz"], 1, "the model was trained on rows of 20 features"),
        (["explain", "a.png", "-m", "p.npz"], 1, "the model was trained on rows of 20 features"),
        (["explain", "-m", "p.npz", "--format", "html"], 1, "cannot use images"),
        (["explain", "f.npz[1]", "-m", "m.npz", "--save-images", "d"], 2, "no pictures"),
        (["evaluate", "renamed.npz", "-m", "m.npz"], 1, "feature_names are not those"),
        (["train", "plain.npz", "--group-by", "parent"], 1, "cannot group"),
        (["check", "plain.npz", "--labels", "--features", "patches"], 2, "is for images"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_does_not_fit_is_one_line(folder, words, rc, error):
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / "a.png")
    names = [f"[b]{i}" for i in range(20)][::-1]
    np.savez(folder / "renamed.npz", x=X, y=np.array(NAMES)[Y], feature_names=names)
    assert_one_error_line(run_command(*words, cwd=folder), rc, error)


def test_a_row_of_pixel_arrays_is_predicted_and_explained(folder):
    done = run_command("predict", "images.npz[4]", "-m", "i.npz", "--format", "json", cwd=folder)
    assert [row["path"] for row in done.json["predictions"]] == ["images.npz[4]"]
    lesson = run_command("explain", "images.npz[4]", "-m", "i.npz", cwd=folder)
    assert lesson.exit_code == 0
    assert "From image to input" in lesson.stdout


@pytest.mark.parametrize("other", ["val", "test"])
def test_the_suggested_row_is_of_the_split_farthest_from_training(tmp_path, other):
    rows = {"x_train": X[50:], "y_train": Y[50:], f"x_{other}": X[:50], f"y_{other}": Y[:50]}
    np.savez(tmp_path / "s.npz", **rows)
    trained = run_command("train", "s.npz", cwd=tmp_path)
    assert "softmaxce predict 's.npz[0]'" in trained.stdout
    done = run_command("predict", "s.npz[0]", "--format", "json", cwd=tmp_path)
    expected = load_model(tmp_path / "model.npz").logits(X[:1])[0]
    assert done.json["predictions"][0]["predicted"] == str(np.argmax(expected))


def test_features_in_a_file_and_in_memory_give_the_same_model(tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", Y)
    models = []
    for many in (0, 2**40):
        monkeypatch.setattr("softmaxce.file_rows._MANY_BYTES", many)
        train(tmp_path / "x.npy", tmp_path / "m.npz", TrainOptions())
        models.append((tmp_path / "m.npz").read_bytes())
    assert models[0] == models[1]
