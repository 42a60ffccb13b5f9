"""What the fit must reach on real images: the optimum's objective, and its answers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers import run_command

from softmaxce.data.pixel_dataset import load_for_model, load_for_training
from softmaxce.data.preprocessing_choice import PreprocessingOptions
from softmaxce.training.fitting import fit

pytestmark = pytest.mark.slow


def accuracy(found, images):
    weights, biases = found.layers[0]
    predictions = np.argmax(images.pixels / 255 @ weights + biases, axis=1)
    return np.mean(predictions == images.labels)


@pytest.mark.parametrize(
    ("name", "held_out", "size"), [("mnist", "test", None), ("clothing", "validation", (64, 64))]
)
def test_the_default_tolerance_is_near_enough(name, held_out, size, request):
    folder = request.getfixturevalue(name)
    train = load_for_training(folder / "train", wanted=PreprocessingOptions(size))
    test = load_for_model(folder / held_out, train.class_names, train.preprocessing)
    arguments = (train.pixels, train.labels, len(train.class_names))
    found = fit(*arguments, l2=1 / train.n_images)
    optimum = fit(*arguments, l2=1 / train.n_images, tolerance=3e-7)
    assert found.converged
    assert optimum.objective < found.objective <= 1.001 * optimum.objective
    one_picture = 1 / test.n_images  # of the 341 photographs one is 0.3 points
    difference = abs(accuracy(found, test) - accuracy(optimum, test))
    assert difference <= max(0.001, one_picture)


def test_a_hidden_layer_on_mnist(mnist, tmp_path):
    path = tmp_path / "hidden.npz"
    trained = run_command("train", mnist / "train", "--hidden", "128", "-o", path)
    assert trained.exit_code == 0, trained.stderr
    scored = run_command("evaluate", mnist / "test", "-m", path, "--format", "json")
    assert json.loads(scored.stdout)["accuracy"] >= 0.975
