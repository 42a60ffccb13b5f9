"""Intervals against known values, against SciPy, and against what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, binomtest, bootstrap

from softmaxce.metrics.comparison import mcnemar_p_value
from softmaxce.metrics.intervals import (
    MAX_BLOCKS,
    Bootstrap,
    paired_difference_interval,
    percentile_interval,
    wilson_interval,
)
from softmaxce.metrics.scores import score


def within_binomial_tolerance(n_hits, n_trials, share):
    """Whether so many hits are no surprise (two in ten thousand) for a coin of this share."""
    return binom.ppf(1e-4, n_trials, share) <= n_hits <= binom.ppf(1 - 1e-4, n_trials, share)


def test_wilson_of_37_in_40():
    low, high = wilson_interval(37, 40)
    assert (round(low, 3), round(high, 3)) == (0.801, 0.974)


def test_wilson_is_scipys():
    for n in (1, 2, 7, 40, 1000, 10**6):
        for k in {0, 1, n // 3, n // 2, n - 1, n}:
            theirs = binomtest(k, n).proportion_ci(method="wilson")
            np.testing.assert_allclose(wilson_interval(k, n), theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("n_images", [1, 30, MAX_BLOCKS, 5 * MAX_BLOCKS + 7])
def test_the_bootstrap_of_a_mean_is_as_wide_as_scipys(n_images):
    values = np.random.default_rng(1).exponential(size=n_images)
    low, high = percentile_interval(Bootstrap(n_images).means(values))
    assert low <= values.mean() <= high
    if n_images > 1:
        theirs = bootstrap(
            (values,), np.mean, n_resamples=2000, method="percentile", rng=2, batch=100
        ).confidence_interval
        assert high - low == pytest.approx(theirs.high - theirs.low, rel=0.12)


def test_the_bootstrap_is_the_same_each_time():
    values = np.random.default_rng(3).normal(size=2500)
    np.testing.assert_array_equal(Bootstrap(2500).means(values), Bootstrap(2500).means(values))


def test_resampled_totals_are_means_of_their_groups():
    random = np.random.default_rng(4)
    groups, values = random.integers(0, 3, 1500), random.normal(size=1500)
    draw = Bootstrap(1500)
    totals = draw.totals(groups, 3, values)
    np.testing.assert_allclose(totals.sum(axis=1) / draw.n_images, draw.means(values), rtol=1e-9)
    np.testing.assert_allclose(draw.totals(groups, 3).sum(axis=1), draw.n_images, rtol=1e-12)


def test_bootstrap_intervals_cover_the_truth_about_as_often_as_stated():
    names = {"cross_entropy": 0, "macro_f1": 0, "expected_calibration_error": 0}
    truth = _scores_of_random_answers(200_000, 0)
    truths = {m.name: m.value for m in truth.metrics}
    for seed in range(1, 201):
        for metric in _scores_of_random_answers(400, seed).metrics:
            if metric.name in names:
                low, high = metric.interval
                names[metric.name] += low <= truths[metric.name] <= high
    assert min(names.values()) >= 0.88 * 200, names


def _scores_of_random_answers(n_images, seed):
    """Images whose labels follow the probabilities, which are then made twice as sure."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(n_images, 4))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (random.random((n_images, 1)) > np.cumsum(p, axis=1)[:, :3]).sum(axis=1)
    sharp = 2 * logits
    log_p = sharp - np.log(np.exp(sharp).sum(axis=1, keepdims=True))
    return score(log_p, labels)


def test_the_paired_interval_covers_the_true_difference():
    random = np.random.default_rng(5)
    cells = np.array([0.7, 0.12, 0.06, 0.12])
    for n in (25, 200):
        counts = random.multinomial(n, cells, 1000)
        hits = 0
        for row in counts:
            low, high = paired_difference_interval(*map(int, row))
            hits += low <= cells[1] - cells[2] <= high
        assert 0.93 <= hits / 1000 <= 0.99, (n, hits)


def test_the_paired_interval_of_two_that_never_differ_is_narrow_but_has_a_width():
    low, high = paired_difference_interval(90, 0, 0, 10)
    assert -0.06 < low < 0 < high < 0.06
    assert low == pytest.approx(-high)
    assert paired_difference_interval(10, 0, 0, 0)[1] > 0


def test_mcnemar_is_an_exact_binomial_test():
    for a, b in [(0, 0), (1, 0), (3, 9), (9, 3), (50, 50), (120, 90), (3000, 2800)]:
        expected = binomtest(a, a + b).pvalue if a + b else 1.0
        assert math.isclose(mcnemar_p_value(a, b), min(1.0, expected), rel_tol=1e-9)


def test_mcnemar_rejects_equal_models_at_most_as_often_as_stated():
    random = np.random.default_rng(6)
    p_values = [mcnemar_p_value(k, 40 - k) for k in random.binomial(40, 0.5, 1000).tolist()]
    assert np.mean(np.array(p_values) <= 0.05) <= 0.07
