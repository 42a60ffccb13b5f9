"""Intervals and a test for images in groups, of which those of one group tend to be alike.

A mean of images in groups varies more than one of as many independent images: its variance is
larger by the design effect 1 + (n' − 1)·ρ, where n' = Σ nᵍ² / Σ nᵍ for groups of nᵍ images (Kish
1965, Survey Sampling), and ρ is the correlation of two images of a group, estimated by an analysis
of variance. Without this, intervals are too narrow (Miller 2024, arXiv:2411.00640). The quantiles
are Student's, because the variance is estimated from a few groups. `benchmarks/group_intervals.py`
measures how often the intervals contain the true value.

In all functions, groups (n,) are numbers, equal for the images of a group.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from softmaxce.metrics.intervals import Z_95, Interval

Floats = NDArray[np.float64]
_PRIOR_GROUPS = 0.2  # with this weight, ρ is taken to be 1: a few errors do not determine it
_LEAST_DEGREES = 2.0  # with 1, an interval reaches over many powers of ten
_MANY = 1e4  # degrees of freedom from which Student's quantile is the normal one


@lru_cache
def student_quantile(degrees: float) -> float:
    """The 0.975 quantile of Student's t distribution with `degrees` ≥ 1 of freedom.

    t = √degrees · tan θ, where the density of θ is proportional to cos(θ)^(degrees − 1).
    """
    if degrees >= _MANY:
        return Z_95
    angles = np.linspace(0, np.pi / 2, 4001)
    density = np.cos(angles).clip(0) ** (degrees - 1)
    share = np.append(0.0, np.cumsum(density[1:] + density[:-1]))
    return math.sqrt(degrees) * math.tan(float(np.interp(0.95, share / share[-1], angles)))


@dataclass(frozen=True)
class _Sample:
    """Mean and variance of n values, their correlation in a group, the number of groups, and n'."""

    n: int
    mean: float
    variance: float
    correlation: float
    n_groups: int
    mean_size: float

    def standard_error(self) -> float:
        """That of the mean."""
        return math.sqrt(self.variance / self.n * self.design_effect(self.correlation))

    def design_effect(self, correlation: float) -> float:
        """By how much the variance of the mean exceeds that of independent images."""
        return 1 + (self.mean_size - 1) * correlation


def _sample(values: Floats, groups: NDArray[np.int64]) -> _Sample:
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    group, n, n_groups = group.reshape(-1), len(values), len(sizes)
    means = np.bincount(group, values) / sizes
    mean, mean_size = float(values.mean()), float((sizes**2).sum() / n)
    within = float(((values - means[group]) ** 2).sum()) / max(n - n_groups, 1)
    between = float((sizes * (means - mean) ** 2).sum()) / max(n_groups - 1, 1)
    typical_size = (n - mean_size) / max(n_groups - 1, 1)
    total = between + (typical_size - 1) * within
    # 1 for a single group, and if all values are equal.
    correlation = min(max((between - within) / total, 0.0), 1.0) if total > 0 else 1.0
    return _Sample(n, mean, float(values.var()), correlation, n_groups, mean_size)


def effective_number(is_success: NDArray[np.bool_], groups: NDArray[np.int64]) -> float:
    """How many independent images make Wilson's interval of this proportion as wide.

    n divided by the design effect, and by the squared ratio of Student's quantile to the normal one
    (Korn and Graubard 1998, Survey Methodology 24:193). Between 0 and n; needs at least one image.
    """
    s = _sample(is_success.astype(np.float64), groups)
    known = s.n_groups * s.variance
    correlation = (known * s.correlation + _PRIOR_GROUPS) / (known + _PRIOR_GROUPS)
    ratio = student_quantile(max(s.n_groups - 1, 1)) / Z_95
    return s.n / s.design_effect(correlation) / ratio**2


def difference_of_means_interval(differences: Floats, groups: NDArray[np.int64]) -> Interval:
    """The 95 % interval of the mean of differences (n,), which may have both signs."""
    s = _sample(differences, groups)
    reach = student_quantile(max(s.n_groups - 1, 1)) * s.standard_error()
    return s.mean - reach, s.mean + reach


def mean_loss_interval(losses: Floats, groups: NDArray[np.int64]) -> Interval:
    """The 95 % interval of the mean of losses (n,) ≥ 0, by the logarithm of the mean.

    If few groups have most of the loss, its variance is known as if there were only so many groups:
    the degrees of freedom are their number, (Σ loss)² / Σ loss² in units of an average group.
    """
    mean = float(losses.mean())
    if mean == 0:
        return 0.0, 0.0
    relative = _sample(losses / mean, groups)
    sharing = relative.n_groups / (relative.variance + 1)
    degrees = max(min(sharing, relative.n_groups - 1), _LEAST_DEGREES)
    reach = student_quantile(degrees) * relative.standard_error()
    return mean * math.exp(-reach), mean * math.exp(min(reach, 700.0))


def sign_flip_p_value(differences: NDArray[np.int64], groups: NDArray[np.int64]) -> float:
    """The exact, two-sided test of whether a sum of differences (n,) is 0, over groups.

    If two models were equally good, the sum of each group would have either sign with probability
    1/2 (Fisher 1935, The Design of Experiments, section 21). This is McNemar's test if every group
    is one image. The distribution is built group by group.
    """
    _, group = np.unique(groups, return_inverse=True)
    sums = np.bincount(group.reshape(-1), differences).astype(np.int64)
    sizes = np.sort(np.abs(sums[sums != 0]))
    chances = np.zeros(int(sizes.sum()) + 1)  # of each sum of the groups with a positive sign
    chances[0], reached = 1.0, 0
    for size in sizes.tolist():
        reached += size
        chances[: reached + 1] /= 2
        chances[size : reached + 1] += chances[: reached + 1 - size].copy()
    fewer = (reached - abs(int(sums.sum()))) // 2
    return min(1.0, 2 * float(chances[: fewer + 1].sum()))
