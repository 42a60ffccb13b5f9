"""The forward pass, against plain NumPy."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from softmaxce.layers import Layer
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.preprocessing import Preprocessing


def make(sizes, seed=0):
    random = np.random.default_rng(seed)
    layers = tuple(
        Layer(random.normal(size=(a, b)), random.normal(size=b)) for a, b in pairwise(sizes)
    )
    names = tuple(map(str, range(sizes[-1])))
    return SoftmaxModel(layers, Preprocessing(1, sizes[0], 1), names)


@pytest.mark.parametrize("sizes", [(784, 10), (50, 20, 7, 3), (1, 2)])
def test_logits_are_the_layers_worked_out(sizes):
    model = make(sizes)
    pixels = np.random.default_rng(1).integers(0, 256, (9, sizes[0]), np.uint8)
    values = pixels / 255
    for position, layer in enumerate(model.layers):
        values = np.maximum(values, 0) if position else values
        values = values @ layer.weights + layer.biases
    np.testing.assert_allclose(model.logits(pixels), values, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("sizes", [(784, 10), (3072, 3), (100, 64, 10), (7, 1000)])
def test_a_row_gives_the_same_bits_in_any_company(sizes):
    model = make(sizes)
    pixels = np.random.default_rng(2).integers(0, 256, (600, sizes[0]), np.uint8)
    together = model.logits(pixels)
    for row in (0, 1, 255, 256, 599):
        np.testing.assert_array_equal(model.logits(pixels[row : row + 1])[0], together[row])
    np.testing.assert_array_equal(model.logits(pixels[3:300]), together[3:300])


@pytest.mark.parametrize("sizes", [(784, 10), (100, 64, 10)])
def test_calibration_divides_the_logits_and_remembers_by_what(sizes):
    model = make(sizes)
    pixels = np.random.default_rng(3).integers(0, 256, (20, sizes[0]), np.uint8)
    calibrated = model.with_temperature(2.5)
    np.testing.assert_allclose(calibrated.logits(pixels), model.logits(pixels) / 2.5, rtol=1e-12)
    assert calibrated.temperature == 2.5
    assert calibrated.with_temperature(2.0).temperature == 5.0
