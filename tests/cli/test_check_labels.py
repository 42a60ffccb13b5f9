"""`check --labels` lists the images whose labels are wrong, and says when it cannot."""

from __future__ import annotations

import csv
import io
import shutil

import numpy as np
import pytest
from helpers import draw_classes
from PIL import Image

from softmaxce.workflows.checked_images import read_images

SWAPPED = 3
COLUMNS = ["path", "label", "likelier", "p_label", "p_likelier", "p_wrong"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two classes, of which a few images are in the wrong folder, in train and test."""
    root = tmp_path_factory.mktemp("labels") / "set"
    draw_classes(root / "train", {"dark": 40, "light": 40})
    draw_classes(root / "test", {"dark": 20, "light": 20}, seed=1)
    for number in range(SWAPPED):
        wrong = root / "train" / "light" / f"wrong-{number}.png"
        shutil.move(root / "train" / "dark" / f"{number:03}.png", wrong)
    shutil.move(root / "test" / "light" / "000.png", root / "test" / "dark" / "wrong.png")
    return root


def test_the_wrong_labels_are_listed_in_every_format(softmaxce, folder, tmp_path):
    found = softmaxce("check", folder, "--labels", "--format", "json")
    assert found.exit_code == 0, found.stderr
    labels = found.json["labels"]
    assert not labels["too_weak"]
    assert (labels["n_images"], labels["n_folds"]) == (120, 5)
    suspects = labels["suspects"]
    train, test = (folder / name for name in ("train", "test"))
    wrong = {str(train / "light" / f"wrong-{number}.png") for number in range(SWAPPED)}
    assert {s["path"] for s in suspects} == wrong | {str(test / "dark" / "wrong.png")}
    assert all({s["label"], s["likelier"]} == {"dark", "light"} for s in suspects)
    assert all(s["p_label"] < 0.1 < 0.9 < s["p_likelier"] and s["p_wrong"] > 0.5 for s in suspects)
    assert found.json["findings"] == softmaxce("check", folder, "--format", "json").json["findings"]

    report = tmp_path / "labels.html"
    listed = softmaxce("check", folder, "--labels", "--format", "csv", "--report", report).stdout
    rows = list(csv.DictReader(io.StringIO(listed)))
    assert list(rows[0]) == COLUMNS
    assert [row["path"] for row in rows] == [s["path"] for s in suspects]
    page = report.read_text("utf-8")
    assert page.count("<img") == 4
    assert "wrong-0.png" in page

    text = softmaxce("check", folder, "--labels").stdout
    assert "Probably mislabelled: 4 images" in text
    assert "No problem found" in text


def test_labels_without_meaning_are_not_listed(softmaxce, tmp_path):
    draw_classes(tmp_path / "set", {"a": 60})
    (tmp_path / "set" / "b").mkdir()
    for number in range(30):
        shutil.move(tmp_path / "set" / "a" / f"{number:03}.png", tmp_path / "set" / "b")
    found = softmaxce("check", "set", "--labels", "--format", "json", "--report", "labels.html")
    assert found.json["labels"]["too_weak"]
    assert found.json["labels"]["suspects"] == []
    assert "too weak" in (tmp_path / "labels.html").read_text("utf-8")
    text = softmaxce("check", "set", "--labels", "--seed", "1").stdout
    assert "too weak to tell" in text
    assert "--features patches" in text


def test_arrays_are_named_by_their_position(softmaxce, tmp_path):
    random = np.random.default_rng(0)
    y = np.repeat([0, 1], 40)
    x = np.clip(random.normal(60 + 120 * y[:, None, None], 20, (80, 8, 8)), 0, 255)
    y[5] = 1
    np.savez(tmp_path / "set.npz", X=x.astype(np.uint8), y=y)
    found = softmaxce("check", "set.npz", "--labels", "--format", "json")
    assert [s["path"] for s in found.json["labels"]["suspects"]] == ["set.npz[5]"]


def test_unreadable_images_are_skipped_and_small_classes_have_fewer_folds(softmaxce, tmp_path):
    draw_classes(tmp_path / "set", {"a": 12, "b": 3})
    (tmp_path / "set" / "a" / "empty.png").write_bytes(b"")
    found = softmaxce("check", "set", "--labels", "--format", "json").json
    assert (found["labels"]["n_images"], found["labels"]["n_folds"]) == (15, 3)
    assert "unreadable" in {finding["kind"] for finding in found["findings"]}


@pytest.mark.parametrize(
    ("counts", "options", "exit_code", "message"),
    [
        ({"a": 5}, ("--labels",), 1, "only one class found: set: 'a'; a classifier needs"),
        ({"a": 5, "b": 1}, ("--labels",), 1, "2 folds: 'b' (1); add images"),
        ({"a": 5, "b": 0}, ("--labels",), 1, "only one class found: set: 'a'"),
        ({"a": 5, "b": 5}, ("--format", "csv"), 2, "need --labels"),
        ({"a": 5, "b": 5}, ("--features", "patches"), 2, "needs --labels or --curve"),
        ({"a": 5, "b": 5}, ("--report", "labels.html"), 2, "need --labels"),
    ],
)
def test_what_cannot_be_checked_is_an_error(
    softmaxce, tmp_path, counts, options, exit_code, message
):
    draw_classes(tmp_path / "set", counts)
    found = softmaxce("check", "set", *options)
    assert found.exit_code == exit_code
    assert message in found.stderr
    assert found.stdout == ""


def test_no_listed_label_is_not_called_an_all_clear(softmaxce, tmp_path):
    random = np.random.default_rng(0)
    for name in "ab":
        (tmp_path / "d" / name).mkdir(parents=True)
        for number in range(40):
            level = 80 if name == "a" else 110
            pixels = np.clip(random.normal(level, 25, (3, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "d" / name / f"{number}.png")
    found = softmaxce("check", "d", "--labels", "--format", "json").json["labels"]
    assert found["suspects"] == []
    assert not found["too_weak"]
    text = " ".join(softmaxce("check", "d", "--labels").stdout.split())
    assert "A few wrong labels among images that are hard to tell apart would not be found" in text
    assert "Try --features patches." in text


def test_unreadable_images_join_no_groups(tmp_path):
    groups = dict.fromkeys("pqrs", 4)
    for name in "ab":
        draw_classes(tmp_path / name, groups)
        for group in groups:
            (tmp_path / name / group / "bad.png").write_bytes(b"no picture")
    images = read_images(tmp_path, group_by="parent").subset()
    assert images.n_images == 32
    assert len(set(images.dataset.split_keys.tolist())) == 4
