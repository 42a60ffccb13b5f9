"""`train` says what the validation images chose: exactly what they did choose."""

from __future__ import annotations

import re

import pytest
from helpers import PETS, draw_classes

NOTHING = ""
CASES = [
    ([], "the penalty and the temperature"),
    (["--l2", "0.01"], "the temperature"),
    (["--no-calibrate"], "the penalty"),
    (["--l2", "0.01", "--no-calibrate"], NOTHING),
    (["--hidden", "4"], "the number of epochs and the temperature"),
    (["--hidden", "4", "--no-calibrate"], "the number of epochs"),
    (["--hidden", "4", "--l2", "0.01", "--no-calibrate"], "the number of epochs"),
    (["--validation", "0"], NOTHING),
    (["--validation", "0", "--hidden", "4"], NOTHING),
    (["--validation", PETS / "test"], "the penalty and the temperature"),
    (["--validation", PETS / "test", "--l2", "0.1", "--no-calibrate"], NOTHING),
]


def flat(text):
    return " ".join(text.split())


@pytest.mark.parametrize(("options", "chosen"), CASES, ids=str)
def test_only_what_was_chosen(softmaxce, tmp_path, options, chosen):
    words = ("train", PETS / "train", "--size", 6, *options, "--report", "r.html", "-q")
    words += ("--details",)
    outcome = softmaxce(*words)
    assert outcome.exit_code == 0, outcome.stderr
    text = flat(outcome.stdout)
    page = flat((tmp_path / "r.html").read_text("utf-8"))
    for shown in (text, page):
        assert re.findall("used to choose (.*?), so", shown) == ([chosen] if chosen else [])
    assert ("slightly optimistic; run" in text) == bool(chosen)
    assert ("slightly optimistic" in page) == bool(chosen)
    assert ("chosen by validation" in text) == ("penalty" in chosen)
    assert ("Before and after calibration" in page) == ("temperature" in chosen)
    assert ("not calibrated" in text) == ("temperature" not in chosen)
    assert ("uses the chosen penalty" in page) == ("penalty" in chosen)


def test_too_few_validation_images_choose_nothing(softmaxce, tmp_path):
    draw_classes(tmp_path / "d", {"a": 20, "b": 20}, side=2)
    text = flat(softmaxce("train", "d", "-q", "--details").stdout)
    assert "used to choose" not in text
    assert "not calibrated" in text


def test_with_a_test_set_no_other_is_asked_for(softmaxce):
    text = flat(softmaxce("train", PETS, "--size", 6, "--no-calibrate", "-q").stdout)
    assert "used to choose the penalty, so their scores are slightly optimistic." in text
