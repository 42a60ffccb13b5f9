"""Prediction sets that contain the true class with a chosen probability (split conformal).

The scores are the cross-entropies of the true classes of validation images, and a threshold is one
of their quantiles. The prediction set of a new image contains every class whose cross-entropy is
at most the threshold. If the new image comes from the distribution of the validation images, the
set contains its true class with at least the requested probability (Vovk, Gammerman and Shafer
2005; Sadinle, Lei and Wasserman 2019, JASA 114:223). The guarantee is marginal: it holds on average
over images, not for each class, and not for images from another distribution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmaxce.metrics.intervals import Z_95

_N_RANKS = 1000  # more scores than this are thinned out to so many quantiles


@dataclass(frozen=True, eq=False)
class CalibrationScores:
    """The cross-entropies of the true classes of n_images validation images.

    values: the order statistics at `kept_ranks(n_images)`, ascending, in nats.
    """

    n_images: int
    values: NDArray[np.float64]

    def threshold(self, coverage: float) -> float:
        """The largest cross-entropy of a class in a prediction set, in nats.

        The ⌈(n + 1)·coverage⌉-th smallest score; ∞, so that a set contains all classes, if that
        rank exceeds n.
        """
        rank = _rank(self.n_images, coverage)
        if rank > self.n_images:
            return math.inf
        ranks = kept_ranks(self.n_images)
        return float(self.values[np.searchsorted(ranks, rank)])


def _rank(n_images: int, coverage: float) -> int:
    """⌈(n + 1)·coverage⌉, where rounding errors do not add 1."""
    return math.ceil((n_images + 1) * coverage * (1 - 1e-12))


def coverage_is_significantly_low(
    n_covered: float, n_images: float, n_calibration: int, coverage: float
) -> bool:
    """Whether n_covered of n_images is below what chance explains (one-sided, 2.5 %).

    For images from the distribution of the n_calibration validation images the coverage is
    Beta(a, b)-distributed, where a is the rank of the threshold, so n_covered is beta-binomial
    (Vovk 2012, section 2). It is called low at 1.96 standard deviations below its mean.
    """
    a = min(_rank(n_calibration, coverage), n_calibration)
    b = n_calibration + 1 - a
    mean = n_images * a / (a + b)
    variance = mean * b / (a + b) * (a + b + n_images) / (a + b + 1)
    return n_covered < mean - Z_95 * math.sqrt(variance)


def kept_ranks(n_images: int) -> NDArray[np.int64]:
    """The ranks (from 1) that are kept: all, or those of 0.1 %, 0.2 %, …, and the last."""
    if n_images <= _N_RANKS:
        return np.arange(1, n_images + 1, dtype=np.int64)
    steps = np.arange(1, _N_RANKS)
    ranks = -(-(n_images + 1) * steps // _N_RANKS)
    return np.append(ranks, n_images).astype(np.int64)


def calibration_scores(cross_entropies: NDArray[np.float64]) -> CalibrationScores:
    """The scores to keep, from the cross-entropies (n_images,) of validation images."""
    n_images = len(cross_entropies)
    return CalibrationScores(n_images, np.sort(cross_entropies)[kept_ranks(n_images) - 1])


def prediction_sets(log_probabilities: NDArray[np.float64], threshold: float) -> NDArray[np.bool_]:
    """(n_images, n_classes): the classes in each set; the most probable class always is."""
    sets = -log_probabilities <= threshold
    sets[np.arange(len(sets)), np.argmax(log_probabilities, axis=1)] = True
    return sets
