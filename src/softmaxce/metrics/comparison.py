"""Two models on the same images: how far apart they are, and whether luck explains it."""

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

    both, only_a, only_b, neither: how many images were answered right by whom. A difference is
    b − a, with its 95 % interval; p_value: McNemar's. is_different: (n_images,) where the
    answers' class names differ.
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
        """The accuracy of b less that of a."""
        return (self.only_b - self.only_a) / self.a.n_images

    @property
    def accuracy_difference_interval(self) -> Interval:
        """Its 95 % interval, by Newcombe's method for paired proportions."""
        return paired_difference_interval(self.both, self.only_b, self.only_a, self.neither)

    @property
    def cross_entropy_difference(self) -> float:
        """The cross-entropy of b less that of a, in nats."""
        return float(np.mean(self._losses))

    @property
    def cross_entropy_difference_interval(self) -> Interval:
        """Its 95 % interval, by the bootstrap over images."""
        return percentile_interval(Bootstrap(self.a.n_images).means(self._losses))

    @property
    def _losses(self) -> NDArray[np.float64]:
        return self.b.cross_entropies - self.a.cross_entropies

    @property
    def p_value(self) -> float:
        """The probability of a difference in accuracy as large as this, or larger, by luck."""
        return mcnemar_p_value(self.only_a, self.only_b)


def compare(a: Scores, b: Scores, is_different: NDArray[np.bool_]) -> Comparison:
    """Lay two judgements of the same images side by side."""
    right_a, right_b = a.is_correct, b.is_correct
    return Comparison(
        a,
        b,
        both=int(np.count_nonzero(right_a & right_b)),
        only_a=int(np.count_nonzero(right_a & ~right_b)),
        only_b=int(np.count_nonzero(right_b & ~right_a)),
        neither=int(np.count_nonzero(~right_a & ~right_b)),
        is_different=is_different,
    )


def mcnemar_p_value(only_a: int, only_b: int) -> float:
    """McNemar's exact test (1947, Psychometrika 12:153): two-sided, 1 where the two agree.

    If the models were equally good, each image that only one of them gets right would be as
    likely to fall to either: a fair coin. Computed in whole numbers.
    """
    n, fewer = only_a + only_b, min(only_a, only_b)
    term, total = 1, 0
    for k in range(fewer + 1):
        total += term
        term = term * (n - k) // (k + 1)
    return min(1.0, float(Fraction(2 * total, 2**n)))
