"""How much each row counts in a fit."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from softmaxce.errors import InputError
from softmaxce.training.objective import Floats


def check_sample_weight(row_weights: Floats, n_rows: int) -> None:
    """Raise InputError unless these are weights of so many rows."""
    if row_weights.shape != (n_rows,):
        raise InputError(f"sample_weight must be 1D, with a weight for each of the {n_rows} rows")
    with np.errstate(over="ignore", invalid="ignore"):
        total = row_weights.sum()
    if not (np.isfinite(total) and (row_weights >= 0).all() and row_weights.any()):
        raise InputError("sample_weight and its sum must be finite, not negative and not all zero")


def balanced_sample_weight(
    labels: ArrayLike, n_classes: int, row_weights: Floats | None = None
) -> Floats:
    """Weights n / (n_classes · count of the label's class): scikit-learn's 'balanced'.

    labels: (n,) integers; row_weights: how often each row counts, once if None; the weights are
    multiplied by them. Classes without rows do not count in n_classes.
    """
    class_of = np.asarray(labels)
    given = np.ones(len(class_of)) if row_weights is None else row_weights
    totals = np.bincount(class_of, given, n_classes)
    mean = totals.sum() / np.count_nonzero(totals)
    return np.asarray(given * mean / np.where(totals > 0, totals, 1.0)[class_of])
