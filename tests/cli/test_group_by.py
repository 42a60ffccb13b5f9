"""`--group-by`: what the commands print about groups, and what they count."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import assert_one_error_line, draw_classes
from PIL import Image

COUNT = "the intervals and tests count groups, not images."


def draw_patients(folder, patients, seed=0):
    """Ten noisy images of each patient in two classes; a patient's are alike."""
    random = np.random.default_rng(seed)
    for k, label in enumerate(("cat", "dog")):
        for patient in patients:
            place = folder / label / f"p{patient}"
            place.mkdir(parents=True)
            look = random.normal(100 + 30 * k, 40, (6, 6))
            for i in range(10):
                pixels = np.clip(look + random.normal(0, 10, (6, 6)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(place / f"{i}.png")


@pytest.fixture
def photos(tmp_path):
    draw_patients(tmp_path / "photos", range(30))
    return tmp_path / "photos"


GROUPED = "--group-by", "parent"


def test_train_keeps_patients_together_and_says_so(softmaxce, photos):
    result = softmaxce("train", "photos", *GROUPED, "--test", "0.2", "--report", "r.html")
    assert result.exit_code == 0
    assert f"30 groups, none in two splits: {COUNT}" in " ".join(result.stdout.split())
    report = (photos.parent / "r.html").read_text("utf-8")
    assert f"30 groups, none in two splits: {COUNT}" in report


def test_train_has_the_groups_in_its_json(softmaxce, photos):
    found = softmaxce("train", "photos", *GROUPED, "--format", "json").json
    assert found["groups"] == {"n_groups": 30, "shared": []}
    assert "groups" not in softmaxce("train", "photos", "--group-by", "parent", "-q").stderr


def test_folds_are_cross_validated_by_groups(softmaxce, photos):
    command = "train", "photos", *GROUPED, "--folds", "3", "--format", "json"
    found = softmaxce(*command).json
    assert found["groups"] == {"n_groups": 30, "shared": []}
    low, high = found["cross_validation"]["accuracy_interval"]
    assert high - low > 0.1  # of 600 images, which are worth about 60


def test_check_counts_the_groups(softmaxce, photos):
    assert "Groups: 30\n" in softmaxce("check", "photos", *GROUPED).stdout
    found = softmaxce("check", "photos", *GROUPED, "--format", "json").json
    assert found["groups"] == {"n_groups": 30, "shared": []}


def test_images_that_have_no_group_folder(softmaxce, tmp_path):
    draw_classes(tmp_path / "d", {"a": 4, "b": 4})
    assert "groups" not in softmaxce("check", "d", "--format", "json").json
    outcome = softmaxce("train", "d", "--group-by", "parent")
    assert_one_error_line(outcome, 1, "no image is in a folder of its group below its class folder")


def test_groups_in_two_given_splits_are_named(softmaxce, tmp_path):
    draw_patients(tmp_path / "d" / "train", range(12))
    draw_patients(tmp_path / "d" / "test", range(10, 15), seed=1)
    told = "2 groups of images in more than one split, so scores are too good: d/train/cat/p1"
    result = softmaxce("train", "d", *GROUPED)
    assert f"15 groups, 2 in more than one split: {COUNT}" in " ".join(result.stdout.split())
    assert told in result.stderr
    found = softmaxce("train", "d", *GROUPED, "--format", "json").json
    assert [len(paths) for paths in found["groups"]["shared"]] == [2, 2]
    kinds = {f["kind"]: f["is_problem"] for f in found["source_findings"]}
    assert kinds["groups_across_parts"]
    checked = softmaxce("check", "d", *GROUPED, "--format", "json").json
    about = next(f for f in checked["findings"] if f["kind"] == "groups_across_parts")
    assert about["is_problem"]
    assert about["count"] == 2
    assert about["examples"] == found["groups"]["shared"]


def width(interval):
    low, high = interval
    return high - low


def test_evaluate_and_compare_count_groups(softmaxce, photos):
    softmaxce("train", "photos", *GROUPED, "-o", "a.npz")
    softmaxce("train", "photos", *GROUPED, "-o", "b.npz", "--l2", "10")
    evaluate = "evaluate", "photos", "-m", "b.npz", "--format", "json", "--coverage", "0.9"
    plain, grouped = softmaxce(*evaluate).json, softmaxce(*evaluate, *GROUPED).json
    assert "groups" not in plain
    assert grouped["groups"] == {"n_groups": 30, "shared": []}
    for name, interval in plain["intervals"].items():
        assert grouped[name] == plain[name]
        assert width(grouped["intervals"][name]) > 1.2 * width(interval), name
    assert width(grouped["coverage"]["interval"]) > 1.2 * width(plain["coverage"]["interval"])
    compare = "compare", "a.npz", "b.npz", "photos"
    both = [softmaxce(*compare, *more, "--format", "json").json for more in ((), GROUPED)]
    widths = [width(found["accuracy_difference_interval"]) for found in both]
    assert widths[1] > 1.2 * widths[0]
    assert both[0]["p_value"] < both[1]["p_value"]
    text = softmaxce(*compare, *GROUPED).stdout
    assert "Exact sign-flip test over groups: p = " in text
    assert f"30 groups: {COUNT}" in text
    assert f"30 groups: {COUNT}" in softmaxce("evaluate", "photos", "-m", "a.npz", *GROUPED).stdout


def test_groups_are_korean(softmaxce, photos):
    result = softmaxce("train", "photos", *GROUPED, "--lang", "ko")
    assert "그룹 30개, 두 세트에 걸친 그룹은 없습니다." in result.stdout
    result = softmaxce("train", "photos", "--group-by", "(", "--lang", "ko")
    assert "정규 표현식이 아닙니다" in result.stderr
