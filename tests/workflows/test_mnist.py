"""What training, evaluation and prediction must reach on MNIST with all defaults."""

from __future__ import annotations

import json

import numpy as np
import pytest
import scipy.special
from helpers import run_command

from softmaxce import load_model
from softmaxce.images.reading import read_pixels

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(mnist, tmp_path_factory):
    path = tmp_path_factory.mktemp("mnist-model") / "model.npz"
    outcome = run_command("train", mnist / "train", "-o", path, "--format", "json")
    assert outcome.exit_code == 0, outcome.stderr
    return path


def test_accuracy_and_cross_entropy(model, mnist):
    result = run_command("evaluate", mnist / "test", "-m", model, "--format", "json").json
    assert result["n_images"] == 10_000
    assert result["accuracy"] >= 0.92
    assert result["cross_entropy"] <= 0.28


def test_the_same_command_gives_the_same_bytes_whatever_jobs_is(model, mnist, tmp_path):
    again = tmp_path / "again.npz"
    assert run_command("train", mnist / "train", "-o", again, "--jobs", 1).exit_code == 0
    assert again.read_bytes() == model.read_bytes()


def test_predict_agrees_with_evaluate_and_scipy(model, mnist):
    folder = mnist / "test" / "7"
    scored = run_command("evaluate", mnist / "test", "-m", model, "--format", "json").json
    words = ("predict", folder, "-m", model, "--label", "7", "--format", "jsonl")
    rows = [json.loads(line) for line in run_command(*words).stdout.splitlines()]
    n_right = sum(row["predicted"] == "7" for row in rows)
    assert n_right == scored["confusion_matrix"]["counts"][7][7]
    loaded = load_model(model)
    layer = loaded.layers[0]
    for row in rows[:50]:
        logits = read_pixels(row["path"], loaded.preprocessing) / 255 @ layer.weights + layer.biases
        values = [row["probabilities"][name] for name in loaded.class_names]
        np.testing.assert_allclose(values, scipy.special.softmax(logits), rtol=0, atol=1e-6)
