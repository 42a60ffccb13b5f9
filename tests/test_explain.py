"""`softmaxce explain`: how its options are read, and what it prints."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys

import pytest


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "softmaxce", "explain", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "80", **environment},
    )


def explained(*arguments: str) -> dict:
    done = run(*arguments, "--format", "json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_the_numbers_of_the_readme():
    done = run("--logits", "0.2", "0.3", "--label", "0")
    assert done.returncode == 0
    assert done.stderr == ""
    for shown in ("0.4", "0.6", "0.475", "0.525", "0.744"):
        assert shown in done.stdout
    assert "\x1b" not in done.stdout


def test_json_fields():
    result = explained("--logits", "0.2", "0.3", "--label", "1")
    assert result["schema_version"] == 1
    assert result["command"] == "explain"
    assert result["logits"] == [0.2, 0.3]
    assert result["label"] == 1
    # by hand: p₁ = 1 / (1 + e^−0.1)
    assert result["probabilities"][1] == pytest.approx(1 / (1 + math.exp(-0.1)), rel=1e-15)
    assert result["cross_entropy"] == pytest.approx(math.log1p(math.exp(-0.1)), rel=1e-15)
    assert all(proof["holds"] for step in result["steps"] for proof in step["proofs"])


@pytest.mark.parametrize(
    ("arguments", "logits"),
    [
        (["--logits", "-1", "2", "-.5", "1e1"], [-1, 2, -0.5, 10]),
        (["--logits=-1,2"], [-1, 2]),
        (["--logits", "-1,2", "3"], [-1, 2, 3]),
        (["--logits", "-1e-3", "+2", "−4"], [-0.001, 2, -4]),
        (["--label", "1", "--logits", "1", "2."], [1, 2]),
        (["--logits", "1", "--logits", "2"], [1, 2]),
        (["--logits", "1", "2", "--label", "0"], [1, 2]),
    ],
)
def test_any_count_of_logits(arguments, logits):
    assert explained(*arguments)["logits"] == logits


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--logits", "1", "nan"], "'nan' is not a finite number"),
        (["--logits", "1", "-inf"], "'-inf' is not a finite number"),
        (["--logits", "Infinity", "1"], "'Infinity' is not a finite number"),
        (["--logits", "1", "1e999"], "'1e999' is too large"),
        (["--logits", "1", "two"], "'two' is not a number"),
        (["--logits", "1", "1_0"], "'1_0' is not a number"),
        (["--logits", "1"], "at least two numbers"),
        (["--logits=5"], "at least two numbers"),
        (["--logits"], "--logits"),
        (["--logits", "--label", "0"], "--logits"),
        (["--logits="], "numbers"),
        ([], "--logits 0.2 0.3"),
        (["--logits", "1", "2", "--label", "2"], "labels are 0 to 1"),
        (["--logits", "1", "2", "--label", "cat"], "no class 'cat'"),
        (["--logits", *["1"] * 1001], "2 to 1000"),
    ],
)
def test_wrong_usage_is_one_line(arguments, named):
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert named in done.stderr
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("logits", "probabilities", "loss"),
    [
        (
            ["1000", "999"],
            [1 / (1 + math.exp(-1)), 1 / (1 + math.exp(1))],
            math.log1p(math.exp(-1)),
        ),
        (["-1e308", "1e308"], [0.0, 1.0], 0.0),
        (
            ["-800", "-801"],
            [1 / (1 + math.exp(-1)), 1 / (1 + math.exp(1))],
            math.log1p(math.exp(-1)),
        ),
    ],
)
def test_logits_of_any_size_are_right_and_quiet(logits, probabilities, loss):
    result = explained("--logits", *logits)
    assert result["probabilities"] == pytest.approx(probabilities, rel=1e-15)
    assert result["cross_entropy"] == pytest.approx(loss, rel=1e-15)


@pytest.mark.parametrize("n_classes", [2, 3, 12, 13, 100, 1000])
def test_many_classes(n_classes):
    done = run("--logits", *(str(k % 7) for k in range(n_classes)))
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) < 300
    assert bool(re.search(r"… \d+ more", done.stdout)) == (n_classes > 12)
