"""`check` finds each thing that is wrong, and nothing in a set where all is well."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
from helpers import PETS, draw_classes
from PIL import Image

from softmaxce.data.duplicates import exact_groups, near_groups
from softmaxce.preprocessing import Preprocessing


@pytest.fixture
def folder(tmp_path):
    draw_classes(tmp_path / "set" / "train", {"a": 12, "b": 12}, side=16)
    draw_classes(tmp_path / "set" / "test", {"a": 10, "b": 10}, side=16, seed=1)
    return tmp_path / "set"


def kinds(outcome):
    assert outcome.exit_code == 0, outcome.stderr
    return {finding["kind"]: finding for finding in outcome.json["findings"]}


def check(softmaxce, folder):
    return kinds(softmaxce("check", folder, "--format", "json"))


def test_a_good_set_has_no_findings(softmaxce):
    outcome = softmaxce("check", PETS, "--format", "json")
    assert kinds(outcome) == {}
    assert outcome.json["n_problems"] == 0
    assert [part["name"] for part in outcome.json["parts"]] == ["train", "test"]
    assert outcome.json["formats"] == {"PNG": 390}
    text = softmaxce("check", PETS)
    assert "No problem found" in text.stdout
    assert "32 × 32 RGB" in text.stdout


def test_each_fault_is_found(softmaxce, folder):
    train = folder / "train"
    (train / "a" / "empty.png").write_bytes(b"")
    (train / "a" / "notes.txt").write_text("a")
    (train / ".DS_Store").write_bytes(b"")
    (train / "c").mkdir()
    draw_classes(train, {"few": 1}, side=16, seed=2)
    random = np.random.default_rng(3)

    def picture(*shape: int) -> Image.Image:
        return Image.fromarray(random.integers(0, 256, shape, np.uint8))

    exif = Image.Exif()
    exif[0x0112] = 6
    picture(20, 30, 3).save(train / "a" / "turned.jpg", exif=exif)
    picture(16, 16, 4).save(train / "a" / "glass.png")
    frames = [picture(16, 16, 3) for _ in range(2)]
    frames[0].save(train / "a" / "moving.gif", save_all=True, append_images=frames[1:])
    deep = random.integers(0, 65536, (16, 16), np.uint16)
    Image.fromarray(deep).save(train / "b" / "deep.png")
    picture(16, 16, 3).save(train / "b" / "really.png", format="BMP")
    with open(os.fsencode(train / "b") + b"/caf\xe9.png", "wb") as stream:
        picture(16, 16, 3).save(stream, format="PNG")
    draw_classes(folder / "test", {"unknown": 1}, side=16, seed=4)
    found = check(softmaxce, folder)
    assert {kind: finding["count"] for kind, finding in found.items()} == {
        "unreadable": 1,
        "empty_class": 1,
        "unknown_class": 1,
        "tiny_class": 2,
        "unbalanced": 2,
        "foreign": 1,
        "hidden": 1,
        "rotated": 1,
        "transparent": 1,
        "animated": 1,
        "16_bit": 1,
        "grey": 1,
        "misnamed": 1,
        "name_not_utf8": 1,
    }
    problems = {kind for kind, finding in found.items() if finding["is_problem"]}
    assert problems == {"unreadable", "empty_class", "unknown_class"}
    assert "caf\\udce9.png" in softmaxce("check", folder).stdout


def test_copies_are_found_within_and_across_classes_and_splits(softmaxce, folder):
    train = folder / "train"
    shutil.copy(train / "a" / "000.png", train / "a" / "copy.png")
    shutil.copy(train / "a" / "001.png", train / "b" / "copy.png")
    shutil.copy(train / "a" / "002.png", folder / "test" / "a" / "copy.png")
    found = check(softmaxce, folder)
    assert {kind: finding["count"] for kind, finding in found.items()} == {
        "exact_duplicates_within_class": 1,
        "exact_duplicates_across_classes": 1,
        "exact_duplicates_across_parts": 1,
    }
    (group,) = found["exact_duplicates_across_classes"]["examples"]
    assert group == [str(train / "a" / "001.png"), str(train / "b" / "copy.png")]


def test_nearly_the_same_pictures_are_found(softmaxce, folder):
    coarse = np.random.default_rng(6).integers(30, 220, (8, 12, 3), np.uint8)
    image = Image.fromarray(coarse).resize((300, 200), Image.Resampling.BICUBIC)
    image.save(folder / "train" / "a" / "scene.png")
    image.resize((150, 100)).save(folder / "test" / "b" / "small.jpg", quality=60)
    Image.eval(image, lambda v: min(255, v + 12)).save(folder / "train" / "b" / "bright.png")
    found = check(softmaxce, folder)
    assert set(found) == {"near_duplicates_across_parts"}
    (group,) = found["near_duplicates_across_parts"]["examples"]
    assert sorted(os.path.basename(path) for path in group) == [
        "bright.png",
        "scene.png",
        "small.jpg",
    ]


def test_different_images_are_not_near_duplicates():
    pixels = np.random.default_rng(5).integers(0, 256, (2000, 16 * 16 * 3), np.uint8)
    assert near_groups(pixels, Preprocessing(16, 16, 3), np.arange(len(pixels))) == []
    blank = np.zeros((50, 16 * 16 * 3), np.uint8) + np.arange(50, dtype=np.uint8)[:, np.newaxis]
    assert near_groups(blank, Preprocessing(16, 16, 3), np.arange(len(blank))) == []


def test_exact_groups_by_hand():
    digests = np.array([[1, 2], [3, 4], [1, 2], [1, 3], [3, 4], [1, 2]], np.uint64)
    groups = sorted(sorted(rows.tolist()) for rows in exact_groups(digests))
    assert groups == [[0, 2, 5], [1, 4]]


def test_copies_of_training_images_among_the_evaluated_ones(softmaxce, folder):
    shutil.copy(folder / "train" / "a" / "003.png", folder / "test" / "b" / "copy.png")
    trained = softmaxce("train", folder, "--format", "json").json
    copies = trained["duplicates"]["test"]
    assert copies["n_copies"] == 1
    assert copies["paths"] == [str(folder / "test" / "b" / "copy.png")]
    n_right = round(trained["test"]["accuracy"] * 21)
    assert copies["accuracy_without"] in (n_right / 20, (n_right - 1) / 20)
    scored = softmaxce("evaluate", folder / "test", "--format", "json").json
    assert scored["duplicates"] == copies
    assert "the training set also contains" in softmaxce("evaluate", folder / "test").stdout
    elsewhere = folder.parent / "elsewhere"
    shutil.copytree(folder / "test", elsewhere)
    assert softmaxce("evaluate", elsewhere, "--format", "json").json["duplicates"]["n_copies"] == 1
    (folder / "test" / "b" / "copy.png").unlink()
    clean = softmaxce("evaluate", folder / "test", "--format", "json").json
    assert clean["duplicates"] is None
    assert clean["accuracy"] == copies["accuracy_without"]


def test_a_folder_without_classes_is_one_error(softmaxce, tmp_path):
    outcome = softmaxce("check", tmp_path / "nothing")
    assert outcome.exit_code == 1
    assert outcome.stderr == f"Error: no such folder: {tmp_path / 'nothing'}\n"
