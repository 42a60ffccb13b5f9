"""The pairs of classes that are confused most often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
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


def most_confused(
    confusions: Sequence[Confusion], n_classes: int, n_wanted: int
) -> NDArray[np.int64]:
    """The n_wanted classes, ascending, among which many of the confusions are.

    Classes are removed one at a time: each time the one with the fewest errors among those left.
    """
    errors_with: list[Counter[int]] = [Counter() for _ in range(n_classes)]
    for c in confusions:
        errors_with[c.label][c.predicted] += c.count
        errors_with[c.predicted][c.label] += c.count
    errors_left = np.array([errors.total() for errors in errors_with])
    is_kept = np.ones(n_classes, np.bool_)
    for _ in range(n_classes - n_wanted):
        fewest = np.where(is_kept, errors_left, np.iinfo(np.int64).max).argmin()
        is_kept[fewest] = False
        for other, count in errors_with[fewest].items():
            errors_left[other] -= count
    return np.flatnonzero(is_kept)
