"""Decimal commas in the numbers of `explain`: whoever writes 0.2 as 0,2 gets a word about it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from helpers import assert_one_error_line


@pytest.mark.parametrize(
    ("numbers", "note"),
    [
        (["0,2", "0,3"], "read as 4 numbers: 0, 2, 0, 3; decimal commas? write 0.2 0.3"),
        (["0,2,", "0,3"], "read as 4 numbers: 0, 2, 0, 3; decimal commas? write 0.2 0.3"),
        (["0,2 0,3"], "read as 4 numbers: 0, 2, 0, 3; decimal commas? write 0.2 0.3"),
        (["[0,2", "0,3]"], "read as 4 numbers: 0, 2, 0, 3; decimal commas? write 0.2 0.3"),
        (["1,5"], "read as 2 numbers: 1, 5; decimal commas? write 1.5"),
        (["-0,5", "2"], "read as 3 numbers: -0, 5, 2; decimal commas? write -0.5 2"),
        (["−0,5", "1,25", "0"], "decimal commas? write −0.5 1.25 0"),
        (["1.234,5", "2"], "read as 3 numbers: 1.234, 5, 2; decimal commas? write 1234.5 2"),
        ([",5", ",25"], "read as 2 numbers: 5, 25; decimal commas? write .5 .25"),
        (["0,2"] * 40, "0.2 and 30 more"),
    ],
)
@pytest.mark.parametrize("form", ["--logits", "=", "json"])
def test_a_note_says_how_they_were_read(softmaxce, numbers, note, form):
    words = ["--logits", *numbers]
    if form == "=":
        words = [f"--logits={number}" for number in numbers]
    outcome = softmaxce("explain", *words, *(["--format", "json"] if form == "json" else []))
    assert outcome.exit_code == 0, outcome.stderr
    assert outcome.stderr.startswith("Note: ")
    assert outcome.stderr.count("\n") == 1
    assert note in outcome.stderr


@pytest.mark.parametrize(
    "numbers",
    [
        ["0.2", "0.3"],
        ["0.2,", "0.3,"],
        ["0.2,0.3"],
        ["2,1,-1"],
        ["-1,2,-.5"],
        ["1", "2", "3"],
        ["1e1,2"],
        ["０.２", "0.3"],
        ["٠.٢", "0.3"],
    ],
)
def test_lists_get_no_note(softmaxce, numbers):
    outcome = softmaxce("explain", "--logits", *numbers, "--format", "json")
    assert outcome.exit_code == 0
    assert outcome.stderr == ""


def test_the_note_survives_a_closed_pipe():
    command = f"{sys.executable} -m softmaxce explain --logits 0,2 0,3 | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr.endswith("decimal commas? write 0.2 0.3\n")
    assert done.stderr.count("\n") == 1


def test_names_of_classes_are_not_numbers(softmaxce):
    outcome = softmaxce("explain", "--logits", "1", "2", "--classes", "0,2")
    assert outcome.exit_code == 0
    assert outcome.stderr == ""


@pytest.mark.parametrize(
    "words",
    [
        ("--probabilities", "0,4", "0,6"),
        ("--probabilities", "0,4;0,6"),
        ("--logits", "0,4;0,6"),
        ("--logits", "[0,4; 0,6]"),
        ("--logits", "0,4", "0,6", "--classes", "a", "b"),
    ],
)
def test_an_error_says_how_to_write_them(softmaxce, words):
    outcome = softmaxce("explain", *words)
    assert_one_error_line(outcome, 2, "decimal commas? write 0.4 0.6")


@pytest.mark.parametrize(
    "words",
    [
        ("explain", "--logits", "1", "2", "--temperature", "0,5"),
        ("explain", "--logits", "1", "2", "--learning-rate", "0,5"),
        ("train", "d", "--l2", "0,01"),
        ("train", "d", "--validation", "0,2"),
        ("evaluate", "d", "--coverage", "0,95"),
    ],
)
def test_other_numbers_ask_for_a_decimal_point(softmaxce, words):
    assert_one_error_line(softmaxce(*words), 2, words[-1], "write a decimal point")
