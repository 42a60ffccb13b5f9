"""`softmaxce evaluate`: the same numbers as predict, classes by name."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from helpers import PETS, assert_one_error_line

TEST = PETS / "test"


def test_it_agrees_with_predict_to_the_last_digit(softmaxce, pets_model):
    result = softmaxce("evaluate", TEST, "-m", pets_model, "--format", "json").json
    losses, matrix = [], np.zeros((3, 3), int)
    for row, name in enumerate(("cat", "dog", "person")):
        words = ("predict", TEST / name, "-m", pets_model, "--label", name, "--format", "jsonl")
        for line in softmaxce(*words).stdout.splitlines():
            prediction = json.loads(line)
            losses.append(prediction["cross_entropy"])
            matrix[row, ["cat", "dog", "person"].index(prediction["predicted"])] += 1
    assert result["confusion_matrix"] == {
        "classes": ["cat", "dog", "person"],
        "counts": matrix.tolist(),
    }
    assert result["cross_entropy"] == np.mean(losses)
    assert result["accuracy"] == np.trace(matrix) / 120
    assert result["n_images"] == 120
    for row, name in enumerate(("cat", "dog", "person")):
        scores = result["per_class"][name]
        assert scores["support"] == 40
        assert scores["recall"] == matrix[row, row] / 40
        assert scores["precision"] == matrix[row, row] / matrix[:, row].sum()


def test_most_test_images_are_right_but_not_all(softmaxce, pets_model):
    result = softmaxce("evaluate", TEST, "-m", pets_model, "--format", "json").json
    assert 0.7 < result["accuracy"] < 0.95


def test_a_class_without_folder_keeps_support_0(softmaxce, pets_model, tmp_path):
    shutil.copytree(TEST / "person", tmp_path / "d" / "person")
    result = softmaxce("evaluate", "d", "-m", pets_model, "--format", "json").json
    expected = {"precision": 0, "recall": 0, "f1": 0, "support": 0}
    assert result["per_class"]["cat"].items() >= expected.items()
    assert result["per_class"]["person"]["support"] == 40


def test_the_text_has_the_matrix_and_fits_80_columns(softmaxce, pets_model):
    text = softmaxce("evaluate", TEST, "-m", pets_model).stdout
    assert "Confusion matrix (rows: true class, columns: predicted class)" in text
    assert "95 % CI" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text


def test_colour_on_request_and_not_in_a_pipe(softmaxce, pets_model):
    forced = softmaxce("evaluate", TEST, "-m", pets_model, env={"FORCE_COLOR": "1"}).stdout
    assert "\x1b[" in forced
    silent = softmaxce("evaluate", TEST, "-m", pets_model, env={"NO_COLOR": "1"}).stdout
    assert "\x1b" not in silent


def test_unusable_input_is_one_error_line(softmaxce, pets_model, tmp_path):
    shutil.copytree(TEST, tmp_path / "d")
    (tmp_path / "d" / "cat").rename(tmp_path / "d" / "kitten")
    unknown = softmaxce("evaluate", "d", "-m", pets_model)
    assert_one_error_line(unknown, 1, "'kitten'", "'cat', 'dog', 'person'")
    assert_one_error_line(softmaxce("evaluate", PETS, "-m", pets_model), 1, "pets/test?")
    shutil.rmtree(tmp_path / "d" / "kitten")
    (tmp_path / "d" / "dog" / "bad.png").write_bytes(b"x")
    bad = softmaxce("evaluate", "d", "-m", pets_model)
    assert_one_error_line(bad, 1, "bad.png", "--skip-bad")
    skipped = softmaxce("evaluate", "d", "-m", pets_model, "--skip-bad", "--format", "json")
    assert skipped.json["n_images"] == 80
    assert "bad.png" in skipped.stderr
    assert_one_error_line(softmaxce("evaluate", TEST, "-m", "none.npz"), 1, "none.npz")


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_hostile_names_are_shown_escaped(softmaxce, pets_model, tmp_path, command):
    folder = tmp_path / "d" / "cat"
    folder.mkdir(parents=True)
    source = TEST / "cat" / "cat-001.png"
    for name in ("[red]x[", "[~x]", "a\x1b[31mb", ":smiley:", "two\nlines"):
        shutil.copy(source, folder / f"{name}.png")
    words = (folder,) if command == "predict" else (tmp_path / "d",)
    outcome = softmaxce(command, *words, "-m", pets_model)
    assert outcome.exit_code == 0
    assert "\x1b" not in outcome.stdout
    if command == "predict":
        flat = outcome.stdout.replace("\n", "").replace(" ", "")
        for shown in ("[red]x[.png", "[~x].png", "a\\x1b[31mb.png", ":smiley:", "two\\nlines"):
            assert shown in flat
