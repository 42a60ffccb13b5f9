"""`softmaxce train`: what it makes, what it says, what it refuses."""

from __future__ import annotations

import math
import shutil

import numpy as np
import pytest
from helpers import PETS, assert_one_error_line, draw_classes

from softmaxce import load_model

LAYOUT = {"bright": 30, "dark": 30}


def test_json_has_the_contract_s_fields(softmaxce, tmp_path):
    draw_classes(tmp_path / "d", LAYOUT)
    result = softmaxce("train", "d", "--format", "json").json
    assert result["schema_version"] == 1
    assert result["command"] == "train"
    assert result["model"] == "model.npz"
    assert result["classes"] == ["bright", "dark"]
    assert result["n_train"] + result["n_validation"] == 60
    assert result["image"].items() >= {"height": 8, "width": 8, "channels": 3}.items()
    assert result["l2"] > 0
    assert result["n_iterations"] > 0
    assert result["stop_reason"]
    assert set(result["seconds"]) == {"decode", "fit", "total"}
    assert set(result["train"]) >= {"cross_entropy", "accuracy"}
    validation = result["validation"]
    low, high = validation["accuracy_interval"]
    assert 0 <= low <= validation["accuracy"] <= high <= 1
    assert validation["chance_cross_entropy"] == pytest.approx(math.log(2))
    assert 0 < validation["majority_baseline"] <= 1
    assert validation["accuracy"] > 0.9


def test_the_text_shows_what_a_newcomer_needs(softmaxce, tmp_path):
    draw_classes(tmp_path / "d", LAYOUT)
    outcome = softmaxce("train", "d", "-o", "my model.npz", "--details")
    for words in (
        "2 classes: bright, dark",
        "8 × 8 RGB",
        "majority",
        "uniform",
        "precision",
        "Training converged (gradient norm ",
        "Model: my model.npz",
        "Next:  softmaxce predict",
        "-m 'my model.npz'",
    ):
        assert words in outcome.stdout
    assert "\x1b" not in outcome.stdout + outcome.stderr
    assert max(map(len, outcome.stdout.splitlines())) <= 80


def test_same_command_same_bytes_whatever_jobs_is(softmaxce, tmp_path):
    draw_classes(tmp_path / "d", {"bright": 300, "dark": 300}, side=4)
    models = []
    for jobs in (1, 2, 3):
        assert softmaxce("train", "d", "-o", "m.npz", "--jobs", jobs).exit_code == 0
        models.append((tmp_path / "m.npz").read_bytes())
    assert models[0] == models[1] == models[2]
    assert softmaxce("train", "d", "-o", "m.npz", "--seed", 1).exit_code == 0
    assert (tmp_path / "m.npz").read_bytes() != models[0]


def test_split_folders_are_used_as_such(softmaxce, tmp_path):
    draw_classes(tmp_path / "d" / "train", LAYOUT)
    draw_classes(tmp_path / "d" / "valid", {"bright": 4, "dark": 5}, seed=1)
    draw_classes(tmp_path / "d" / "test", {"dark": 7}, seed=2)
    result = softmaxce("train", "d", "--format", "json").json
    counts = [result["n_train"], result["n_validation"], result["test"]["n_images"]]
    assert counts == [60, 9, 7]
    text = softmaxce("train", "d", "--details").stdout
    assert "Validation set: d/valid\n" in text
    assert "Test set: d/test\n" in text


def test_a_folder_given_for_validation(softmaxce, tmp_path):
    draw_classes(tmp_path / "d", LAYOUT)
    draw_classes(tmp_path / "v", {"bright": 3, "dark": 3}, seed=1)
    result = softmaxce("train", "d", "--validation", "v", "--format", "json").json
    assert (result["n_train"], result["n_validation"]) == (60, 6)


def test_a_set_too_small_for_a_validation_set_says_so(softmaxce, tmp_path):
    draw_classes(tmp_path / "d", {"bright": 1, "dark": 1})
    outcome = softmaxce("train", "d")
    assert "all images were used for training" in outcome.stdout
    assert softmaxce("train", "d", "--format", "json").json["validation"] is None
    none = softmaxce("train", "d", "--validation", "0", "--format", "json").json
    assert none["n_train"] == 2


def test_size_colour_and_l2_are_what_was_asked_for(softmaxce, tmp_path):
    draw_classes(tmp_path / "d", LAYOUT)
    words = ("train", "d", "--size", "6x4", "--color", "gray", "--l2", "0.5", "--format", "json")
    result = softmaxce(*words).json
    assert result["image"].items() >= {"height": 4, "width": 6, "channels": 1}.items()
    assert result["l2"] == 0.5
    model = load_model(tmp_path / "model.npz")
    assert model.n_pixels == 24
    assert model.training["l2"] == 0.5


