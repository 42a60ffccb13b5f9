"""Predictions are computed block by block, not all at once."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from softmaxce.errors import ImageError
from softmaxce.images.decoded import DecodedImages
from softmaxce.layers import Layer
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.preprocessing import Preprocessing
from softmaxce.workflows.predict import STDIN, Prediction, PredictResult

MODEL = SoftmaxModel((Layer(np.eye(4, 3), np.zeros(3)),), Preprocessing(2, 2, 1), ("a", "b", "c"))


def result(paths, failures=(), stdin=None):
    n_files = sum(path != STDIN for path in paths)
    pixels = np.random.default_rng(0).integers(0, 256, (n_files, 4), np.uint8)
    errors = {i: ImageError(paths[i], "broken") for i in failures}
    nothing = np.zeros((n_files, 2))
    decoded = DecodedImages(pixels, nothing, nothing[:, 0], nothing, errors)
    return PredictResult("m.npz", MODEL, tuple(paths), decoded, stdin, None)


def test_only_the_images_asked_for_are_computed(monkeypatch):
    rows_computed = []
    logits = SoftmaxModel.logits

    def watched(self, pixels):
        rows_computed.append(len(pixels))
        return logits(self, pixels)

    monkeypatch.setattr(SoftmaxModel, "logits", watched)
    many = result([f"{i}.png" for i in range(20_000)])
    first = list(itertools.islice(many.outcomes, 3))
    assert [outcome.path for outcome in first] == ["0.png", "1.png", "2.png"]
    assert sum(rows_computed) < 5000


def test_outcomes_come_in_the_order_asked_for():
    piped = Prediction(STDIN, np.log([0.2, 0.3, 0.5]))
    mixed = result(["a.png", STDIN, "b.png", STDIN], failures=[1], stdin=piped)
    mixed.files.failures[1] = ImageError("b.png", "broken")
    a, first, b, second = mixed.outcomes
    assert a.path == "a.png"
    z = mixed.files.pixels[0] / 255 @ np.eye(4, 3)
    assert a.probabilities == pytest.approx(np.exp(z) / np.exp(z).sum())
    assert first is second is piped
    assert isinstance(b, ImageError)
    assert mixed.failures == (b,)
