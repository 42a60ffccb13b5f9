"""`train --folds` and `train --test`."""

from __future__ import annotations

import pytest
from helpers import PETS, assert_one_error_line, draw_classes

from softmaxce.model.model_file import load_model


def test_folds_score_every_image_and_train_on_all(softmaxce, tmp_path):
    words = ("train", PETS / "train", "--folds", 3, "--permutations", 4)
    result = softmaxce(*words, "-o", "m.npz", "--report", "r.html", "--format", "json").json
    folded, n_images = result["cross_validation"], result["n_train"]
    assert n_images == len(list((PETS / "train").glob("*/*.png"))) == folded["n_images"]
    assert result["validation"] is None
    assert folded["n_folds"] == 3
    assert folded["p_value"] == 1 / 5
    assert result["l2"] == sorted(folded["l2_of_folds"])[1]
    assert result["verdict"]["accuracy"] == folded["accuracy"] < result["train"]["accuracy"]
    assert "cross-validated images" in (tmp_path / "r.html").read_text("utf-8")
    model = load_model(tmp_path / "m.npz")
    assert model.training["scores"]["cross_validation"]["accuracy"] == folded["accuracy"]
    assert model.calibration_scores is not None
    assert model.calibration_scores.n_images == n_images
    again = softmaxce(*words[:4], "-o", "again.npz", "--permutations", 4)
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "m.npz").read_bytes()
    assert "each of the 270 images is classified by a model" in " ".join(again.stdout.split())
    assert "With shuffled labels, 0 of 4 repetitions" in " ".join(again.stdout.split())


def test_a_test_split_is_held_out(softmaxce):
    with_test = softmaxce("train", PETS / "train", "--test", "20%", "--format", "json").json
    without = softmaxce("train", PETS / "train", "--format", "json").json
    assert with_test["n_validation"] == without["n_validation"]
    assert with_test["test"]["n_images"] + with_test["n_train"] == without["n_train"]
    assert with_test["verdict"]["accuracy"] == with_test["test"]["accuracy"]
    assert with_test["duplicates"] == {}


def test_folds_are_advised_where_they_are_the_right_choice(softmaxce, tmp_path):
    draw_classes(tmp_path / "d", {"a": 30, "b": 30})
    found = softmaxce("train", "d", "--format", "json").json["findings"]
    advice = [f["remedy"] for f in found if f["kind"] == "few_images"]
    assert advice == ["softmaxce train d --format json --folds 5"]
    found = softmaxce("train", "d", "--folds", 5, "--format", "json").json["findings"]
    assert all("--folds" not in finding["remedy"] for finding in found)


@pytest.mark.parametrize(
    ("words", "exit_code", "message"),
    [
        (("--folds", 1), 2, "must be at least 2"),
        (("--folds", 5, "--hidden", 8), 2, "--folds cannot train --hidden layers"),
        (("--folds", 5, "--validation", "d"), 2, "leave one of the two options out"),
        (("--folds", 31), 1, "choose at most 30 folds"),
        (("--permutations", 9), 2, "--permutations needs --folds"),
        (("--validation", 0.5, "--test", 0.5), 2, "leave no images for training"),
        (("--test", 1), 2, "less than 1"),
        (("--test", "d"), 2, "to score the images in d, use softmaxce evaluate d"),
    ],
)
def test_choices_that_cannot_be(softmaxce, tmp_path, words, exit_code, message):
    draw_classes(tmp_path / "d", {"a": 30, "b": 30})
    assert_one_error_line(softmaxce("train", "d", *words), exit_code, message)


def test_splits_that_are_already_there(softmaxce, tmp_path):
    for split in ("train", "validation", "test"):
        draw_classes(tmp_path / "d" / split, {"a": 12, "b": 12})
    assert_one_error_line(softmaxce("train", "d", "--test", 0.1), 2, "leave --test out")
    assert_one_error_line(softmaxce("train", "d", "--folds", 3), 2, "leave --folds out")
