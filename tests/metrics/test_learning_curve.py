"""Means of scores at several sizes, and what a power law predicts from them."""

from __future__ import annotations

import numpy as np
import pytest

from softmaxce.metrics.intervals import wilson_interval
from softmaxce.metrics.learning_curve import Means, gain_at_twice, means_of


def draws(n, known, seed=0):
    """Errors of n images at four sizes, of which the first `known` are known at the last."""
    random = np.random.default_rng(seed)
    difficulty = random.random(n)[:, np.newaxis]
    noise = random.random((n, 4))
    errors = (0.7 * difficulty + 0.3 * noise > [0.5, 0.6, 0.65, 0.7]).astype(float)
    errors[known:, 3] = np.nan
    return errors


def test_the_covariance_is_that_of_repeated_samples():
    keys = np.arange(600, dtype=np.uint64)
    repeated = [means_of(draws(600, 150, seed), keys) for seed in range(400)]
    observed = np.cov(np.array([means.values for means in repeated]).T)
    expected = np.mean([means.covariance for means in repeated], axis=0)
    assert observed == pytest.approx(expected, rel=0.25)
    # Paired with half of the images, the last mean is better known than from its own images.
    assert expected[3, 3] < np.nanvar(draws(600, 150)[:, 3]) / 150


def test_copies_of_images_tell_nothing():
    errors, keys = draws(200, 50), np.arange(200, dtype=np.uint64)
    once = means_of(errors, keys)
    thrice = means_of(np.tile(errors, (3, 1)), np.tile(keys, 3))
    assert thrice.values == pytest.approx(once.values)
    assert thrice.covariance == pytest.approx(once.covariance)


def test_the_interval_of_independent_images_is_wilsons():
    errors = draws(300, 300)
    means = means_of(errors, np.arange(300, dtype=np.uint64))
    n_wrong = int(errors[:, 1].sum())
    assert means.proportion_interval(1) == pytest.approx(wilson_interval(n_wrong, 300))
    perfect = means_of(np.zeros((300, 4)), np.arange(300, dtype=np.uint64))
    assert perfect.proportion_interval(3) == wilson_interval(0, 300)


@pytest.mark.parametrize("share", [0.0, 0.5])
@pytest.mark.parametrize("power", [0.3, 1.0])
def test_an_exact_power_law_is_continued(share, power):
    n = 2.0 ** np.arange(-3, 2)
    law = 0.1 * (share + (1 - share) * n**-power)
    means = Means(law[:4], np.eye(4) * 1e-10, 10**9)
    gain, (low, high) = gain_at_twice(means, 10**9, 0.9)
    assert low <= gain <= high
    assert gain == pytest.approx(law[3] - law[4], abs=0.003)
    assert high - low < 0.01


def test_more_noise_makes_the_interval_wider():
    law, noise = np.array([0.4, 0.3, 0.25, 0.22]), np.eye(4) * 1e-4
    few, many = (gain_at_twice(Means(law, noise / k, 100), 40_000, 0.9)[1] for k in (1, 100))
    assert few[1] - few[0] > 1.3 * (many[1] - many[0])
    assert many[0] > 0


def test_nothing_is_left_to_gain_without_errors():
    perfect = means_of(np.zeros((100, 4)), np.arange(100, dtype=np.uint64))
    gain, (low, high) = gain_at_twice(perfect, 400, 0.5)
    assert gain == pytest.approx(0.0, abs=1e-3)
    assert low < 0 < high < 0.01
