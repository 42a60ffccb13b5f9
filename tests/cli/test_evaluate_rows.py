"""The rows of `evaluate`, one for each image: --errors, CSV and JSON lines."""

from __future__ import annotations

import csv
import io
import json
import shutil

from helpers import PETS, assert_one_error_line, draw_classes
from PIL import Image

TEST = PETS / "test"


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


def test_file_names_that_are_not_utf_8_are_escaped_in_csv_and_exact_in_json(
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
