"""`compare` and `info`."""

from __future__ import annotations

import csv
import hashlib
import io
import json

import pytest
from helpers import PETS, assert_one_error_line
from scipy.stats import binomtest

TEST = PETS / "test"


@pytest.fixture(scope="module")
def other_model(tmp_path_factory):
    """A smaller model of the same classes, with another preprocessing."""
    from helpers import run_command

    path = tmp_path_factory.mktemp("other") / "grey.npz"
    words = ("train", PETS / "train", "--size", 8, "--color", "gray", "--l2", 0.01, "-o", path)
    assert run_command(*words).exit_code == 0
    return path


def test_a_model_compared_with_itself_shows_no_difference(softmaxce, pets_model):
    words = ("compare", pets_model, pets_model, TEST)
    result = softmaxce(*words, "--format", "json").json
    assert result["p_value"] == 1
    assert result["accuracy_difference"] == 0
    assert result["cross_entropy_difference"] == 0
    assert result["cross_entropy_difference_interval"] == [0, 0]
    assert result["differences"] == []
    assert "Both models predict the same class for every image" in softmaxce(*words).stdout


def test_two_models_are_compared_image_by_image(softmaxce, pets_model, other_model):
    rows = []
    for model in (pets_model, other_model):
        lines = softmaxce("evaluate", TEST, "-m", model, "--format", "jsonl").stdout.splitlines()
        rows.append([json.loads(line) for line in lines])
    right = [[row["label"] == row["predicted"] for row in part] for part in rows]
    only_a = sum(a and not b for a, b in zip(*right, strict=True))
    only_b = sum(b and not a for a, b in zip(*right, strict=True))
    words = ("compare", pets_model, other_model, TEST)
    result = softmaxce(*words, "--format", "json").json
    assert (result["n_right"]["only_a"], result["n_right"]["only_b"]) == (only_a, only_b)
    assert result["p_value"] == pytest.approx(binomtest(only_a, only_a + only_b).pvalue)
    assert result["accuracy_difference"] == pytest.approx((only_b - only_a) / 120)
    low, high = result["accuracy_difference_interval"]
    assert low < result["accuracy_difference"] < high
    differing = [a["path"] for a, b in zip(*rows, strict=True) if a["predicted"] != b["predicted"]]
    assert [row["path"] for row in result["differences"]] == differing
    text = softmaxce(*words, "--format", "csv").stdout
    assert [row["path"] for row in csv.DictReader(io.StringIO(text))] == differing
    assert "McNemar" in softmaxce(*words).stdout


def test_compare_refuses_what_evaluate_refuses(softmaxce, pets_model):
    assert_one_error_line(softmaxce("compare", pets_model, "no.npz", TEST), 1, "no.npz")
    assert_one_error_line(softmaxce("compare", pets_model, pets_model, PETS), 1, "pets/test?")


def test_info_says_what_the_model_is(softmaxce, pets_model):
    result = softmaxce("info", pets_model, "--format", "json").json
    content = pets_model.read_bytes()
    assert result["n_bytes"] == len(content)
    assert result["sha256"] == hashlib.sha256(content).hexdigest()
    assert result["classes"] == ["cat", "dog", "person"]
    assert result["format_version"] == 1
    facts = result["training"]
    n_trained = sum(facts["class_counts"])
    assert n_trained == facts["scores"]["train"]["n_images"]
    text = softmaxce("info", pets_model).stdout
    for fragment in (f"{len(content):,} bytes", "32 × 32 RGB", "cat", "Validation images: 61"):
        assert fragment in text
    assert_one_error_line(softmaxce("info"), 1, "model.npz: no such file")
