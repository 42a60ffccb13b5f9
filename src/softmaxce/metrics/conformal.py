"""Sets of classes that hold the true one as often as was asked (split conformal prediction).

From images that the model was not trained on: how improbable was the true class? A set for a
new image holds every class that is no more improbable than all but the worst of those were. If
the new image comes from the same source as the held-out ones, its true class is in the set with
at least the probability asked for (Vovk, Gammerman and Shafer 2005; Sadinle, Lei and Wasserman
2019, JASA 114:223). That is a promise for the average image, not for each kind of image, and none
at all for pictures from elsewhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmaxce.metrics.intervals import Z_95

_N_RANKS = 1000  # of a larger set every thousandth is kept


@dataclass(frozen=True, eq=False)
class CalibrationScores:
    """The cross-entropies of n_images held-out images, as much as coverages need.

    values: the order statistics at `kept_ranks(n_images)`, ascending, in nats.
    """

    n_images: int
    values: NDArray[np.float64]

    def limit(self, coverage: float) -> float:
        """The largest cross-entropy of a class in a set, in nats; ∞ where all classes belong.

        The ⌈(n + 1)·coverage⌉-th smallest of the held-out ones; there is none, and a set must
        hold all classes, where that is more than n.
        """
        rank = math.ceil((self.n_images + 1) * coverage * (1 - 1e-12))
        if rank > self.n_images:
            return math.inf
        ranks = kept_ranks(self.n_images)
        return float(self.values[np.searchsorted(ranks, rank)])


def is_short(n_covered: int, n_images: int, n_held_out: int, coverage: float) -> bool:
    """Whether fewer images were covered than luck explains, if they are like the held-out ones.

    The coverage that one set of held-out images leads to is itself a matter of luck, Beta(a, b)
    with a the rank of the limit, so the count is beta-binomial (Vovk 2012, section 2); 2.5 % of
    such counts lie 1.96 standard deviations or more below their mean.
    """
    a = min(math.ceil((n_held_out + 1) * coverage * (1 - 1e-12)), n_held_out)
    b = n_held_out + 1 - a
    mean = n_images * a / (a + b)
    variance = mean * b / (a + b) * (a + b + n_images) / (a + b + 1)
    return n_covered < mean - Z_95 * math.sqrt(variance)


def kept_ranks(n_images: int) -> NDArray[np.int64]:
    """The ranks from 1 that are kept: all, or those of 0.1 %, 0.2 % … and the largest."""
    if n_images <= _N_RANKS:
        return np.arange(1, n_images + 1, dtype=np.int64)
    steps = np.arange(1, _N_RANKS)
    ranks = -(-(n_images + 1) * steps // _N_RANKS)
    return np.append(ranks, n_images).astype(np.int64)


def calibration_scores(cross_entropies: NDArray[np.float64]) -> CalibrationScores:
    """What to keep of the cross-entropies (n_images,) of held-out images."""
    n_images = len(cross_entropies)
    return CalibrationScores(n_images, np.sort(cross_entropies)[kept_ranks(n_images) - 1])


def prediction_sets(log_probabilities: NDArray[np.float64], limit: float) -> NDArray[np.bool_]:
    """Which classes each set holds: (n_images, n_classes), the most probable class always."""
    sets = -log_probabilities <= limit
    sets[np.arange(len(sets)), np.argmax(log_probabilities, axis=1)] = True
    return sets
