"""How often 95 % intervals of images in groups contain the true value, with and without --group-by.

Simulated test sets: groups of 1 to 30 images, whose correctness has an intra-class correlation of
0.7; two models with calibrated probabilities and correlated errors. Prints the coverage of the
intervals of accuracy, of the mean cross-entropy and of the differences of the two models, and how
often the test of two equally good models has p < 0.05, in per cent; in brackets: counting
images, in a fifth of the sets.

    python benchmarks/group_intervals.py [SETS]
"""

from __future__ import annotations

import sys
from dataclasses import replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from softmaxce.metrics.comparison import compare
from softmaxce.metrics.group_intervals import mean_loss_interval
from softmaxce.metrics.intervals import Bootstrap, percentile_interval
from softmaxce.metrics.scores import Scores, score

ACCURACIES = (0.6, 0.75, 0.85, 0.9, 0.95)
CORRELATIONS = (
    0.893,
    0.902,
    0.915,
    0.925,
    0.939,
)  # of latent variables, for 0.7 of right and wrong
LIKENESS = 0.6  # of the latent variables of two models
NAMES = ("accuracy", "cross-entropy", "accuracy B − A", "cross-entropy B − A", "test")


def latent(
    random: np.random.Generator, group: NDArray[np.int64], accuracy: float
) -> NDArray[np.float64]:
    """A standard normal variable of each image, correlated in each group."""
    correlation = np.interp(accuracy, ACCURACIES, CORRELATIONS)
    of_groups = random.standard_normal(group.max() + 1)[group]
    of_images = random.standard_normal(len(group))
    return np.sqrt(correlation) * of_groups + np.sqrt(1 - correlation) * of_images


def scale_of(accuracy: float) -> float:
    """Of margins, such that the probabilities of two classes are calibrated."""
    return max(2 * NormalDist().inv_cdf(accuracy), 0.7)


def two_models(
    random: np.random.Generator, n_groups: int, accuracy: float
) -> tuple[Scores, Scores]:
    """The scores of two models of the same accuracy on images in groups of 1 to 30."""
    sizes = random.integers(1, 31, n_groups)
    group = np.repeat(np.arange(n_groups), sizes)
    common, labels = latent(random, group, accuracy), np.zeros(len(group), np.int64)
    models = []
    for _ in range(2):
        own = latent(random, group, accuracy)
        ability = np.sqrt(LIKENESS) * common + np.sqrt(1 - LIKENESS) * own
        margins = scale_of(accuracy) * (ability + NormalDist().inv_cdf(accuracy))
        pair = np.column_stack([-np.logaddexp(0, -margins), -np.logaddexp(0, margins)])
        models.append(replace(score(pair, labels), groups=group))
    return models[0], models[1]


def true_cross_entropy(accuracy: float) -> float:
    """The mean cross-entropy of such a model on infinitely many images, in nats."""
    x = np.linspace(-9, 9, 2001)
    margins = scale_of(accuracy) * (x + NormalDist().inv_cdf(accuracy))
    density = np.exp(-x * x / 2)
    return float((density * np.logaddexp(0, -margins)).sum() / density.sum())


def hits(a: Scores, b: Scores, accuracy: float, cross_entropy: float) -> list[bool]:
    """For each of NAMES, whether the interval contains the true value; whether p < 0.05."""
    if a.groups is None:
        of_losses = percentile_interval(Bootstrap(a.n_images).means(a.cross_entropies))
    else:
        of_losses = mean_loss_interval(a.cross_entropies, a.groups)
    found = compare(a, b, a.is_correct)
    intervals = (
        (a.accuracy_interval, accuracy),
        (of_losses, cross_entropy),
        (found.accuracy_difference_interval, 0.0),
        (found.cross_entropy_difference_interval, 0.0),
    )
    contained = [low <= value <= high for (low, high), value in intervals]
    return [*contained, found.p_value < 0.05]


def main() -> None:
    """Print a row for each number of groups and accuracy."""
    n_sets, random = int(sys.argv[1]) if len(sys.argv) > 1 else 1000, np.random.default_rng(0)
    print("groups", "accuracy", *NAMES, sep=" | ")
    for n_groups in (30, 60, 100):
        for accuracy in ACCURACIES:
            truth = accuracy, true_cross_entropy(accuracy)
            pairs = [two_models(random, n_groups, accuracy) for _ in range(n_sets)]
            images = [[replace(s, groups=None) for s in pair] for pair in pairs[: n_sets // 5]]
            shares = (np.mean([hits(*p, *truth) for p in s], axis=0) for s in (pairs, images))
            cells = (f"{100 * x:.1f} ({100 * y:.0f})" for x, y in zip(*shares, strict=True))
            print(n_groups, accuracy, *cells, sep=" | ", flush=True)


if __name__ == "__main__":
    main()
