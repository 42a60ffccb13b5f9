"""Fewer images than pixels: the same problem in as many dimensions as there are images.

By the representer theorem (Kimeldorf and Wahba 1970; Schölkopf, Herbrich and Smola 2001) the
optimal weights are a combination of the images, W = Xᵀ A: any other component of W adds penalty and
changes no logit. With the Gram matrix X Xᵀ = L Lᵀ and V = Lᵀ A, the logits are L V and ‖W‖² is
‖V‖². So the objective with the rows of L as "pixels" equals the original one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.training.objective import Floats, Objective, check_finite
from softmaxce.training.rows import Rows

MAX_IMAGES = 4096  # for more, the n³ operations of the factorisation cost more than they save
_CHUNK = 1024  # columns: sums of 1,024 products of −128 … 127 are exact integers in float32
_SHIFT = 128  # subtracted from uint8 pixels; the biases compensate


def is_reducible(rows: Rows) -> bool:
    """Whether there are few rows, absolutely and compared with their length."""
    return len(rows) <= MAX_IMAGES and 2 * len(rows) <= rows.n_pixels


def reduce(objective: Objective) -> tuple[Objective, Callable[[Floats], Floats]]:
    """The problem in n_images dimensions if that is much smaller, and otherwise the objective.

    Also returns a function from its parameters, (n_images + 1, n_classes), to those of the original
    problem, (n_pixels + 1, n_classes). Raises TrainingError for pixels that are not finite.
    """
    rows = objective.rows
    if not is_reducible(rows):
        return objective, np.asarray
    lower = _factor(_gram(objective))

    def lift(parameters: Floats) -> Floats:
        mixture = _solve_transposed(lower, parameters[:-1])
        lifted = np.empty(objective.shape)
        for columns in _chunks(rows.n_pixels):
            lifted[columns] = _pixels(objective, columns).T.astype(np.float64) @ mixture
        lifted[-1] = parameters[-1]
        if _is_exact(rows):
            lifted[-1] -= objective.scale * _SHIFT * lifted[:-1].sum(axis=0)
        return lifted

    labels = rows.labels[rows.positions(slice(None))]
    values = lower * objective.scale if _is_exact(rows) else lower
    factor = Rows(values.astype(rows.dtype), labels)
    return replace(objective, rows=factor, scale=1.0), lift


def _chunks(n_pixels: int) -> list[slice]:
    starts = range(0, n_pixels, _CHUNK)
    return [slice(start, min(start + _CHUNK, n_pixels)) for start in starts]


def _is_exact(rows: Rows) -> bool:
    """Whether products of the unscaled pixels are exact; others could overflow without a scale."""
    return rows.pixels.dtype == np.uint8


def _pixels(objective: Objective, columns: slice) -> NDArray[Any]:
    """These columns of the rows, in the rows' dtype: scaled, or if uint8, minus _SHIFT."""
    rows = objective.rows
    pixels = rows.matrix[rows.positions(slice(None)), columns].astype(rows.dtype)
    if _is_exact(rows):
        pixels -= pixels.dtype.type(_SHIFT)
    else:
        pixels *= pixels.dtype.type(objective.scale)
    return pixels


def _gram(objective: Objective) -> Floats:
    """X Xᵀ in float64, summed over two fixed halves of the columns; exact for uint8."""
    rows, chunks = objective.rows, _chunks(objective.rows.n_pixels)

    def half(first: int) -> Floats:
        total = np.zeros((len(rows), len(rows)))
        for columns in chunks[first::2]:
            pixels = _pixels(objective, columns)
            total += pixels @ pixels.T
        return total

    even, odd = objective.run_tasks(half, (0, 1))
    total: Floats = even
    total += odd
    return total


def _factor(gram: Floats) -> Floats:
    """Lower Cholesky factor, with the smallest addition to the diagonal that makes it exist
    (equal images make the matrix singular)."""
    check_finite(gram)
    diagonal = np.einsum("ii->i", gram)
    addition = 1e-11 * float(diagonal.max()) + 1e-300
    while True:
        diagonal += addition
        try:
            return np.asarray(np.linalg.cholesky(gram))
        except np.linalg.LinAlgError:
            addition *= 10


def _solve_transposed(lower: Floats, right: Floats) -> Floats:
    """x with lowerᵀ x = right, block by block from the last."""
    solution = right.copy()
    for start in reversed(range(0, len(lower), 128)):
        block = slice(start, min(start + 128, len(lower)))
        below = slice(block.stop, None)
        known = lower[below, block].T @ solution[below]
        solution[block] = np.linalg.solve(lower[block, block].T, solution[block] - known)
    return solution
