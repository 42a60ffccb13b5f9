"""The pairs of classes that are confused most often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Confusion:
    """`count` of the `support` images of class `label` were predicted as `predicted`."""

    label: int
    predicted: int
    count: int
    support: int

    @property
    def share(self) -> float:
        """The proportion of the class's images."""
        return self.count / self.support


def most_confused(counts: NDArray[np.int64], n_wanted: int) -> list[int]:
    """The n_wanted classes, ascending, whose submatrix contains many of the errors.

    Classes are removed one at a time: each time the one with the fewest errors among those left.
    """
    errors = counts + counts.T
    np.fill_diagonal(errors, 0)
    is_kept = np.ones(len(counts), np.bool_)
    errors_left = errors.sum(axis=1)
    for _ in range(len(counts) - n_wanted):
        fewest = np.where(is_kept, errors_left, np.iinfo(np.int64).max).argmin()
        is_kept[fewest] = False
        errors_left -= errors[fewest]
    return [int(k) for k in np.flatnonzero(is_kept)]


def count_errors(counts: NDArray[np.int64]) -> int:
    """The number of images off the diagonal of a confusion matrix or of a submatrix."""
    return int(counts.sum() - counts.trace())
