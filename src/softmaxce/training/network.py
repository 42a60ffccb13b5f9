"""Hidden layers: forward, and back-propagation of the mean cross-entropy over a batch of rows.

Layers are affine; hidden ones end in a ReLU. All parameters lie in one flat float32 vector.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.training.objective import (
    Floats,
    Rows,
    block_rows,
    log_probabilities_in_place,
)

Vector = NDArray[np.float32]
Layers = list[tuple[Vector, Vector]]

_PARTS = 2  # that a batch's work is cut into: a fixed number, so that the threads change nothing


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
    _memory: _Memory = field(default_factory=lambda: _Memory(), repr=False)

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
        parameters = np.zeros(sum((a + 1) * b for a, b in self._shapes), np.float32)
        for weights, _ in self.layers(parameters):
            weights[:] = rng.standard_normal(weights.shape, np.float32)
            weights *= np.sqrt(2 / len(weights), dtype=np.float32)
        return parameters

    @cached_property
    def _shapes(self) -> list[tuple[int, int]]:
        return list(zip(self.widths[:-1], self.widths[1:], strict=True))

    def layers(self, flat: Vector) -> Layers:
        """(weights (n_inputs, n_outputs), biases (n_outputs,)) of each layer: views into flat."""
        views = []
        for (n_inputs, n_outputs), place in zip(self._shapes, self._places, strict=True):
            middle = place.start + n_inputs * n_outputs
            weights = flat[place.start : middle].reshape(n_inputs, n_outputs)
            views.append((weights, flat[middle : place.stop]))
        return views

    @cached_property
    def _places(self) -> list[slice]:
        """Where each layer's weights, and behind them its biases, lie in the flat vector."""
        sizes = [(n_inputs + 1) * n_outputs for n_inputs, n_outputs in self._shapes]
        return [slice(*edge) for edge in pairwise(accumulate(sizes, initial=0))]

    def loss_and_gradient(
        self,
        flat: Vector,
        batch: NDArray[np.intp],
        use: Callable[[slice, Vector], None] = lambda *_: None,
    ) -> tuple[float, Vector]:
        """Mean cross-entropy of the rows numbered in `batch` (nats), and the gradient of the
        objective estimated on them, which lies in memory that the next call uses again.

        use(part, gradient) is called for each part of the parameters as soon as its gradient is
        known and nothing else needs the parameters there, in the thread that has it at hand.

        The large products are shared out: forward by rows, the slopes by inputs, so that none
        has to be added to another. Between them one thread does what is small, for threads that
        take turns at many small things spend their time waiting for each other.
        """
        layers, values = self.layers(flat), self._memory.values(self.widths, len(batch))

        def forward_part(part: slice) -> None:
            pixels = self.rows.pixels[self._where(batch[part])]
            with np.errstate(over="ignore", invalid="ignore"):  # the solver judges the loss
                # In float32 whatever the pixels are: old NumPy would take float16 for bytes.
                np.multiply(pixels, self.scale, values[0][part], dtype=np.float32, casting="unsafe")
                _forward(layers, [outputs[part] for outputs in values])

        list(self.run_tasks(forward_part, _parts(len(batch))))
        loss, residuals = self._back_propagate(layers, values, batch)
        gradient, scratch = self._memory.vectors(flat.size)
        slopes, penalties = self.layers(gradient), self.layers(scratch)
        places = self._places

        def slope_part(number: int) -> None:
            for at, (weights, _) in enumerate(layers):
                part = _parts(len(weights))[number]
                slope, penalty = slopes[at][0][part], penalties[at][0][part]
                np.matmul(values[at][:, part].T, residuals[at], out=slope)
                slope += np.multiply(weights[part], np.float32(self.l2), out=penalty)
                first, width = places[at].start, weights.shape[1]
                here = slice(first + part.start * width, first + part.stop * width)
                use(here, gradient[here])

        list(self.run_tasks(slope_part, range(_PARTS)))
        for (weights, bias_slope), residual, place in zip(slopes, residuals, places, strict=True):
            np.sum(residual, axis=0, out=bias_slope)
            biases = slice(place.start + weights.size, place.stop)
            use(biases, gradient[biases])
        return loss, gradient

    def _back_propagate(
        self, layers: Layers, values: list[Vector], batch: NDArray[np.intp]
    ) -> tuple[float, list[Vector]]:
        """The mean cross-entropy of the batch, and its gradient with respect to the outputs of
        each layer before the ReLU, (n, n_outputs)."""
        share = 1 / len(batch)
        losses, residual = _losses_and_residuals(values[-1], self.rows.labels[self._where(batch)])
        if self.row_weights is not None:
            row_weights = (self.row_weights[batch] / self.mean_weight).astype(np.float32)
            losses *= row_weights
            residual *= row_weights[:, np.newaxis]
        residual *= np.float32(share)
        residuals = [residual]
        for (weights, _), outputs in zip(layers[:0:-1], values[-2:0:-1], strict=True):
            residual = np.matmul(residual, weights.T)
            residual *= outputs > 0
            residuals.insert(0, residual)
        return float(losses.sum(dtype=np.float64)) * share, residuals

    def _where(self, part: NDArray[np.intp]) -> NDArray[np.integer[Any]]:
        """Where the rows numbered in `part` stand in the pixel matrix."""
        return part if self.rows.index is None else self.rows.index[part]

    def whole(self, flat: Vector) -> tuple[float, Floats]:
        """Mean cross-entropy of all rows (nats), and the objective's gradient over them."""
        n, size = len(self.rows), block_rows(self.rows.n_pixels)
        total, slope = 0.0, np.zeros(flat.size)
        for start in range(0, n, size):
            block = np.arange(start, min(start + size, n))
            loss, gradient = self.loss_and_gradient(flat, block)
            total += loss * len(block) / n
            slope += gradient * (len(block) / n)
        return total, slope

    def cross_entropy(self, flat: Vector, rows: Rows) -> float:
        """Mean cross-entropy of any labelled rows, unweighted, in nats per image."""
        layers, size = self.layers(flat), block_rows(rows.n_pixels)

        def leaf(start: int) -> float:
            pixels, labels = rows.take(slice(start, start + size))
            pixels *= pixels.dtype.type(self.scale)
            values = [np.empty((len(pixels), width), np.float32) for width in self.widths[1:]]
            _forward(layers, [pixels.astype(np.float32, copy=False), *values])
            losses, _ = _losses_and_residuals(values[-1], labels)
            return float(losses.sum(dtype=np.float64))

        return float(sum(self.run_tasks(leaf, range(0, len(rows), size)))) / len(rows)


