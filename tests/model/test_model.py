"""The forward pass, against plain NumPy."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from softmaxce.errors import InputError
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


@pytest.mark.parametrize(
    "sizes", [(784, 10), (3072, 3), (100, 64, 10), (7, 1000), (12_288, 11), (33, 1, 2), (1, 2)]
)
def test_an_image_gets_the_same_bits_among_any_others(sizes):
    model = make(sizes)
    random = np.random.default_rng(2)
    pixels = random.integers(0, 256, (130, sizes[0]), np.uint8)
    together = model.logits(pixels)
    for row in (0, 1, 31, 32, 129):
        np.testing.assert_array_equal(model.logits(pixels[row : row + 1])[0], together[row])
    for start, stop in ((3, 40), (0, 31), (1, 34), (64, 130)):
        np.testing.assert_array_equal(model.logits(pixels[start:stop]), together[start:stop])
    order = random.permutation(len(pixels))
    np.testing.assert_array_equal(model.logits(pixels[order]), together[order])
    neighbours = random.integers(0, 256, pixels.shape, np.uint8)
    neighbours[77] = pixels[77]
    np.testing.assert_array_equal(model.logits(neighbours)[77], together[77])


PIXELS = np.arange(24, dtype=np.uint8).reshape(2, 12)


@pytest.mark.parametrize(
    "pixels",
    [
        PIXELS / 255,
        PIXELS.astype(np.float32),
        PIXELS.astype(np.int64),
        PIXELS > 3,
        PIXELS.astype(str),
        np.full((2, 12), np.nan),
        PIXELS[0],
        PIXELS[:, :11],
        PIXELS[:, :1],
        PIXELS.reshape(2, 2, 6),
        PIXELS.tolist(),
        np.empty((0, 3), np.uint8),
        np.uint8(3),
        [],
        None,
    ],
    ids=lambda pixels: f"{np.asarray(pixels).dtype}{np.shape(pixels)}",
)
def test_only_rows_of_bytes_have_logits(pixels):
    with pytest.raises(InputError, match=r"uint8 array of shape \(n_images, 12\)"):
        make((12, 3)).logits(pixels)


def test_masked_pixels_are_refused():
    with pytest.raises(TypeError, match="masked"):
        make((12, 3)).logits(np.ma.array(PIXELS, mask=PIXELS > 3))


@pytest.mark.parametrize("temperature", [0, -1.0, np.nan, np.inf])
def test_a_temperature_is_a_positive_number(temperature):
    with pytest.raises(InputError, match="temperature must be a positive number"):
        make((4, 3)).with_temperature(temperature)


def test_no_images_have_no_logits():
    assert make((4, 3)).logits(np.empty((0, 4), np.uint8)).shape == (0, 3)


@pytest.mark.parametrize("sizes", [(784, 10), (100, 64, 10)])
def test_calibration_divides_the_logits_and_remembers_by_what(sizes):
    model = make(sizes)
    pixels = np.random.default_rng(3).integers(0, 256, (20, sizes[0]), np.uint8)
    calibrated = model.with_temperature(2.5)
    divided = model.logits(pixels) / 2.5
    np.testing.assert_allclose(calibrated.logits(pixels), divided, rtol=1e-12, atol=1e-12)
    assert calibrated.temperature == 2.5
    assert calibrated.with_temperature(2.0).temperature == 5.0
