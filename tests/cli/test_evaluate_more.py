"""`evaluate`: its scores, rows for each image, --errors, gates, coverage and calibration."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections import Counter

import pytest
import sklearn.metrics as sk
from helpers import PETS, assert_one_error_line, draw_classes, run_command
from PIL import Image

TEST = PETS / "test"


@pytest.fixture(scope="module")
def rows(pets_model):
    """A row for each test image."""
    outcome = run_command("evaluate", TEST, "-m", pets_model, "--format", "jsonl")
    return [json.loads(line) for line in outcome.stdout.splitlines()]


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


def test_errors_are_exactly_the_wrong_images_highest_loss_first(
    softmaxce, pets_model, rows, tmp_path
):
    assert softmaxce("evaluate", TEST, "-m", pets_model, "--errors", "e.csv").exit_code == 0
    found = list(csv.DictReader(io.StringIO((tmp_path / "e.csv").read_text())))
    expected = [row for row in rows if row["label"] != row["predicted"]]
    expected.sort(key=lambda row: -row["cross_entropy"])
    assert [row["path"] for row in found] == [row["path"] for row in expected]
    for ours, theirs in zip(found, expected, strict=True):
        assert float(ours["probability"]) == theirs["probability"]
        assert float(ours["cross_entropy"]) == theirs["cross_entropy"]
        assert (ours["label"], ours["predicted"]) == (theirs["label"], theirs["predicted"])
        with Image.open(ours["path"]) as image:
            image.load()


def test_removing_a_class_folder_leaves_every_other_row_unchanged(softmaxce, pets_model, tmp_path):
    shutil.copytree(TEST, tmp_path / "d")
    words = ("evaluate", "d", "-m", pets_model, "--format", "csv")
    before = softmaxce(*words).stdout.splitlines()
    shutil.rmtree(tmp_path / "d" / "cat")
    after = softmaxce(*words).stdout.splitlines()
    assert len(after) == 81
    assert after == [line for line in before if not line.startswith("d/cat/")]


@pytest.mark.parametrize(
    ("gate", "met"),
    [
        ("accuracy=0.1", True),
        ("accuracy=0.999", False),
        ("accuracy>=0.999", False),
        ("cross_entropy<=9", True),
        ("cross_entropy=0.001", False),
        ("top_2_accuracy=0.5", True),
        ("macro_f1=0.99", False),
    ],
)
def test_gates(softmaxce, pets_model, gate, met):
    outcome = softmaxce("evaluate", TEST, "-m", pets_model, "--fail-under", gate)
    assert outcome.exit_code == (0 if met else 3)
    assert "Scores on 120 images" in outcome.stdout
    if not met:
        assert outcome.stderr.count("\n") == 1
        assert outcome.stderr.startswith(f"Error: gate failed: {gate.split('=')[0].rstrip('<>')}")


def test_several_gates_are_all_named(softmaxce, pets_model):
    words = ("--fail-under", "accuracy=1", "--fail-under", "cross_entropy<=0.001")
    outcome = softmaxce("evaluate", TEST, "-m", pets_model, "--format", "json", *words)
    assert outcome.exit_code == 3
    accuracy = outcome.json["accuracy"]
    assert f"accuracy {accuracy:.4g} is {1 - accuracy:.2g} below 1" in outcome.stderr
    assert "cross_entropy" in outcome.stderr


@pytest.mark.parametrize(
    ("gate", "fragment"),
    [
        ("accuracy", "is not a gate"),
        ("beauty=1", "unknown score 'beauty'"),
        ("accuracy=90", "0.9"),
        ("accuracy<=0.9", "higher accuracy is better"),
        ("cross_entropy>=0.3", "lower cross_entropy is better"),
        ("accuracy=nan", "nan"),
        ("accuracy=x", "is not a number"),
        ("top_5_accuracy=0.5", "with 3 classes"),
    ],
)
def test_gates_that_cannot_be(softmaxce, pets_model, gate, fragment):
    outcome = softmaxce("evaluate", TEST, "-m", pets_model, "-q", "--fail-under", gate)
    assert outcome.exit_code == 2
    assert fragment in outcome.stderr


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


def test_coverage_that_the_held_out_images_cannot_promise(softmaxce, pets_model, tmp_path):
    text = softmaxce("evaluate", TEST, "-m", pets_model, "--coverage", "0.9999").stdout
    assert "every set contains all classes" in " ".join(text.split())
    draw_classes(tmp_path / "d", {"a": 3, "b": 3})
    assert softmaxce("train", "d", "--validation", 0).exit_code == 0
    refused = softmaxce("evaluate", "d", "--coverage", "0.9")
    assert_one_error_line(refused, 1, "without validation images", "--validation")
    for bad in ("0", "1", "nan", "95", "x"):
        assert softmaxce("predict", "x.png", "--coverage", bad).exit_code == 2


def test_calibration_changes_no_answer(softmaxce):
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


def test_hostile_class_names_are_defused_in_csv_and_their_images_open(softmaxce, tmp_path):
    draw_classes(tmp_path / "=d", {"=1+1": 30, "@sum": 30, "a": 30}, side=3)
    assert softmaxce("train", "=d", "--l2", 100, "--validation", 0).exit_code == 0
    outcome = softmaxce("evaluate", "=d", "--errors", "e.csv", "--format", "csv")
    for text in (outcome.stdout, (tmp_path / "e.csv").read_text()):
        found = list(csv.reader(io.StringIO(text)))
        assert len(found) > 1
        for cells in found:
            assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)
        for cells in found[1:]:
            with Image.open(tmp_path / cells[0]) as image:
                image.load()
    names = {cells[1] for cells in csv.reader(io.StringIO(outcome.stdout))}
    assert names == {"label", "'=1+1", "'@sum", "a"}
    predicted = softmaxce("predict", "=d", "--format", "csv").stdout
    assert not any(line.startswith(("=", "@")) for line in predicted.splitlines())


def test_file_names_that_are_no_utf_8_are_escaped_in_csv_and_exact_in_json(
    softmaxce, pets_model, tmp_path
):
    folder = tmp_path / "d" / "cat"
    folder.mkdir(parents=True)
    name = b"caf\xe9.png"
    shutil.copy(TEST / "dog" / "dog-001.png", bytes(folder) + b"/" + name)
    words = ("evaluate", "d", "-m", pets_model)
    assert softmaxce(*words, "--errors", "e.csv").exit_code == 0
    assert "caf\\udce9.png" in (tmp_path / "e.csv").read_text("utf-8")
    row = json.loads(softmaxce(*words, "--format", "jsonl").stdout)
    assert (tmp_path / row["path"]).is_file()


def test_outputs_that_would_destroy_something_are_refused_before_the_work(
    softmaxce, pets_model, tmp_path
):
    shutil.copy(pets_model, tmp_path / "m.npz")
    words = ("evaluate", TEST, "-m", "m.npz", "--errors")
    assert_one_error_line(softmaxce(*words, "m.npz"), 1, "m.npz", "another output")
    assert_one_error_line(softmaxce(*words, tmp_path), 1, "folder")
    assert_one_error_line(softmaxce(*words, "none/e.csv"), 1, "none")


def test_many_classes_show_the_confused_part_and_what_was_left_out(softmaxce, tmp_path):
    draw_classes(tmp_path / "d", {f"class {k:03}": 4 for k in range(60)}, side=2)
    assert softmaxce("train", "d", "--validation", 0).exit_code == 0
    text = softmaxce("evaluate", "d").stdout
    assert "most confused of 60 classes" in text
    assert re.search(r"with \d+ of the \d+ errors", " ".join(text.split()))
    assert max(map(len, text.splitlines())) <= 80


def test_calibration_that_makes_these_images_worse_is_pointed_out(softmaxce, pets_model):
    for folder in (TEST, PETS / "train"):
        words = ("evaluate", folder, "-m", pets_model)
        calibration = softmaxce(*words, "--format", "json").json["calibration"]
        before, after = (calibration[when]["cross_entropy"] for when in ("before", "after"))
        text = softmaxce(*words).stdout
        assert ("Calibration makes the cross-entropy of these images worse" in text) == (
            after > before
        )
