"""Two models on the same images: the difference of their scores, and whether it may be chance."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from softmaxce.metrics.intervals import (
    Bootstrap,
    Interval,
    paired_difference_interval,
    percentile_interval,
)
from softmaxce.metrics.scores import Scores


@dataclass(frozen=True, eq=False)
class Comparison:
    """Scores a and b on the same images, in the same order.

    both, only_a, only_b, neither: the number of images that both models, one or neither predicted
    correctly. Differences are b − a. is_different: (n_images,) whether the predicted class names
    differ.
    """

    a: Scores
    b: Scores
    both: int
    only_a: int
    only_b: int
    neither: int
    is_different: NDArray[np.bool_]

    @property
    def accuracy_difference(self) -> float:
        """Accuracy of b minus accuracy of a."""
        return (self.only_b - self.only_a) / self.a.n_images

    @property
    def accuracy_difference_interval(self) -> Interval:
        """Its 95 % confidence interval, by Newcombe's method for paired proportions."""
        return paired_difference_interval(self.both, self.only_b, self.only_a, self.neither)

    @property
    def cross_entropy_difference(self) -> float:
        """Cross-entropy of b minus cross-entropy of a, in nats."""
        return float(np.mean(self._losses))

    @property
    def cross_entropy_difference_interval(self) -> Interval:
        """Its 95 % confidence interval, by a bootstrap over images."""
        return percentile_interval(Bootstrap(self.a.n_images).means(self._losses))

    @property
    def _losses(self) -> NDArray[np.float64]:
        return self.b.cross_entropies - self.a.cross_entropies

    @property
    def p_value(self) -> float:
        """McNemar's p-value: the probability of a difference at least as large by chance."""
        return mcnemar_p_value(self.only_a, self.only_b)


def compare(a: Scores, b: Scores, is_different: NDArray[np.bool_]) -> Comparison:
    """Compare the scores of two models on the same images, in the same order."""
    correct_a, correct_b = a.is_correct, b.is_correct
    return Comparison(
        a,
        b,
        both=int(np.count_nonzero(correct_a & correct_b)),
        only_a=int(np.count_nonzero(correct_a & ~correct_b)),
        only_b=int(np.count_nonzero(correct_b & ~correct_a)),
        neither=int(np.count_nonzero(~correct_a & ~correct_b)),
        is_different=is_different,
    )


def mcnemar_p_value(only_a: int, only_b: int) -> float:
    """McNemar's exact test (1947, Psychometrika 12:153): two-sided, 1 if the counts are equal.

    If the models were equally good, an image that only one of them predicts correctly would be
    equally likely to be in either count: Binomial(n, 1/2). Computed with integers.
    """
    n, fewer = only_a + only_b, min(only_a, only_b)
    term, total = 1, 0
    for k in range(fewer + 1):
        total += term
        term = term * (n - k) // (k + 1)
    return min(1.0, float(Fraction(2 * total, 2**n)))
