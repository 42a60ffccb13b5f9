"""The objective of softmax regression and its gradient, as sums over blocks of rows.

With scaled pixels X (one row per image), weights W (n_pixels, n_classes), biases b, and row weights
ω (all 1 by default) whose sum is n:

    p                = softmax(X W + b)
    objective        = −Σᵢ ωᵢ log pᵢ[labelᵢ] / n + (l2/2)·‖W‖²
    gradient for W   = Xᵀ diag(ω) (p − y) / n + l2·W            (y: one-hot labels)
    gradient for b   = Σᵢ ωᵢ (pᵢ − yᵢ) / n

The sums of a block depend only on its rows and the parameters. Blocks are added in a binary tree
whose shape depends only on their number. So the result is the same bits whichever thread or
machine computes which subtree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.errors import TrainingError
from softmaxce.training.rows import Rows
from softmaxce.training.thin_products import gradient_of, logits_of

Floats = NDArray[np.float64]

_FEW_CLASSES = 20  # for more, a transposed block costs more than it saves
_MIN_LOGIT = -80.0  # below the largest: denormal numbers would make each pass several times as long
_BLOCKS_PER_TASK = 4  # a thread sums an aligned subtree of this many blocks (a power of two)
_FEW_BLOCKS = 128  # with fewer, each block is a task, so that all threads finish at the same time


@dataclass(frozen=True)
class Sums:
    """Sums over some rows: cross-entropy (nats) and its gradient (n_pixels + 1, n_classes).

    The gradient is that of the unscaled pixels; its last row belongs to the biases.
    """

    cross_entropy: float
    gradient: Floats

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.cross_entropy + other.cross_entropy, self.gradient + other.gradient)


def tree_sum(items: Iterable[Any]) -> Any:
    """Sum of at least one item, in a binary tree over their positions.

    Works like a binary counter: two sums of 2^k items each become one of 2^(k+1). Items are added
    as they arrive, so that few are held at any time. An item may itself be the sum of an aligned
    run of 2^k items.
    """
    waiting: list[tuple[int, Any]] = []  # (number of items, their sum), the numbers decreasing
    for item in items:
        count = 1
        while waiting and waiting[-1][0] == count:
            item = waiting.pop()[1] + item
            count *= 2
        waiting.append((count, item))
    total = waiting.pop()[1]
    while waiting:
        total = waiting.pop()[1] + total
    return total


def log_probabilities_in_place(logits: NDArray[Any]) -> NDArray[Any]:
    """Turn logits (n_classes, n_images) into log-probabilities, and return the probabilities.

    Classes are the first axis because NumPy reduces over it several times as fast as over a short
    last one.
    """
    logits -= logits.max(axis=0)
    probabilities: NDArray[Any] = np.exp(logits)
    total = probabilities.sum(axis=0)
    logits -= np.log(total)
    probabilities /= total
    return probabilities


def check_finite(values: NDArray[Any]) -> None:
    """Raise TrainingError unless all these numbers, which are made of pixels, are finite."""
    if not np.isfinite(values).all():
        raise TrainingError("the pixels contain nan or infinite values: remove them")


@dataclass(frozen=True)
class Objective:
    """Weighted mean cross-entropy of `rows` + (l2/2)·‖W‖², as a function of the parameters.

    Parameters are a float64 array (n_pixels + 1, n_classes): the weights, which apply to pixels
    times `scale`, and in the last row the biases, which are not penalised. row_weights: one
    weight for each of `rows` (all 1 if None); run_tasks: a `map`, see `row_threads`.
    """

    rows: Rows
    n_classes: int
    l2: float
    scale: float = 1.0
    row_weights: Floats | None = None
    run_tasks: Callable[..., Iterator[Any]] = map

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the parameters: (n_pixels + 1, n_classes)."""
        return self.rows.n_pixels + 1, self.n_classes

    @cached_property
    def total_weight(self) -> float:
        """Sum of the row weights, by which the sums are divided."""
        return float(len(self.rows) if self.row_weights is None else self.row_weights.sum())

    def on_copies(self, chosen: NDArray[np.integer[Any]]) -> Objective:
        """The same objective on copies of some of the rows, numbered from 0."""
        where = self.rows.positions(chosen)
        rows = Rows(self.rows.matrix.copy_rows(where), self.rows.labels[where])
        weights = None if self.row_weights is None else self.row_weights[chosen]
        return replace(self, rows=rows, row_weights=weights)

    def __call__(self, parameters: Floats) -> tuple[float, Floats]:
        """Objective (nats) and gradient, of the parameters' shape."""
        weights = parameters[:-1]
        packed = np.empty(self.shape, self.rows.dtype)  # in C order, whatever the solver's
        packed[:-1] = weights * self.scale
        packed[-1] = parameters[-1]
        sums = self.rows.matrix.sum_over(self, packed)
        gradient = sums.gradient / self.total_weight
        gradient[:-1] *= self.scale
        gradient[:-1] += self.l2 * weights
        return sums.cross_entropy / self.total_weight + self.penalty(weights), gradient

    def penalty(self, weights: Floats) -> float:
        """(l2/2)·‖W‖²."""
        return 0.5 * self.l2 * float(np.vdot(weights, weights))

    def sums_at(self, parameters: NDArray[Any]) -> Sums:
        """The sums over all rows, in this process.

        parameters: in the rows' dtype, the weights times `scale`.
        """
        n_blocks = self.rows.n_blocks
        weights, biases = parameters[:-1], parameters[-1]
        few = self.n_classes <= _FEW_CLASSES
        given = np.asarray(weights, order="F" if few else "C") if weights.any() else None
        size = _BLOCKS_PER_TASK if n_blocks >= _FEW_BLOCKS else 1

        def task(first: int) -> Sums:
            numbers = range(first, min(first + size, n_blocks))
            with np.errstate(over="ignore", invalid="ignore"):  # the solver checks the value
                return tree_sum(self._block_sums(i, given, biases) for i in numbers)  # type: ignore[no-any-return]

        return tree_sum(self.run_tasks(task, range(0, n_blocks, size)))  # type: ignore[no-any-return]

    def _block_sums(self, number: int, weights: NDArray[Any] | None, biases: NDArray[Any]) -> Sums:
        """Sums of one block. weights: scaled, (n_pixels, n_classes), in the rows' dtype; None if
        all are 0, which saves a product."""
        block = self.rows.block(number)
        if block.start == block.stop:
            return Sums(0.0, np.zeros(self.shape))
        pixels, labels = self.rows.take(block)
        few, shape = self.n_classes <= _FEW_CLASSES, (len(labels), self.n_classes)
        if weights is None:
            logits = np.zeros(shape[::-1] if few else shape, pixels.dtype)
        else:
            logits = logits_of(pixels, weights) if few else pixels @ weights
        residuals, cross_entropies = (_few_residuals if few else _residuals)(logits, biases, labels)
        if self.row_weights is not None:
            row_weights = self.row_weights[block]
            cross_entropies *= row_weights
            row_weights = row_weights.astype(residuals.dtype)
            residuals *= row_weights if few else row_weights[:, np.newaxis]
        gradient = np.empty(self.shape)
        gradient[:-1] = gradient_of(pixels, residuals) if few else pixels.T @ residuals
        gradient[-1] = residuals.sum(axis=1 if few else 0, dtype=np.float64)
        return Sums(float(cross_entropies.sum()), gradient)


