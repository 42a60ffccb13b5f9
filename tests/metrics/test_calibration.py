"""Temperatures against SciPy's minimiser, and coverage against what it promises."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from scipy.stats import binom

from softmaxce.metrics.calibration import fit_temperature
from softmaxce.metrics.conformal import (
    calibration_scores,
    coverage_is_significantly_low,
    kept_ranks,
    prediction_sets,
)
from softmaxce.metrics.scores import score


def sampled(n_images, n_classes, seed, scale=1.0):
    """Logits, and labels drawn from the softmax of logits / scale: the true temperature."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(n_images, n_classes)) * 2
    p = np.exp(log_softmax(logits, axis=1))
    draws = random.random((n_images, 1)) > np.cumsum(p, axis=1)[:, :-1]
    return logits * scale, draws.sum(axis=1)


@pytest.mark.parametrize("seed", range(20))
def test_the_temperature_is_scipys_minimum(seed):
    random = np.random.default_rng(seed)
    logits, labels = sampled(
        int(random.integers(20, 500)), int(random.integers(2, 12)), seed, random.uniform(0.1, 10)
    )

    def loss(log_t):
        return -log_softmax(logits / math.exp(log_t), axis=1)[np.arange(len(labels)), labels].mean()

    theirs = minimize_scalar(loss, bounds=(-6, 6), method="bounded", options={"xatol": 1e-10})
    assert fit_temperature(logits, labels) == pytest.approx(math.exp(theirs.x), rel=1e-5)


@pytest.mark.parametrize("factor", [3.0, 1e-4, 1e5])
def test_logits_times_a_factor_give_that_factor_times_the_temperature(factor):
    logits, labels = sampled(800, 5, 1)
    base = fit_temperature(logits, labels)
    assert fit_temperature(factor * logits, labels) == pytest.approx(factor * base, rel=1e-8)


def test_the_true_temperature_is_found():
    assert fit_temperature(*sampled(20_000, 6, 2, scale=2.5)) == pytest.approx(2.5, rel=0.03)


def test_no_temperature_where_none_is_best():
    logits, labels = sampled(100, 3, 3)
    right = np.argmax(logits, axis=1)
    assert fit_temperature(logits, right) is None  # the smaller the better
    assert fit_temperature(-logits, right) is None  # worse than chance
    assert fit_temperature(np.zeros((100, 3)), labels) is None  # no signal
    assert fit_temperature(logits[:19], labels[:19]) is None  # too few
    assert fit_temperature(logits[:20], labels[:20]) is not None


def test_extreme_logits_give_a_finite_temperature():
    logits, labels = sampled(200, 4, 4)
    assert math.isfinite(fit_temperature(logits * 1e12, labels))


def test_a_calibrated_model_shows_the_calibration_error_expected_by_chance():
    errors, expected = [], []
    for seed in range(100):
        logits, labels = sampled(500, 4, seed)
        scores = score(log_softmax(logits, axis=1), labels)
        errors.append(scores.expected_calibration_error)
        expected.append(scores.expected_ece_if_calibrated)
    assert np.mean(errors) == pytest.approx(np.mean(expected), rel=0.1)


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.95])
def test_sets_cover_as_often_as_promised_over_50_seeds(coverage):
    n_held_out, n_test, hits = 300, 200, 0
    for seed in range(50):
        logits, labels = sampled(n_held_out + n_test, 5, seed)
        log_p = log_softmax(0.7 * logits, axis=1)  # the promise holds for a wrong model too
        losses = -log_p[np.arange(len(labels)), labels]
        threshold = calibration_scores(losses[:n_held_out]).threshold(coverage)
        sets = prediction_sets(log_p[n_held_out:], threshold)
        hits += int(sets[np.arange(n_test), labels[n_held_out:]].sum())
    n = 50 * n_test
    # Within one data set the images share a threshold, whose coverage is Beta-distributed.
    spread = math.sqrt(coverage * (1 - coverage) * (1 / n + 1 / (50 * n_held_out)))
    assert coverage - 3.5 * spread <= hits / n
    if coverage >= 0.8:  # below, the answer itself covers more often than was asked
        assert hits / n <= coverage + 1 / (n_held_out + 1) + 3.5 * spread


def test_one_image_at_a_time_the_coverage_is_binomial():
    hits = 0
    for seed in range(2000):
        logits, labels = sampled(40, 3, seed)
        log_p = log_softmax(logits, axis=1)
        losses = -log_p[np.arange(40), labels]
        threshold = calibration_scores(losses[:39]).threshold(0.9)
        hits += bool(prediction_sets(log_p[39:], threshold)[0, labels[39]])
    assert binom.ppf(1e-4, 2000, 0.9) <= hits <= binom.ppf(1 - 1e-4, 2000, 0.9)


@pytest.mark.parametrize("n_images", [1, 19, 20, 999, 1000, 1001, 1500, 12_345])
def test_the_kept_ranks_give_the_threshold_of_all_scores(n_images):
    losses = np.random.default_rng(n_images).exponential(size=n_images)
    scores, ordered = calibration_scores(losses), np.sort(losses)
    assert len(scores.values) <= 1000
    for thousandths in (1, 500, 800, 900, 950, 990, 999):
        rank = -(-(n_images + 1) * thousandths // 1000)
        expected = math.inf if rank > n_images else ordered[rank - 1]
        assert scores.threshold(thousandths / 1000) == expected
    assert np.isin(n_images, kept_ranks(n_images))


def test_a_set_is_never_empty_and_grows_with_the_coverage():
    logits, labels = sampled(500, 6, 9)
    log_p = log_softmax(logits, axis=1)
    scores = calibration_scores(-log_p[np.arange(500), labels])
    sets = [prediction_sets(log_p, scores.threshold(c)) for c in (0.01, 0.5, 0.9, 0.99)]
    assert (sets[0].sum(axis=1) == 1).all()
    for smaller, larger in pairwise(sets):
        assert (larger | ~smaller).all()


def test_coverage_is_seldom_called_low_for_images_like_the_validation_images_and_is_for_others():
    random, n_low = np.random.default_rng(11), {1: 0, 2: 0}
    for _ in range(1000):
        losses = random.exponential(size=161)
        threshold = calibration_scores(losses[:61]).threshold(0.9)
        for factor in n_low:
            n_covered = int((factor * losses[61:] <= threshold).sum())
            n_low[factor] += coverage_is_significantly_low(n_covered, 100, 61, 0.9)
    assert n_low[1] <= 50
    assert n_low[2] >= 700
