"""Hidden layers: forward, and back-propagation of the mean cross-entropy over a batch of rows.

Layers are affine; hidden ones end in a ReLU. All parameters lie in one flat float32 vector.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.objective.mean_cross_entropy import (
    Floats,
    Rows,
    leaf_rows,
    log_probabilities_in_place,
)

Vector = NDArray[np.float32]
Layers = list[tuple[Vector, Vector]]

_PARTS = 2  # of a batch: a fixed number, so that the sum does not depend on the threads


@dataclass(frozen=True)
class Network:
    """A classifier of `rows` with hidden layers of these widths.

    The objective is the weighted mean cross-entropy plus (l2/2)·‖W‖² over all layers' weights,
    which apply to pixels times `scale`. row_weights: one weight for each of `rows`.
    """

    rows: Rows
    n_classes: int
    hidden: tuple[int, ...]
    l2: float
    scale: float
    row_weights: Floats | None = None
    run_tasks: Callable[..., Iterator[Any]] = field(default=map, repr=False)

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """Pixels, hidden units of each layer, classes."""
        return (self.rows.n_pixels, *self.hidden, self.n_classes)

    @cached_property
    def mean_weight(self) -> float:
        """Mean of the row weights: what makes weights of any scale average to 1."""
        return 1.0 if self.row_weights is None else float(self.row_weights.mean())

    def start(self, rng: np.random.Generator) -> Vector:
        """Random parameters: weights of variance 2/n_inputs (He et al. 2015), biases 0."""
        parameters = np.zeros(sum((a + 1) * b for a, b in self._shapes()), np.float32)
        for weights, _ in self.layers(parameters):
            weights[:] = rng.standard_normal(weights.shape, np.float32)
            weights *= np.sqrt(2 / len(weights), dtype=np.float32)
        return parameters

    def _shapes(self) -> list[tuple[int, int]]:
        return list(zip(self.widths[:-1], self.widths[1:], strict=True))

    def layers(self, flat: Vector) -> Layers:
        """(weights (n_inputs, n_outputs), biases (n_outputs,)) of each layer: views into flat."""
        views, at = [], 0
        for n_inputs, n_outputs in self._shapes():
            middle, end = at + n_inputs * n_outputs, at + (n_inputs + 1) * n_outputs
            views.append((flat[at:middle].reshape(n_inputs, n_outputs), flat[middle:end]))
            at = end
        return views

    def loss_and_gradient(self, flat: Vector, batch: NDArray[np.intp]) -> tuple[float, Vector]:
        """Mean cross-entropy of the rows numbered in `batch` (nats), and the gradient of the
        objective estimated on them."""
        layers = self.layers(flat)
        parts = np.array_split(batch, _PARTS)
        share = 1 / len(batch)

        def back_propagate(part: NDArray[np.intp]) -> tuple[float, Vector]:
            with np.errstate(over="ignore", invalid="ignore"):  # the solver judges the loss
                return self._back_propagate(layers, part, share)

        sums = list(self.run_tasks(back_propagate, parts))
        loss, gradient = sums[0]
        for other_loss, other in sums[1:]:
            loss += other_loss
            gradient += other
        return loss * share, gradient

    def _back_propagate(
        self, layers: Layers, part: NDArray[np.intp], share: float
    ) -> tuple[float, Vector]:
        """A part of a batch: the sum of its cross-entropies, and what it adds to the gradient of
        the objective, `share` being the weight of one row."""
        pixels, labels = self._scaled(self.rows, part)
        outputs = forward(layers, pixels)
        losses, residuals = _losses_and_residuals(outputs.pop(), labels)
        if self.row_weights is not None:
            row_weights = (self.row_weights[part] / self.mean_weight).astype(np.float32)
            losses *= row_weights
            residuals *= row_weights[:, np.newaxis]
        residuals *= np.float32(share)
        gradient = np.empty(sum((a + 1) * b for a, b in self._shapes()), np.float32)
        slopes = self.layers(gradient)
        for (weights, _), (slope, bias_slope) in zip(
            reversed(layers), reversed(slopes), strict=True
        ):
            inputs = outputs.pop()
            np.matmul(inputs.T, residuals, out=slope)
            slope += weights * np.float32(self.l2 / _PARTS)
            np.sum(residuals, axis=0, out=bias_slope)
            if outputs:
                residuals = np.matmul(residuals, weights.T)
                residuals *= inputs > 0
        return float(losses.sum(dtype=np.float64)), gradient

    def _scaled(self, rows: Rows, part: Any) -> tuple[Vector, NDArray[Any]]:
        pixels, labels = rows.take(part)
        pixels *= pixels.dtype.type(self.scale)
        return pixels.astype(np.float32, copy=False), labels

    def whole(self, flat: Vector) -> tuple[float, Floats]:
        """Mean cross-entropy of all rows (nats), and the objective's gradient over them."""
        n, size = len(self.rows), leaf_rows(self.rows.n_pixels)
        total, slope = 0.0, np.zeros(flat.size)
        for start in range(0, n, size):
            block = np.arange(start, min(start + size, n))
            loss, gradient = self.loss_and_gradient(flat, block)
            total += loss * len(block) / n
            slope += gradient * (len(block) / n)
        return total, slope

    def cross_entropy(self, flat: Vector, rows: Rows) -> float:
        """Mean cross-entropy of any labelled rows, unweighted, in nats per image."""
        layers, size = self.layers(flat), leaf_rows(rows.n_pixels)

        def leaf(start: int) -> float:
            pixels, labels = self._scaled(rows, slice(start, start + size))
            losses, _ = _losses_and_residuals(forward(layers, pixels).pop(), labels)
            return float(losses.sum(dtype=np.float64))

        return float(sum(self.run_tasks(leaf, range(0, len(rows), size)))) / len(rows)


def forward(layers: Layers, pixels: Vector) -> list[Vector]:
    """The pixels, each hidden layer's outputs after its ReLU, and the logits."""
    outputs = [pixels]
    for position, (weights, biases) in enumerate(layers):
        values = outputs[-1] @ weights
        values += biases
        if position < len(layers) - 1:
            np.maximum(values, 0, out=values)
        outputs.append(values)
    return outputs


def _losses_and_residuals(logits: Vector, labels: NDArray[Any]) -> tuple[Vector, Vector]:
    """Cross-entropy of each image (n,), and probabilities − one-hot labels (n, n_classes)."""
    log_p = np.ascontiguousarray(logits.T)
    residuals = log_probabilities_in_place(log_p)
    images = np.arange(len(labels))
    residuals[labels, images] -= 1
    return -log_p[labels, images], np.ascontiguousarray(residuals.T)
