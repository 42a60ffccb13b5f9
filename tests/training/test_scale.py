"""Pixels multiplied by a constant: the same choice of l2, the same predictions, as many steps."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris, load_wine

from softmaxce.errors import InputError
from softmaxce.layers import forward
from softmaxce.training.fitting import fit
from softmaxce.training.rows import Rows
from softmaxce.training.spread import spread_of


def digits():
    x, y = load_digits(return_X_y=True)
    return x, y


def wide():
    """Fewer images than pixels, which are solved in as many dimensions as there are images."""
    x, y = digits()
    return np.kron(x[::4], np.ones(15)), y[::4]


def far_from_zero():
    x, y = load_iris(return_X_y=True)
    return x + 300, y


def fitted(x, y, **options):
    is_validation = np.arange(len(y)) % 4 == 0
    options = {"validation": Rows(x, y, np.flatnonzero(is_validation)), "scale": 1.0} | options
    return fit(x, y, int(y.max()) + 1, rows=np.flatnonzero(~is_validation), **options)


@pytest.mark.parametrize("hidden", [(), (8,)], ids=["linear", "hidden"])
@pytest.mark.parametrize("problem", [digits, wide, far_from_zero])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_predictions_follow_the_scale(problem, dtype, hidden):
    x, y = problem()
    reference = fitted(x.astype(dtype), y, hidden=hidden, max_iterations=10)
    expected = forward(reference.layers, x).argmax(axis=1)
    for factor in (1e-9, 1 / 16, 255):
        found = fitted((x * factor).astype(dtype), y, hidden=hidden, max_iterations=10)
        predicted = forward(found.layers, x * factor).argmax(axis=1)
        assert np.mean(predicted == expected) > 0.995, factor
        assert found.n_iterations <= 1.5 * reference.n_iterations
        if not hidden:
            assert found.l2 == pytest.approx(reference.l2 * factor**2, rel=1e-4)


@pytest.mark.parametrize("factor", [1, 3, 51])
def test_uint8_pixels_of_few_grey_levels(factor):
    """Values 0 … 5 in bytes are as good as the same five levels spread over 0 … 255."""
    x, y = digits()
    dark = (x // 3).astype(np.uint8)
    found = fitted(dark * np.uint8(factor), y, scale=1 / 255)
    reference = fitted(dark / 5.0, y)
    expected = forward(reference.layers, dark / 5.0).argmax(axis=1)
    predicted = forward(found.layers, dark * factor / 255).argmax(axis=1)
    assert np.mean(predicted == expected) > 0.995
    assert found.l2 == pytest.approx(reference.l2 * (factor / 51) ** 2)


def accuracy(x, y, **options):
    found = fitted(x, y, **options)
    is_validation = np.arange(len(y)) % 4 == 0
    return np.mean(forward(found.layers, x[is_validation]).argmax(axis=1) == y[is_validation])


@pytest.mark.parametrize("hidden", [(), (16,)], ids=["linear", "hidden"])
def test_a_few_features_of_another_magnitude_do_not_hide_the_others(hidden):
    x, y = load_iris(return_X_y=True)
    assert accuracy(*load_wine(return_X_y=True), hidden=hidden) > 0.92
    assert accuracy(np.column_stack([x, x[:, 0] * 1e3]), y, hidden=hidden) > 0.92


@pytest.mark.parametrize("hidden", [(), (32,)], ids=["linear", "hidden"])
@pytest.mark.parametrize(("contrast", "offset"), [(30, 200), (5, 250), (2, 127)])
def test_bright_pictures_of_low_contrast(contrast, offset, hidden):
    x, y = digits()
    pixels = np.round(x / 16 * contrast + offset).astype(np.uint8)
    assert accuracy(pixels, y, hidden=hidden, scale=1.0) > 0.88


@pytest.mark.parametrize("offset", [100, 1e6])
def test_hidden_layers_do_not_see_an_offset(offset):
    x, y = load_iris(return_X_y=True)
    assert accuracy(x + offset, y, hidden=(8,)) > 0.9


@pytest.mark.parametrize("l2", [None, 1e-2])
@pytest.mark.parametrize(("dtype", "factor"), [(np.float32, 1e20), (np.float64, 1e140)])
def test_extreme_values_neither_overflow_nor_vanish(dtype, factor, l2):
    x, y = digits()
    found = fitted((x * factor).astype(dtype), y, l2=l2)
    assert np.mean(forward(found.layers, x * factor).argmax(axis=1) == y) > 0.95


@pytest.mark.parametrize(("dtype", "factor"), [(np.float32, 1e34), (np.float64, 1e-160)])
def test_values_that_the_arithmetic_cannot_hold_are_refused(dtype, factor):
    x, y = digits()
    with pytest.raises(InputError, match=r"the values vary by about .*: multiply them by"):
        fitted((x * factor).astype(dtype), y)


def test_an_explicit_l2_applies_to_the_scaled_pixels():
    """l2 = 1e-2 for x is l2 = 1e-4 for x/10, whose weights are ten times as large."""
    x, y = digits()
    one, other = (
        fitted(x / 10, y, l2=1e-4, tolerance=1e-12),
        fitted(x, y, l2=1e-2, tolerance=1e-12),
    )
    np.testing.assert_allclose(one.layers[0].weights, 10 * other.layers[0].weights, atol=1e-5)


def test_the_spread_is_the_root_of_the_mean_variance():
    x, y = digits()
    spread = spread_of(Rows(x, y), None)
    assert spread.overall == pytest.approx(x.var(axis=0).mean() ** 0.5)
    assert spread.typical == pytest.approx(np.median(x.std(axis=0)[x.std(axis=0) > 0]))
    np.testing.assert_allclose(spread.centre, x.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(spread.deviations, x.std(axis=0), atol=1e-12)
    weights = np.arange(len(y)) % 3
    repeated = np.repeat(x, weights, axis=0)
    weighted = spread_of(Rows(x, y), weights)
    np.testing.assert_allclose(weighted.deviations, repeated.std(axis=0), atol=1e-12)
    assert spread_of(Rows(np.zeros((5, 3)), y), None).overall == 1
    assert spread_of(Rows(np.full((5, 3), 0.1), y), None).typical == 0.1


@pytest.mark.parametrize("hidden", [(), (8,)], ids=["linear", "hidden"])
@pytest.mark.parametrize("l2", [None, 1e-2])
def test_rows_of_weight_0_are_not_there(l2, hidden):
    x, y = load_iris(return_X_y=True)
    rng = np.random.default_rng(0)
    garbage, labels = rng.normal(0, 100, (150, 4)), rng.integers(3, size=150)
    both, both_labels = np.vstack([x, garbage]), np.append(y, labels)
    is_real = np.arange(300) < 150
    is_validation = np.arange(300) % 5 == 0
    options = {"scale": 1.0, "l2": l2, "hidden": hidden, "max_iterations": 20}
    with_garbage = fit(
        both, both_labels, 3, rows=np.flatnonzero(~is_validation),
        sample_weight=is_real[~is_validation] * 1.0,
        validation=Rows(both, both_labels, np.flatnonzero(is_validation)),
        validation_weight=is_real[is_validation] * 1.0, **options,
    )  # fmt: skip
    without = fit(
        x, y, 3, rows=np.flatnonzero(~is_validation[:150]),
        validation=Rows(x, y, np.flatnonzero(is_validation[:150])), **options,
    )  # fmt: skip
    assert with_garbage.l2 == pytest.approx(without.l2)
    for one, other in zip(with_garbage.layers, without.layers, strict=True):
        np.testing.assert_allclose(one.weights, other.weights, rtol=1e-3, atol=1e-3)


def test_validation_weights_count_as_repetitions():
    x, y = digits()
    weights = (np.arange(len(y) // 2) % 3).astype(float)
    rows, others = np.arange(0, len(y), 2), np.arange(1, len(y), 2)[: len(weights)]
    weighted = fit(
        x, y, 10, rows=rows, scale=1.0, validation=Rows(x, y, others), validation_weight=weights
    )
    repeated = np.repeat(others, weights.astype(int))
    plain = fit(x, y, 10, rows=rows, scale=1.0, validation=Rows(x[repeated], y[repeated]))
    np.testing.assert_allclose(weighted.l2_path, plain.l2_path, rtol=1e-6)
