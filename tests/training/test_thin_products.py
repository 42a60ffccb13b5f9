"""The products of a pass with few classes, in slabs and at once."""

from __future__ import annotations

import numpy as np
import pytest

from softmaxce.training import thin_products


@pytest.mark.parametrize("in_slabs", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("n_pixels", "n_classes"), [(5, 2), (784, 10), (1562, 20), (1563, 20)])
def test_both_products(monkeypatch, in_slabs, dtype, n_pixels, n_classes):
    monkeypatch.setattr(thin_products, "_has_avx512", lambda: in_slabs)
    random = np.random.default_rng(n_pixels)
    for n in (0, 1, 31, 32, 33, 64, 100):
        pixels = random.integers(0, 256, (n, n_pixels)).astype(dtype)
        weights = np.asarray(random.integers(-9, 9, (n_pixels, n_classes)), dtype, order="F")
        residuals = random.integers(-9, 9, (n_classes, n)).astype(dtype)
        logits = thin_products.logits_of(pixels, weights)
        np.testing.assert_array_equal(logits, (pixels @ weights).T)  # whole numbers: no rounding
        gradient = np.zeros((n_pixels, n_classes), dtype) + thin_products.gradient_of(
            pixels, residuals
        )
        np.testing.assert_array_equal(gradient, pixels.T @ residuals.T)


def test_slabs_are_used_while_their_products_are_small(monkeypatch):
    monkeypatch.setattr(thin_products, "_has_avx512", lambda: True)
    for n_pixels, n_sliced in ((1562, 96), (1563, 0)):
        assert thin_products._slabs(np.zeros((100, n_pixels)), 20)[0] == n_sliced
    monkeypatch.setattr(thin_products, "_has_avx512", lambda: False)
    assert thin_products._slabs(np.zeros((100, 5)), 2)[0] == 0
