"""The start for many classes is near the optimum, whatever order and weights the rows have."""

import numpy as np
import pytest

from softmaxce.training.discriminant import start_of_many
from softmaxce.training.fitting import fit
from softmaxce.training.objective import Objective
from softmaxce.training.rows import Rows
from softmaxce.training.stages import Settings

N_CLASSES, L2 = 30, 1e-2
SETTINGS = Settings(1e-4, 200)


def normal_classes(n: int, seed: int = 0):
    """Rows that are normal around the means of 30 classes, with one covariance."""
    rng = np.random.default_rng(seed)
    mixing = rng.standard_normal((40, 40)) / 6
    means = 0.4 * rng.standard_normal((N_CLASSES, 40))
    labels = rng.integers(0, N_CLASSES, n)
    rows = means[labels] + rng.standard_normal((n, 40))
    return np.float32(rows @ mixing + 1), labels


def start_of(rows, labels, weights=None) -> tuple[Objective, np.ndarray]:
    objective = Objective(Rows(rows, labels), N_CLASSES, L2, 1.0, weights)
    return objective, start_of_many(objective, SETTINGS).parameters


@pytest.mark.parametrize("is_sorted", [False, True])
def test_the_start_is_near_the_optimum_even_if_the_rows_are_sorted_by_class(is_sorted):
    rows, labels = normal_classes(14_000)
    if is_sorted:
        order = np.argsort(labels, kind="stable")
        rows, labels = rows[order], labels[order]
    objective, start = start_of(rows, labels)
    optimum = fit(rows, labels, N_CLASSES, scale=1.0, l2=L2, tolerance=1e-7).objective
    assert optimum < objective(start)[0] < 1.02 * optimum < 0.9 * np.log(N_CLASSES)
    np.testing.assert_allclose(start.sum(axis=1), 0, atol=1e-9)


def test_a_row_of_weight_2_counts_as_two_rows():
    rows, labels = normal_classes(1500)
    twice = np.arange(1500) % 3 == 0
    _, weighted = start_of(rows, labels, np.where(twice, 2.0, 1.0))
    order = np.sort(np.r_[np.arange(1500), np.flatnonzero(twice)])
    _, repeated = start_of(rows[order], labels[order])
    np.testing.assert_allclose(weighted, repeated, atol=2e-3)


def test_a_class_without_rows_gets_a_low_bias_and_no_odd_weights():
    rows, labels = normal_classes(3000)
    kept = labels != 7
    objective, start = start_of(rows[kept], labels[kept])
    others = np.delete(start, 7, axis=1)
    assert np.isfinite(objective(start)[0])
    assert np.abs(start[:-1, 7]).max() <= np.abs(others[:-1]).max()
    probabilities = np.exp(rows @ start[:-1] + start[-1])
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    assert probabilities[:, 7].mean() < 0.01
