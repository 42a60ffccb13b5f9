"""Two models on the same images: the difference of their scores, and whether it may be chance."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from softmaxce.metrics.group_intervals import (
    difference_of_means_interval,
    effective_number,
    sign_flip_p_value,
)
from softmaxce.metrics.intervals import (
    Bootstrap,
    Interval,
    paired_difference_interval,
    percentile_interval,
)
from softmaxce.metrics.scores import Scores


@dataclass(frozen=True, eq=False)
class Comparison:
    """Scores a and b on the same images, in the same order; a difference is that of b minus a.

    both, only_a, only_b, neither: the number of images that both models, one or neither predicted
    correctly. accuracy_difference_interval: 95 %, by Newcombe's method for paired proportions;
    cross_entropy_difference: in nats, its 95 % interval by a bootstrap over images; p_value:
    McNemar's, the probability of a difference at least as large by chance; is_different:
    (n_images,) whether the predicted class names differ. If the images are in groups, the intervals
    and the test count groups.
    """

    a: Scores
    b: Scores
    both: int
    only_a: int
    only_b: int
    neither: int
    accuracy_difference: float
    accuracy_difference_interval: Interval
    cross_entropy_difference: float
    cross_entropy_difference_interval: Interval
    p_value: float
    is_different: NDArray[np.bool_]


def compare(a: Scores, b: Scores, is_different: NDArray[np.bool_]) -> Comparison:
    """Compare the scores of two models on the same images, in the same order."""
    n_images, both = a.n_images, int(np.count_nonzero(a.is_correct & b.is_correct))
    only_a, only_b = a.n_correct - both, b.n_correct - both
    neither = n_images - both - only_a - only_b
    losses = b.cross_entropies - a.cross_entropies
    counts = both, only_b, only_a, neither
    if a.groups is None:
        accuracy_interval = paired_difference_interval(*counts)
        p_value = mcnemar_p_value(only_a, only_b)
    else:
        gains = b.is_correct.astype(np.int64) - a.is_correct
        accuracy_interval = _gain_interval(gains, a.groups, counts)
        p_value = sign_flip_p_value(gains, a.groups)
    return Comparison(
        a,
        b,
        both,
        only_a,
        only_b,
        neither,
        accuracy_difference=(only_b - only_a) / n_images,
        accuracy_difference_interval=accuracy_interval,
        cross_entropy_difference=float(np.mean(losses)),
        cross_entropy_difference_interval=_loss_interval(losses, a.groups),
        p_value=p_value,
        is_different=is_different,
    )


def _gain_interval(
    gains: NDArray[np.int64], groups: NDArray[np.int64], counts: tuple[int, int, int, int]
) -> Interval:
    """That of the mean of gains (n,) of 1, 0 and −1; of counts as for Newcombe's if all are 0."""
    if gains.any():
        return difference_of_means_interval(gains.astype(np.float64), groups)
    worth = effective_number(gains != 0, groups) / len(gains)
    return paired_difference_interval(*(count * worth for count in counts))


def _loss_interval(losses: NDArray[np.float64], groups: NDArray[np.int64] | None) -> Interval:
    if groups is not None and np.isfinite(losses).all():
        return difference_of_means_interval(losses, groups)
    return percentile_interval(Bootstrap(len(losses), groups).means(losses))


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


def binomial_p_value(n_correct: int, n_images: int, proportion: float) -> float:
    """The probability of at least n_correct successes, each with this probability (one-sided)."""
    if n_correct <= 0 or proportion >= 1:
        return 1.0
    if proportion <= 0:
        return 0.0
    i = np.arange(n_images)
    log_choices = np.append(0.0, np.cumsum(np.log(n_images - i) - np.log(i + 1)))
    k = np.arange(n_images + 1)
    logs = log_choices + k * np.log(proportion) + (n_images - k) * np.log1p(-proportion)
    return min(1.0, float(np.exp(logs[n_correct:]).sum()))
