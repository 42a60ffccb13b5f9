"""The verdict and the findings as `train` and `evaluate` show them."""

from __future__ import annotations

import csv
import random
import re

import pytest
from helpers import PETS, draw_classes, run_command

TEST = PETS / "test"


def manifest(path, labels_of):
    """A manifest of the sample set's training images, with other labels."""
    files = sorted((PETS / "train").glob("*/*.png"))
    with open(path, "w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(("path", "label"))
        rows.writerows(zip(files, labels_of([f.parent.name for f in files]), strict=True))
    return path


def test_the_verdict_comes_first_and_the_rest_is_short(softmaxce, tmp_path):
    words = ("train", PETS, "-o", "m.npz", "-q")
    outcome = run_command(*words, cwd=tmp_path, env={"COLUMNS": "80"})
    lines = outcome.stdout.splitlines()
    assert len(lines) <= 40
    assert lines[0].startswith("Useful, with errors: 84.2 % of new images are classified correctly")
    assert max(len(line) for line in lines if not line.startswith("Next:")) <= 80
    result = softmaxce("train", PETS, "--format", "json").json
    assert result["verdict"]["kind"] == "useful"
    assert result["verdict"]["accuracy"] == result["test"]["accuracy"]
    assert result["findings"] == []


def test_random_labels_have_no_skill(softmaxce, tmp_path):
    def shuffled(labels):
        random.Random(1).shuffle(labels)
        return labels

    path = manifest(tmp_path / "random.csv", shuffled)
    found = softmaxce("train", path, "--format", "json").json
    assert found["verdict"]["kind"] == "no_skill"
    assert found["findings"][0]["kind"] == "unexplained_labels"
    assert "--features patches" in found["findings"][0]["remedy"]
    assert softmaxce("train", path).stdout.startswith("Not clearly better than always predicting ")


def test_test_images_that_chose_the_penalty_are_pointed_out(softmaxce):
    text = softmaxce("train", PETS, "--validation", TEST, "-q").stdout
    assert text.startswith("Not a fair test: all 120 test images are also validation images")
    assert "1. All 120 test images are also validation images" in text
    found = softmaxce("evaluate", PETS / "train", "--format", "json").json
    assert found["verdict"]["kind"] == "copies"
    text = softmaxce("evaluate", PETS / "train").stdout
    assert text.startswith("Not a fair test: all 270 images are also training images.")


def test_without_other_images_nothing_is_known(softmaxce):
    text = softmaxce("train", PETS / "train", "--validation", 0).stdout
    assert text.startswith("Not tested: all images were used for training")


def test_contradictory_labels_lead_to_check(softmaxce, tmp_path):
    draw_classes(tmp_path / "d", {"cat": 30, "dog": 30})
    copy = tmp_path / "d" / "dog" / "copy.png"
    copy.write_bytes((tmp_path / "d" / "cat" / "000.png").read_bytes())
    text = softmaxce("train", "d").stdout
    assert "1 picture is in more than one class, so some labels are wrong." in text
    assert "→ softmaxce check d" in text


def test_a_remedy_is_the_command_with_the_option_added(softmaxce, tmp_path):
    labels = {"cat": 60, "dog": 8}
    draw_classes(tmp_path / "d e", labels, side=4)
    found = softmaxce("train", "d e", "--validation", 0.4, "--format", "json").json["findings"]
    (imbalance,) = (f for f in found if f["kind"] == "imbalance")
    added = "--validation 0.4 --format json --class-weight balanced"
    assert imbalance["remedy"] == f"softmaxce train 'd e' {added}"
    words = ("train", "d e", "--class-weight", "balanced", "--validation", 0.4, "--format", "json")
    assert "imbalance" not in {f["kind"] for f in softmaxce(*words).json["findings"]}


@pytest.mark.parametrize("width", [60, 80, 120])
def test_numbers_stay_whole_on_narrow_screens(tmp_path, width):
    draw_classes(tmp_path / "d", {f"class {k}": 12 for k in range(12)}, side=4)
    environment = {"COLUMNS": str(width)}
    for words in (
        ("train", "d", "-q"),
        ("evaluate", "d", "-q"),
        ("train", PETS, "-q", "--details"),
    ):
        text = run_command(*words, cwd=tmp_path, env=environment).stdout
        assert not re.search(r"^\s*%|^\s*\d+\.\d+\]", text, re.MULTILINE)
        tables = [line for line in text.splitlines() if re.search(r"\d  +\S", line)]
        assert max(map(len, tables)) <= width


def test_only_a_few_columns_are_left_out_at_60(tmp_path):
    wide, narrow = (
        run_command("train", PETS, "-q", cwd=tmp_path, env={"COLUMNS": columns}).stdout
        for columns in ("80", "60")
    )
    assert "balanced" in wide
    assert "balanced" not in narrow
    for text in (wide, narrow):
        assert "cross-entropy" in text
        assert "[76.6, 89.6]" in text
