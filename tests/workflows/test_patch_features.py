"""`--features patches` through the commands."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from helpers import PETS, assert_one_error_line, draw_classes
from PIL import Image

from softmaxce.model.model_file import load_model

QUICK = ("--features", "patches:8", "--no-cache")


@pytest.fixture
def signs(tmp_path):
    """Two classes of grey pictures, each the mirror image of the other: L and J."""
    rng = np.random.default_rng(0)
    for name in ("L", "J"):
        (tmp_path / "signs" / name).mkdir(parents=True)
        for i in range(150):
            image = rng.normal(30, 8, (16, 16))
            row, column = rng.integers(0, 4, 2)
            image[row : row + 11, column + 1 : column + 3] += 180
            image[row + 9 : row + 11, column + 1 : column + 10] += 180
            image = image if name == "L" else image[:, ::-1]
            picture = np.clip(image, 0, 255).astype(np.uint8)
            Image.fromarray(picture).save(tmp_path / "signs" / name / f"{i}.png")
    return tmp_path / "signs"


def test_every_command_uses_the_features(softmaxce, tmp_path):
    trained = softmaxce("train", PETS, *QUICK, "-o", "m.npz", "--format", "json").json
    assert trained["features"]["kind"] == "patches"
    assert trained["features"]["n_filters"] == 8
    assert trained["seconds"]["features"] > 0
    evaluated = softmaxce("evaluate", PETS / "test", "-m", "m.npz", "--format", "json").json
    assert evaluated["accuracy"] == trained["test"]["accuracy"] > 0.7
    assert evaluated["cross_entropy"] == trained["test"]["cross_entropy"]
    path = PETS / "test" / "cat"
    lines = softmaxce("predict", path, "-m", "m.npz", "--format", "jsonl").stdout.splitlines()
    first = json.loads(lines[0])
    alone = softmaxce("predict", first["path"], "-m", "m.npz", "--format", "jsonl").stdout
    assert json.loads(alone)["probabilities"] == first["probabilities"]
    piped = softmaxce(
        *("predict", "-", "-m", "m.npz", "--format", "jsonl"),
        stdin=Path(first["path"]).read_bytes(),
    )
    assert json.loads(piped.stdout)["probabilities"] == first["probabilities"]
    softmaxce("train", PETS, "-o", "p.npz", "-q")
    compared = softmaxce("compare", "m.npz", "p.npz", PETS / "test", "--format", "json")
    assert compared.exit_code == 0, compared.stderr
    assert "Features: 8 patches of 6 × 6" in softmaxce("info", "m.npz").stdout


def test_the_same_bytes_with_any_number_of_processes_and_after_a_second_run(softmaxce, tmp_path):
    for name, jobs in (("a", "1"), ("b", "2")):
        softmaxce("train", PETS, *QUICK, "-o", f"{name}.npz", "--jobs", jobs, "-q")
    first = (tmp_path / "a.npz").read_bytes()
    assert (tmp_path / "b.npz").read_bytes() == first
    again = softmaxce("train", PETS, *QUICK, "-o", "a.npz", "--resume")
    assert "nothing left to do" in again.stdout.lower()
    assert (tmp_path / "a.npz").read_bytes() == first


def test_a_model_of_pixels_has_the_format_of_older_versions(softmaxce, tmp_path):
    softmaxce("train", PETS, "-o", "p.npz", "-q")
    softmaxce("train", PETS, *QUICK, "-o", "m.npz", "-q")
    versions = [softmaxce("info", n, "--format", "json").json for n in ("p.npz", "m.npz")]
    assert [info["format_version"] for info in versions] == [1, 3]
    assert "features" not in versions[0]
    assert load_model(tmp_path / "p.npz").patches is None


def test_validation_decides_on_mirror_symmetry(softmaxce, signs, tmp_path):
    outcome = softmaxce("train", signs, *QUICK, "-o", "m.npz", "--details")
    assert "without mirror symmetry; cross-entropy" in outcome.stdout
    assert not load_model(tmp_path / "m.npz").patches.is_symmetric
    forced = softmaxce("train", signs, *QUICK, "--mirror", "on", "-o", "s.npz", "--format", "json")
    assert forced.json["validation"]["accuracy"] < 0.75
    outcome = softmaxce("train", PETS, *QUICK, "-o", "pets.npz", "--details")
    assert re.search(r"\(with mirror symmetry; ", outcome.stdout)


def test_few_small_pictures_hidden_layers_and_no_validation(softmaxce, tmp_path):
    folder = draw_classes(tmp_path / "few", {"a": 30, "b": 30}, side=8)
    for words in ((), ("--hidden", "4"), ("--validation", "0")):
        outcome = softmaxce("train", folder, *QUICK, *words, "-o", "m.npz", "--format", "json")
        assert outcome.json["train"]["accuracy"] > 0.5


def flat(folder):
    for name, level in (("a", 20), ("b", 200)):
        (folder / name).mkdir(parents=True)
        for i in range(12):
            Image.new("RGB", (12, 12), (level + i,) * 3).save(folder / name / f"{i}.png")
    return folder


def test_what_has_no_patches_is_refused_in_one_line(softmaxce, tmp_path):
    tiny = draw_classes(tmp_path / "tiny", {"a": 12, "b": 12}, side=5)
    cases = [
        ((tiny, *QUICK), 1, "smaller than a patch of 6 × 6"),
        ((flat(tmp_path / "flat"), *QUICK), 1, "of one colour"),
        ((tiny, "--size", "6", "--features", "patches:4000"), 1, "only"),
        ((PETS, "--features", "hog"), 2, "'hog' is not a kind of features"),
        ((PETS, "--mirror", "on"), 2, "--mirror needs --features patches"),
        ((PETS, *QUICK, "--mirror", "up"), 2, "'up' is not one of auto, on and off"),
    ]
    for words, code, fragment in cases:
        assert_one_error_line(softmaxce("train", *words, "-q"), code, fragment)


def test_all_pictures_equal(softmaxce, tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (12, 12, 3)).astype(np.uint8)
    for name in ("a", "b"):
        (tmp_path / "equal" / name).mkdir(parents=True)
        for i in range(12):
            Image.fromarray(picture).save(tmp_path / "equal" / name / f"{i}.png")
    outcome = softmaxce("train", tmp_path / "equal", *QUICK, "-o", "m.npz", "--format", "json")
    assert outcome.json["train"]["accuracy"] == 0.5


def test_training_on_pixels_ends_with_a_hint_for_photographs(softmaxce, tmp_path):
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / "noise" / name).mkdir(parents=True)
        for i in range(120):
            picture = rng.integers(0, 256, (12, 12, 3)).astype(np.uint8)
            Image.fromarray(picture).save(tmp_path / "noise" / name / f"{i}.png")
    assert "--features patches" in softmaxce("train", tmp_path / "noise").stdout
    assert "--features" not in softmaxce("train", PETS).stdout
