"""Which labelled rows are for validation, whatever their order and however often they occur.

A row of weight 2 and two equal rows of weight 1 are the same problem, and so are a row of weight 0
and no row. That holds for the training rows as soon as equal rows are merged. It also keeps copies
of a training row out of the validation set.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.training.objective import Floats

_FRACTION = 10  # one row in so many is for validation

Indices = NDArray[np.intp]


def distinct_rows(
    pixels: NDArray[Any], labels: Indices, row_weights: Floats, seed: int
) -> tuple[Indices, Floats]:
    """One of each group of equal rows with the same label, and the groups' weights.

    Rows of weight 0 are left out. The order is random, but depends only on `seed` and the groups,
    and not on the scale of the pixels.
    """
    rng = np.random.default_rng(seed)
    direction = rng.standard_normal(pixels.shape[1])
    rows = np.flatnonzero(row_weights)
    with np.errstate(over="ignore", invalid="ignore"):
        projections = [np.sum(pixels[row] * direction) for row in rows]
    keys = np.column_stack([projections, labels[rows]])  # differ if rows do: directions are random
    _, first, which = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    weights = np.bincount(which.reshape(-1), row_weights[rows]).astype(np.float64)
    order = rng.permutation(len(first))
    return rows[first[order]], weights[order]


def is_for_validation(labels: Indices, row_weights: Floats) -> NDArray[np.bool_]:
    """The first rows of each class, up to a tenth of its weight; none that weighs more alone."""
    chosen = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        limit = row_weights[rows].sum() / _FRACTION
        rows = rows[row_weights[rows] <= limit]
        chosen[rows[np.cumsum(row_weights[rows]) <= limit]] = True
    return chosen