class _Memory:
    """Arrays that are used again and again: to ask for them anew for each batch would cost as
    much as a matrix product, since the system clears what it gives."""

    def __init__(self) -> None:
        self._values: list[Vector] = []
        self._vectors: tuple[Vector, Vector] | None = None

    def values(self, widths: tuple[int, ...], n: int) -> list[Vector]:
        """For the pixels, each layer's outputs and the logits of n rows: (n, width) of each."""
        if not self._values or len(self._values[0]) < n:
            self._values = [np.empty((n, width), np.float32) for width in widths]
        return [values[:n] for values in self._values]

    def vectors(self, size: int) -> tuple[Vector, Vector]:
        """Two vectors of this size."""
        if self._vectors is None:
            self._vectors = np.empty(size, np.float32), np.empty(size, np.float32)
        return self._vectors


def _parts(n: int) -> list[slice]:
    """_PARTS slices of 0 … n, which a task each works on."""
    edges = [n * number // _PARTS for number in range(_PARTS + 1)]
    return [slice(*edge) for edge in pairwise(edges)]


def _forward(layers: Layers, values: list[Vector]) -> None:
    """From the pixels, values[0] (n, n_pixels), fill in each hidden layer's outputs after its
    ReLU, and in values[-1] the logits."""
    for position, (weights, biases) in enumerate(layers):
        outputs = np.matmul(values[position], weights, out=values[position + 1])
        outputs += biases
        if position < len(layers) - 1:
            np.maximum(outputs, 0, out=outputs)


def _losses_and_residuals(logits: Vector, labels: NDArray[Any]) -> tuple[Vector, Vector]:
    """Cross-entropy of each image (n,), and probabilities − one-hot labels (n, n_classes)."""
    log_p = np.ascontiguousarray(logits.T)
    residuals = log_probabilities_in_place(log_p)
    images = np.arange(len(labels))
    residuals[labels, images] -= 1
    return -log_p[labels, images], np.ascontiguousarray(residuals.T)