def _residuals(
    logits: NDArray[Any], biases: NDArray[Any], labels: NDArray[Any]
) -> tuple[NDArray[Any], Floats]:
    """p − y, (n, n_classes), and the cross-entropies (n,), in nats, of a block of logits
    (n, n_classes) without biases, which are overwritten."""
    images = np.arange(len(labels))
    logits += biases
    logits -= logits.max(axis=1, keepdims=True)
    picked = logits[images, labels].astype(np.float64)
    np.maximum(logits, logits.dtype.type(_MIN_LOGIT), out=logits)
    np.exp(logits, out=logits)
    total = logits.sum(axis=1)
    logits /= total[:, np.newaxis]
    logits[images, labels] -= 1
    return logits, np.log(total.astype(np.float64)) - picked


def _few_residuals(
    logits: NDArray[Any], biases: NDArray[Any], labels: NDArray[Any]
) -> tuple[NDArray[Any], Floats]:
    """As `_residuals`, but logits and p − y are (n_classes, n)."""
    logits += biases[:, np.newaxis]
    residuals = log_probabilities_in_place(logits)
    places = labels.astype(np.intp) * len(labels) + np.arange(len(labels))
    residuals.reshape(-1)[places] -= 1
    return residuals, -logits.reshape(-1)[places].astype(np.float64)
