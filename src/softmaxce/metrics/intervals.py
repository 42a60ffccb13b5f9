"""Confidence intervals: Wilson, Newcombe, and a bootstrap over images."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Interval = tuple[float, float]

Z_95 = 1.959963984540054  # the 0.975 quantile of the standard normal distribution
QUANTILES_95 = (0.025, 0.975)
N_RESAMPLES = 1000
MAX_BLOCKS = 1000


def wilson_interval(
    n_correct: float, n_images: float, n_effective: float | None = None
) -> Interval:
    """Wilson's 95 % interval of a proportion (1927, JASA 22:209). n_images ≥ 1.

    n_effective: how many independent images the images are worth; all of them if None.
    """
    proportion, z, n = n_correct / n_images, Z_95, n_effective or n_images
    spread = z * math.sqrt(proportion * (1 - proportion) / n + (z / (2 * n)) ** 2)
    centre = proportion + z * z / (2 * n)
    scale = 1 + z * z / n
    low = 0.0 if n_correct == 0 else (centre - spread) / scale
    high = 1.0 if n_correct == n_images else (centre + spread) / scale
    return low, high


def paired_difference_interval(
    both: float, only_a: float, only_b: float, neither: float
) -> Interval:
    """The 95 % interval of the difference a − b of two proportions of the same images.

    The arguments count the images that both models, one or neither predicted correctly. Method 10
    of Newcombe 1998 (Statistics in Medicine 17:2635): the Wilson intervals of the two proportions,
    combined with their correlation. Unlike a bootstrap interval, its width is never 0.
    """
    n = both + only_a + only_b + neither
    p_a, p_b = (both + only_a) / n, (both + only_b) / n
    low_a, high_a = wilson_interval(both + only_a, n)
    low_b, high_b = wilson_interval(both + only_b, n)
    product = (both + only_a) * (both + only_b) * (only_a + neither) * (only_b + neither)
    excess: float = both * neither - only_a * only_b
    if excess > 0:
        excess = max(excess - n / 2, 0)
    phi = excess / math.sqrt(product) if product else 0.0

    def reach(a: float, b: float) -> float:
        return math.sqrt(max(a * a - 2 * phi * a * b + b * b, 0.0))

    difference = p_a - p_b
    return (
        difference - reach(p_a - low_a, high_b - p_b),
        difference + reach(high_a - p_a, p_b - low_b),
    )


def difference_interval(
    a: tuple[int, int], b: tuple[int, int], n_effective_b: float | None = None
) -> Interval:
    """The 95 % interval of the difference a − b of the proportions of different images, given as
    (n_correct, n_images). Method 10 of Newcombe 1998 (Statistics in Medicine 17:873)."""
    (low_a, high_a), (low_b, high_b) = wilson_interval(*a), wilson_interval(*b, n_effective_b)
    p_a, p_b = a[0] / a[1], b[0] / b[1]
    difference = p_a - p_b
    return (
        difference - math.hypot(p_a - low_a, high_b - p_b),
        difference + math.hypot(high_a - p_a, p_b - low_b),
    )


class Bootstrap:
    """N_RESAMPLES resamples of n_images images with replacement, from a fixed seed (Efron 1979).

    Up to MAX_BLOCKS images are drawn individually. More are first distributed at random over
    MAX_BLOCKS blocks, and whole blocks are drawn: a mean needs only the sum of each block, and the
    work does not grow with the number of images. Images in groups (n_images,), numbered from 0, are
    drawn and distributed by group.
    """

    def __init__(self, n_images: int, groups: NDArray[np.int64] | None = None) -> None:
        random = np.random.default_rng(0)
        n_drawn = n_images if groups is None else int(groups.max()) + 1
        self.n_blocks = min(n_drawn, MAX_BLOCKS)
        blocks = random.permutation(n_drawn) % self.n_blocks
        self._block_of = blocks if groups is None else blocks[groups]
        draws = random.integers(0, self.n_blocks, (N_RESAMPLES, self.n_blocks), dtype=np.int32)
        draws += self.n_blocks * np.arange(N_RESAMPLES, dtype=np.int32)[:, np.newaxis]
        drawn = np.bincount(draws.ravel(), minlength=N_RESAMPLES * self.n_blocks)
        self._drawn = drawn.reshape(N_RESAMPLES, self.n_blocks).astype(np.float64)
        self.n_images = self._sums(None)

    def _sums(self, values: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """The sum (n_resamples,) of values (n_images,) in each resample; of ones if None."""
        return np.asarray(self._drawn @ np.bincount(self._block_of, values))

    def means(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mean (n_resamples,) of values (n_images,) in each resample; ∞ if it contains an ∞."""
        is_finite = np.isfinite(values)
        sums = self._sums(np.where(is_finite, values, 0.0))
        return np.where(self._sums(~is_finite * 1.0) > 0, np.inf, sums) / self.n_images

    def totals(
        self, groups: NDArray[np.int64], n_groups: int, values: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Sums (n_resamples, n_groups) of values (n_images,) by group; counts if None."""
        cells = self._block_of * n_groups + groups
        sums = np.bincount(cells, values, self.n_blocks * n_groups)
        return np.asarray(self._drawn @ sums.reshape(self.n_blocks, n_groups))


def percentile_interval(resampled: NDArray[np.float64]) -> Interval:
    """The 95 % percentile interval of resampled values (n_resamples,)."""
    low, high = np.quantile(resampled, QUANTILES_95, method="inverted_cdf")
    return float(low), float(high)


def basic_interval(value: float, resampled: NDArray[np.float64]) -> Interval:
    """The basic bootstrap 95 % interval (Davison and Hinkley 1997, section 5.2), at least 0.

    For a score with a bias: resampling adds the same bias a second time, and reflecting the
    percentile interval at the value removes both.
    """
    low, high = percentile_interval(resampled)
    return max(0.0, 2 * value - high), max(0.0, 2 * value - low)
