"""The error at an eighth, a quarter, half and all of the training images, and at twice as many."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from softmaxce.metrics.intervals import QUANTILES_95, Interval, wilson_interval

Floats = NDArray[np.float64]

N_SIZES = 4  # each twice the one before
# On the grid: the share of the errors that no number of images removes, and the power.
_SHARES = 1 - 0.5 ** np.linspace(0, 4, 16)
_POWERS = np.linspace(0, 1.5, 41)
# (n / n₀)^b is at least the first; the second stands for a law that never was near the baseline.
_MIN_ODDS, _NEVER = 0.1, 1e9
# How much an accuracy depends on the choice of training images: its standard deviation in units
# of √(e(1 − e) / n_training). Chosen on half of the sets of `benchmarks/learning_curve.py`.
_CHOICE = 0.3
_N_DRAWS = 20_000


@dataclass(frozen=True, eq=False)
class Means:
    """Mean values (N_SIZES,) at each size, their covariance, and how many images were scored."""

    values: Floats
    covariance: Floats
    n_images: int

    def proportion_interval(self, size: int) -> Interval:
        """The 95 % interval of a mean that is a proportion: Wilson's, for as many images as would
        have its variance."""
        p, variance = float(np.clip(self.values[size], 0, 1)), float(self.covariance[size, size])
        n = p * (1 - p) / variance if variance and 0 < p < 1 else self.n_images
        return wilson_interval(p * n, n)

    def falls_since(self, size: int, probability: float) -> bool:
        """Whether the last mean is lower than that at `size`: chance explains such a difference
        with less than this probability."""
        contrast = np.zeros(N_SIZES)
        contrast[[size, -1]] = 1, -1
        z = NormalDist().inv_cdf(1 - probability)
        return bool(contrast @ self.values > z * np.sqrt(contrast @ self.covariance @ contrast))


def means_of(values: Floats, keys: NDArray[np.uint64]) -> Means:
    """The means of values (n_images, N_SIZES), of which those at the last size may be NaN.

    An image without a value at the last size still tells the others. The mean at the last size
    is that at the one before, of all images, plus the difference of the two where both are known.
    keys: (n_images,): images with equal keys are not independent.
    """
    is_known = ~np.isnan(values[:, -1])
    means = values.mean(axis=0)
    steps = values[is_known, -1] - values[is_known, -2]
    means[-1] = means[-2] + steps.mean()
    influence = (values - means) / len(values)
    influence[:, -1] = influence[:, -2]
    influence[is_known, -1] += (steps - steps.mean()) / len(steps)
    _, group = np.unique(keys, return_inverse=True)
    totals = np.zeros((group.max() + 1, N_SIZES))
    np.add.at(totals, group.reshape(-1), influence)
    return Means(means, totals.T @ totals, len(values))


def gain_at_twice(errors: Means, n_training: int, baseline: float) -> tuple[float, Interval]:
    """How much lower the error will be with twice the training images: median and interval.

    baseline: the error without training. The law is e(n) = c + a / (1 + (n / n₀)^b), a power law
    (Cortes et al. 1994) that starts at the baseline, or long after it. Every such law on a grid of
    c and b is as probable as it makes the errors, which are normal with their covariance and that
    of the choice of training images; n₀ follows from the last error, and the law's scale from least
    squares. The interval contains the gain with a probability of 95 %.
    """
    y, last = errors.values, N_SIZES - 1
    n_errors = float(np.clip(y[last], 0, 1)) * errors.n_images
    rate = (n_errors + 1) / (errors.n_images + 2)
    doublings = np.arange(1 - N_SIZES, 2)
    shares = _SHARES[:, np.newaxis]  # c as a share of the error at the last size
    starts = np.array([max(baseline / rate - 1, _MIN_ODDS), _NEVER]).reshape(2, 1, 1, 1)
    odds = starts / (1 - shares)  # (n / n₀)^b at the last size
    removed = (1 + odds) / (1 + odds * 2 ** (_POWERS[:, np.newaxis, np.newaxis] * doublings))
    law = (shares + (1 - shares) * removed).reshape(-1, N_SIZES + 1)
    choice = _CHOICE**2 * rate * (1 - rate) / n_training
    precision = np.linalg.inv(errors.covariance + choice * np.diag(0.5 ** doublings[:-1]))
    projected = law[:, :N_SIZES] @ precision
    squared = np.einsum("ij,ij->i", projected, law[:, :N_SIZES])
    scales = projected @ y / squared
    log_weights = scales**2 * squared / 2
    weights = np.exp(log_weights - log_weights.max())
    random = np.random.default_rng(0)
    drawn = random.choice(len(law), _N_DRAWS, p=weights / weights.sum())
    slopes = law[drawn, last] - law[drawn, last + 1]
    deviations = np.sqrt(slopes**2 / squared[drawn] + choice)
    gains = scales[drawn] * slopes + deviations * random.standard_normal(_N_DRAWS)
    low, median, high = np.quantile(gains, [QUANTILES_95[0], 0.5, QUANTILES_95[1]]).tolist()
    return median, (low, high)