def test_balanced_classes_raise_the_rare_class(softmaxce, tmp_path):
    draw_classes(tmp_path / "d", {"bright": 100, "dark": 8}, side=2)
    noise = np.random.default_rng(0)
    for path in (tmp_path / "d").rglob("*.png"):  # make the classes overlap
        if noise.random() < 0.3 and path.name != "000.png":
            shutil.copy(tmp_path / "d" / "bright" / "000.png", path)
    common = ("train", "d", "--validation", "0", "--l2", "0.01")
    biases = []
    for weight in ("none", "balanced"):
        softmaxce(*common, "--class-weight", weight)
        model = load_model(tmp_path / "model.npz")
        grey = np.full((1, model.n_pixels), 130, np.uint8)
        biases.append(np.diff(model.logits(grey)[0])[0])
    assert biases[1] > biases[0]


def test_progress_goes_to_stderr_and_can_be_silenced(softmaxce, tmp_path):
    draw_classes(tmp_path / "d", LAYOUT)
    assert "objective" in softmaxce("train", "d").stderr
    assert softmaxce("train", "d", "--no-progress", "-o", "second.npz").stderr == ""
    assert softmaxce("train", "d", "--quiet").stderr == ""


def test_hidden_folders_are_not_classes(softmaxce, tmp_path):
    draw_classes(tmp_path / "d", LAYOUT)
    for name in (".ipynb_checkpoints", "__MACOSX"):
        draw_classes(tmp_path / "d", {name: 1})
    (tmp_path / "d" / ".DS_Store").write_text("x")
    (tmp_path / "d" / "bright" / "Thumbs.db").write_text("x")
    outcome = softmaxce("train", "d", "--format", "json", "--no-progress")
    assert outcome.json["classes"] == ["bright", "dark"]
    assert outcome.stderr == ""


def test_existing_outputs(softmaxce, tmp_path):
    draw_classes(tmp_path / "d", LAYOUT)
    (tmp_path / "notes.txt").write_text("mine")
    assert_one_error_line(softmaxce("train", "d", "-o", "notes.txt"), 1, "notes.txt", "--force")
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert softmaxce("train", "d", "-o", "notes.txt", "--force").exit_code == 0
    assert softmaxce("train", "d", "-o", "notes.txt").exit_code == 0  # a model by now
    assert_one_error_line(softmaxce("train", "d", "-o", "d"), 1, "it is a folder")
    assert_one_error_line(
        softmaxce("train", "d", "-o", "no/m.npz"), 1, "the folder no does not exist"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d", "notes.txt"]


def test_folders_that_cannot_train(softmaxce, tmp_path):
    cases = {
        "nothing here": "no such folder",
        "empty": "no class folders",
        "loose": "not in class folders",
        "single": "at least two",
        "hollow": "'dark'",
        "broken": "unreadable",
    }
    (tmp_path / "empty").mkdir()
    draw_classes(tmp_path / "x", LAYOUT)
    shutil.copytree(tmp_path / "x" / "dark", tmp_path / "loose")
    draw_classes(tmp_path / "single", {"only": 3})
    draw_classes(tmp_path / "hollow", LAYOUT)
    shutil.rmtree(tmp_path / "hollow" / "dark")
    (tmp_path / "hollow" / "dark").mkdir()
    draw_classes(tmp_path / "broken", LAYOUT)
    for path in (tmp_path / "broken" / "dark").iterdir():
        path.write_bytes(b"no image")
    for folder, reason in cases.items():
        assert_one_error_line(softmaxce("train", folder, "--no-progress"), 1, folder, reason)
    lost = softmaxce("train", "broken", "--no-progress", "--skip-bad")
    assert_one_error_line(lost, 1, "no readable images", "'dark'")
    assert not (tmp_path / "model.npz").exists()


def test_unreadable_images_are_named_or_skipped(softmaxce, tmp_path):
    draw_classes(tmp_path / "d", LAYOUT)
    for number in range(12):
        (tmp_path / "d" / "dark" / f"bad{number:02}.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    (tmp_path / "d" / "dark" / "readme.txt").write_text("about these")
    refused = softmaxce("train", "d", "--no-progress")
    assert_one_error_line(refused, 1, "12 unreadable", "bad00.png", "bad09.png", "and 2 more")
    assert "bad10.png" not in refused.stderr
    skipped = softmaxce("train", "d", "--no-progress", "--skip-bad", "--format", "json")
    assert skipped.json["n_train"] + skipped.json["n_validation"] == 60
    assert "13 files left out" in skipped.stderr
    assert len(skipped.json["left_out"]) == 13


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--l2", "nan"), "not finite"),
        (("--l2", "-1"), "at least 0"),
        (("--l2", "much"), "not a number"),
        (("--validation", "1"), "less than 1"),
        (("--validation", "nan"), "not finite"),
        (("--validation", "nowhere"), "no such folder"),
        (("--size", "0"), "1 to 4096"),
        (("--size", "3x"), "not an image size"),
        (("--jobs", "0"), "--jobs"),
        (("--seed", "-1"), "--seed"),
        (("--color", "mauve"), "mauve"),
        (("--nonsense",), "--nonsense"),
    ],
)
def test_wrong_usage(softmaxce, words, reason):
    assert_one_error_line(softmaxce("train", PETS, *words), 2, reason, "softmaxce train --help")
