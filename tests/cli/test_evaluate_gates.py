"""`evaluate --fail-under`: bounds of scores, for scripts."""

from __future__ import annotations

import pytest
from helpers import PETS

TEST = PETS / "test"


@pytest.mark.parametrize(
    ("gate", "met"),
    [
        ("accuracy=0.1", True),
        ("accuracy=0.999", False),
        ("accuracy>=0.999", False),
        ("cross_entropy<=9", True),
        ("cross_entropy=0.001", False),
        ("top_2_accuracy=0.5", True),
        ("macro_f1=0.99", False),
    ],
)
def test_gates(softmaxce, pets_model, gate, met):
    outcome = softmaxce("evaluate", TEST, "-m", pets_model, "--fail-under", gate)
    assert outcome.exit_code == (0 if met else 3)
    assert "Scores on 120 images" in outcome.stdout
    if not met:
        assert outcome.stderr.count("\n") == 1
        assert outcome.stderr.startswith(f"Error: gate failed: {gate.split('=')[0].rstrip('<>')}")


def test_several_gates_are_all_named(softmaxce, pets_model):
    words = ("--fail-under", "accuracy=1", "--fail-under", "cross_entropy<=0.001")
    outcome = softmaxce("evaluate", TEST, "-m", pets_model, "--format", "json", *words)
    assert outcome.exit_code == 3
    accuracy = outcome.json["accuracy"]
    assert f"accuracy {accuracy:.4g} is {1 - accuracy:.2g} below 1" in outcome.stderr
    assert "cross_entropy" in outcome.stderr


@pytest.mark.parametrize(
    ("gate", "fragment"),
    [
        ("accuracy", "is not a gate"),
        ("beauty=1", "unknown score 'beauty'"),
        ("accuracy=90", "0.9"),
        ("accuracy<=0.9", "higher accuracy is better"),
        ("cross_entropy>=0.3", "lower cross_entropy is better"),
        ("accuracy=nan", "nan"),
        ("accuracy=x", "is not a number"),
        ("top_5_accuracy=0.5", "with 3 classes"),
    ],
)
def test_invalid_gates_are_wrong_usage(softmaxce, pets_model, gate, fragment):
    outcome = softmaxce("evaluate", TEST, "-m", pets_model, "-q", "--fail-under", gate)
    assert outcome.exit_code == 2
    assert fragment in outcome.stderr
