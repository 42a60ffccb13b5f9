"""Fitted layers against SciPy's and scikit-learn's optimum."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_sample_weight

from softmaxce.fitting import IterationInfo, Rows, balanced_sample_weight, fit


def small_problem(seed=0, n=200, n_pixels=12, n_classes=4):
    rng = np.random.default_rng(seed)
    labels = rng.integers(n_classes, size=n)
    means = rng.integers(60, 180, size=(n_classes, n_pixels))
    pixels = np.clip(means[labels] + rng.normal(0, 60, (n, n_pixels)), 0, 255).astype(np.uint8)
    return pixels, labels


def scipy_optimum(x, labels, n_classes, l2):
    """The objective's smallest value, from SciPy, with numerical care of its own."""
    n, n_pixels = x.shape

    def value_and_gradient(theta):
        theta = theta.reshape(n_pixels + 1, n_classes)
        z = x @ theta[:-1] + theta[-1]
        log_total = logsumexp(z, axis=1, keepdims=True)
        value = np.mean(log_total[:, 0] - z[np.arange(n), labels])
        residuals = np.exp(z - log_total)
        residuals[np.arange(n), labels] -= 1
        gradient = np.vstack([x.T @ residuals / n + l2 * theta[:-1], residuals.mean(0)])
        return value + l2 / 2 * np.sum(theta[:-1] ** 2), gradient.ravel()

    start = np.zeros((n_pixels + 1) * n_classes)
    options = {"maxiter": 10_000, "ftol": 1e-15, "gtol": 1e-10}
    return minimize(value_and_gradient, start, jac=True, method="L-BFGS-B", options=options).fun


def test_agrees_with_scipys_optimum():
    pixels, labels = small_problem()
    ours = fit(pixels / 255, labels, 4, scale=1.0, l2=1e-2, tolerance=1e-12)
    assert ours.converged
    assert ours.objective == pytest.approx(scipy_optimum(pixels / 255, labels, 4, 1e-2), rel=1e-9)


def test_agrees_with_scikit_learn():
    pixels, labels = small_problem()
    x = pixels / 255
    theirs = LogisticRegression(C=1 / (len(x) * 1e-2), tol=1e-10, max_iter=10_000).fit(x, labels)
    weights, biases = fit(x, labels, 4, scale=1.0, l2=1e-2, tolerance=1e-14).layers[0]
    np.testing.assert_allclose(weights.T, theirs.coef_, atol=1e-5)
    np.testing.assert_allclose(biases - biases.mean(), theirs.intercept_, atol=1e-4)


def test_rows_are_the_rows_trained_on():
    pixels, labels = small_problem()
    chosen = np.arange(0, 200, 3)
    part = fit(pixels, labels, 4, rows=chosen, l2=1e-3)
    alone = fit(pixels[chosen], labels[chosen], 4, l2=1e-3)
    assert part.layers[0][0].tobytes() == alone.layers[0][0].tobytes()


def test_threads_do_not_change_a_bit():
    pixels, labels = small_problem(n=9000)
    one, two, three = (fit(pixels, labels, 4, l2=1e-3, n_threads=n) for n in (1, 2, 3))
    assert one.layers[0][0].tobytes() == two.layers[0][0].tobytes() == three.layers[0][0].tobytes()


def test_auto_l2_chooses_the_smallest_held_out_cross_entropy():
    pixels, labels = small_problem(n=600)
    held_out = Rows(pixels, labels, np.arange(400, 600))
    found = fit(pixels, labels, 4, rows=np.arange(400), validation=held_out)
    (chosen,) = [c for c in found.l2_path if c.chosen]
    assert found.l2 == chosen.l2
    assert chosen.validation_cross_entropy == min(c.validation_cross_entropy for c in found.l2_path)


def test_without_held_out_rows_a_default_l2_is_used():
    pixels, labels = small_problem()
    found = fit(pixels, labels, 4)
    assert found.l2 == 1e-3
    assert found.l2_path == ()


def test_iterations_are_told():
    pixels, labels = small_problem()
    told: list[IterationInfo] = []
    fit(pixels, labels, 4, l2=1e-3, on_iteration=told.append)
    assert [info.iteration for info in told] == list(range(len(told)))
    assert told[0].progress == 0
    assert told[-1].progress == 1
    assert all(0 <= info.progress <= 1 for info in told)


def test_balanced_sample_weight_agrees_with_scikit_learns():
    labels = np.array([0, 0, 0, 2, 2, 1])
    np.testing.assert_allclose(
        balanced_sample_weight(labels, 3), compute_sample_weight("balanced", labels)
    )
