"""The scores of `evaluate`: they follow from the rows; coverage; calibration; many classes."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter

import pytest
import sklearn.metrics as sk
from helpers import PETS, assert_one_error_line, draw_classes, run_command

TEST = PETS / "test"


@pytest.fixture(scope="module")
def result(pets_model):
    """The JSON result for the test images."""
    return run_command("evaluate", TEST, "-m", pets_model, "--format", "json").json


def test_scores_follow_from_the_rows(result, rows):
    labels = [row["label"] for row in rows]
    predicted = [row["predicted"] for row in rows]
    macro_f1 = sk.f1_score(labels, predicted, average="macro")
    assert result["macro_f1"] == pytest.approx(macro_f1)
    balanced = sk.balanced_accuracy_score(labels, predicted)
    assert result["balanced_accuracy"] == pytest.approx(balanced)
    mean = sum(row["cross_entropy"] for row in rows) / len(rows)
    assert result["cross_entropy"] == pytest.approx(mean)
    assert result["baselines"]["cross_entropy"] == result["chance_cross_entropy"]


def test_intervals_include_their_scores(result):
    for name, (low, high) in result["intervals"].items():
        assert low <= high
        if name != "expected_calibration_error":  # its interval leaves out what chance adds
            assert low <= result[name] <= high, name


def test_the_first_confusion_is_the_most_frequent(result, rows):
    mistakes = Counter(
        (row["label"], row["predicted"]) for row in rows if row["label"] != row["predicted"]
    )
    first = result["confusions"][0]
    assert first["count"] == mistakes[first["label"], first["predicted"]]
    assert first["count"] == max(mistakes.values())


def test_the_calibration_counts_every_image(result, rows):
    after = result["calibration"]["after"]
    assert sum(group["n_images"] for group in after["bins"]) == len(rows)
    assert after["cross_entropy"] == result["cross_entropy"]


def test_coverage(softmaxce, pets_model):
    words = ("-m", pets_model, "--coverage", "0.8", "--format", "json")
    result = softmaxce("evaluate", TEST, *words).json["coverage"]
    predictions = softmaxce("predict", TEST, *words).json["predictions"]
    hits = sum(row["path"].split("/")[-2] in row["prediction_set"] for row in predictions)
    assert result["asked"] == 0.8
    assert result["reached"] == hits / 120
    assert result["mean_size"] == sum(len(row["prediction_set"]) for row in predictions) / 120
    for row in predictions:
        by_probability = sorted(row["probabilities"], key=row["probabilities"].get, reverse=True)
        assert row["prediction_set"] == by_probability[: len(row["prediction_set"])]
        assert row["prediction_set"]


def test_coverage_that_the_validation_images_cannot_guarantee(softmaxce, pets_model, tmp_path):
    text = softmaxce("evaluate", TEST, "-m", pets_model, "--coverage", "0.9999").stdout
    assert "every set contains all classes" in " ".join(text.split())
    draw_classes(tmp_path / "d", {"a": 3, "b": 3})
    assert softmaxce("train", "d", "--validation", 0).exit_code == 0
    refused = softmaxce("evaluate", "d", "--coverage", "0.9")
    assert_one_error_line(refused, 1, "without validation images", "--validation")
    for bad in ("0", "1", "nan", "95", "x"):
        assert softmaxce("predict", "x.png", "--coverage", bad).exit_code == 2


def test_calibration_changes_no_prediction(softmaxce):
    answers, losses = [], []
    for option in ("--calibrate", "--no-calibrate"):
        words = ("train", PETS / "train", "--size", 6, "--l2", 0.01, option, "--format", "json")
        trained = softmaxce(*words).json
        assert (trained["temperature"] != 1) == (option == "--calibrate")
        assert (trained["calibration"] is None) == (option == "--no-calibrate")
        losses.append(trained["validation"]["cross_entropy"])
        text = softmaxce("evaluate", TEST, "--format", "csv").stdout
        answers.append([row["predicted"] for row in csv.DictReader(io.StringIO(text))])
        scored = softmaxce("evaluate", TEST, "--format", "json").json["calibration"]
        assert scored["temperature"] == trained["temperature"]
        same = scored["before"]["cross_entropy"] == scored["after"]["cross_entropy"]
        assert same == (option == "--no-calibrate")
    assert answers[0] == answers[1]
    assert losses[0] < losses[1]


def test_many_classes_show_the_most_confused_and_count_the_rest(softmaxce, tmp_path):
    draw_classes(tmp_path / "d", {f"class {k:03}": 4 for k in range(60)}, side=2)
    assert softmaxce("train", "d", "--validation", 0).exit_code == 0
    text = softmaxce("evaluate", "d").stdout
    assert "most confused of 60 classes" in text
    assert re.search(r"with \d+ of the \d+ errors", " ".join(text.split()))
    assert max(map(len, text.splitlines())) <= 80


def test_calibration_that_makes_these_images_worse_is_pointed_out(softmaxce, pets_model):
    softmaxce("train", PETS, "--hidden", 8, "-o", "hidden.npz")
    for model, is_worse in ((pets_model, False), ("hidden.npz", True)):
        found = softmaxce("evaluate", TEST, "-m", model, "--format", "json").json
        before, after = (
            found["calibration"][when]["cross_entropy"] for when in ("before", "after")
        )
        assert (after > before) == is_worse
        text = " ".join(softmaxce("evaluate", TEST, "-m", model).stdout.split())
        assert ("Calibration increases the cross-entropy on these images" in text) == is_worse
        assert ("calibration_harms" in {f["kind"] for f in found["findings"]}) == is_worse
