"""What was taken for what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Confusion:
    """`count` of the `support` images of class `label` were called `predicted`."""

    label: int
    predicted: int
    count: int
    support: int


def confusion_matrix(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], n_classes: int
) -> NDArray[np.int64]:
    """Counts (n_classes, n_classes): a row for each true class, a column for each predicted."""
    counts = np.bincount(labels * n_classes + predicted, minlength=n_classes**2)
    return counts.reshape(n_classes, n_classes).astype(np.int64)


def list_confusions(counts: NDArray[np.int64]) -> tuple[Confusion, ...]:
    """Every pair of classes that was confused, the most frequent first."""
    support = counts.sum(axis=1)
    found = [
        Confusion(int(i), int(j), int(counts[i, j]), int(support[i]))
        for i, j in zip(*counts.nonzero(), strict=True)
        if i != j
    ]
    return tuple(sorted(found, key=lambda c: (-c.count, c.label, c.predicted)))


def most_confused(counts: NDArray[np.int64], n_wanted: int) -> NDArray[np.int64]:
    """The n_wanted classes, ascending, whose part of the matrix holds many of the mistakes.

    One class after the other is left out: the one with the fewest mistakes among those that stay.
    """
    mistakes = counts + counts.T
    np.fill_diagonal(mistakes, 0)
    stays = np.ones(len(counts), np.bool_)
    among = mistakes.sum(axis=1)
    for _ in range(len(counts) - n_wanted):
        fewest = np.where(stays, among, np.iinfo(np.int64).max).argmin()
        stays[fewest] = False
        among -= mistakes[fewest]
    return np.flatnonzero(stays)
