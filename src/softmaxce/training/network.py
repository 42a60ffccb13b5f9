"""Hidden layers: back-propagation of the mean cross-entropy over a batch of rows.

All parameters are in one flat float32 vector: for each layer its weights, then its biases.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.layers import Layer, forward
from softmaxce.training.mini_batch import BATCH_ROWS, LEARNING_RATE, MIN_BATCHES, ApplyUpdate
from softmaxce.training.objective import Floats, Objective, log_probabilities_in_place
from softmaxce.training.rows import block_rows
from softmaxce.training.spread import Spread

Vector = NDArray[np.float32]

DEVIATION = (
    0.25  # of standardized pixels over all: with 1, networks end with 8 % more loss on MNIST
)
_MAX_DEVIATION = 4  # times the typical one
_PARTS = 2  # tasks of a large batch: fixed, so that the result does not depend on the threads
_SMALL = 1 << 20  # multiplications, for fewer of which waking a thread takes longer than they do


@dataclass(frozen=True)
class Network:
    """A classifier with hidden ReLU layers of these widths, and its objective.

    The objective is that of softmax regression, with the penalty on all layers' weights. The first
    layer's weights apply to standardized pixels: pixels · factors − shift.
    """

    problem: Objective
    hidden: tuple[int, ...]
    spread: Spread

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """Number of pixels, of hidden units in each layer, and of classes."""
        return (self.problem.rows.n_pixels, *self.hidden, self.problem.n_classes)

    @cached_property
    def _places(self) -> list[slice]:
        """Where each layer is in the flat vector."""
        sizes = [(n_inputs + 1) * n_outputs for n_inputs, n_outputs in pairwise(self.widths)]
        return [slice(*edge) for edge in pairwise(accumulate(sizes, initial=0))]

    @cached_property
    def _normalized_weights(self) -> Vector | None:
        """The row weights, divided by their mean."""
        weights = self.problem.row_weights
        return None if weights is None else (weights / weights.mean()).astype(np.float32)

    @property
    def learning_rate(self) -> float:
        """Adam's rate: 0.001, and up to 20 times that if both the inputs and the rows are few.

        Adam changes every weight by about the rate, and so a unit's output by up to the rate times
        the number of inputs. Few rows make few batches, which must move the parameters further.
        """
        has_few_rows = len(self.problem.rows) < BATCH_ROWS * MIN_BATCHES
        return float(np.clip(0.2 / self.widths[0], 1e-3, 0.02)) if has_few_rows else LEARNING_RATE

    # Arrays that are used again: allocating new ones for each batch would cost as much as a matrix
    # product, because the system clears the memory that it hands out.

    @cached_property
    def _values(self) -> list[Vector]:
        """Arrays (n, width) for the pixels, the outputs of each hidden layer and the logits."""
        n = max(BATCH_ROWS, block_rows(self.problem.rows.n_pixels))
        return [np.empty((n, width), np.float32) for width in self.widths]

    @cached_property
    def _vectors(self) -> list[Vector]:
        """Two vectors of the parameters' shape."""
        return [np.empty(self._places[-1].stop, np.float32) for _ in range(2)]

    def start(self, rng: np.random.Generator) -> Vector:
        """Random parameters: weights of variance 2/n_inputs (He et al. 2015), biases 0."""
        parameters = np.zeros(self._places[-1].stop, np.float32)
        for weights, _ in self.layers(parameters):
            weights[:] = rng.standard_normal(weights.shape, np.float32)
            weights *= np.sqrt(2 / len(weights), dtype=np.float32)
        return parameters

    @cached_property
    def _factors_and_shift(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """What standardizes the pixels, in the type of the arithmetic, each (n_pixels,).

        All have one factor, as what varies less is often noise; only features of another magnitude
        are reduced to _MAX_DEVIATION.
        """
        deviations, dtype = self.spread.deviations, self.problem.rows.dtype
        capped = np.minimum(deviations, _MAX_DEVIATION * self.spread.typical)
        overall = float(np.sqrt(np.mean(capped**2))) or self.spread.overall
        shares = np.divide(capped, deviations, out=np.ones_like(capped), where=deviations > 0)
        factors = DEVIATION / overall * shares
        return factors.astype(dtype), (self.spread.centre * factors).astype(dtype)

    def _standardize(self, pixels: NDArray[Any], out: NDArray[Any]) -> None:
        """Write standardized pixels to `out`."""
        factors, shift = self._factors_and_shift
        values = out if out.dtype == factors.dtype else np.empty(pixels.shape, factors.dtype)
        # In the type of the arithmetic: old NumPy would choose float16 for uint8.
        np.multiply(pixels, factors, values, dtype=factors.dtype, casting="unsafe")
        values -= shift
        if values is not out:
            out[:] = values

    def layers_for_pixels(self, flat: Vector) -> tuple[Layer, ...]:
        """The layers in float64, where the first ones apply to pixels as they are."""
        first, *others = (
            Layer(w.astype(np.float64), b.astype(np.float64)) for w, b in self.layers(flat)
        )
        factors, shift = (values.astype(np.float64) for values in self._factors_and_shift)
        biases = first.biases - shift @ first.weights
        return Layer(first.weights * factors[:, np.newaxis], biases), *others

    def layers(self, flat: Vector) -> list[Layer]:
        """The layers, as views into the flat vector."""
        tables = [
            flat[place].reshape(-1, width)
            for place, width in zip(self._places, self.widths[1:], strict=True)
        ]
        return [Layer(table[:-1], table[-1]) for table in tables]

    def batch_loss(self, flat: Vector, batch: NDArray[np.intp], apply_update: ApplyUpdate) -> float:
        """Mean cross-entropy of the rows numbered in `batch` (nats).

        The gradient goes to `apply_update(part, gradient)`, see BatchLoss: called for one part of
        the parameters after another, from several threads.

        The forward products are split by rows and the gradients by inputs, so that no partial sums
        have to be added. The small products in between run in one thread, because handing them
        over would take longer than computing them.
        """
        layers, values = self.layers(flat), [array[: len(batch)] for array in self._values]

        def forward_part(part: slice) -> None:
            pixels = self.problem.rows.matrix[self.problem.rows.positions(batch[part])]
            with np.errstate(over="ignore", invalid="ignore"):  # the solver checks the loss
                self._standardize(pixels, values[0][part])
                forward(layers, values[0][part], [outputs[part] for outputs in values[1:]])

        n_parts = 1 if len(batch) * flat.size < _SMALL else _PARTS
        run_tasks = map if n_parts == 1 else self.problem.run_tasks
        list(run_tasks(forward_part, _parts(len(batch), n_parts)))
        loss, residuals = self._back_propagate(layers, values, batch)
        gradient, scratch = self._vectors
        gradients, penalties, places = self.layers(gradient), self.layers(scratch), self._places

        def gradient_part(number: int) -> None:
            for at, (weights, _) in enumerate(layers):
                part = _parts(len(weights), n_parts)[number]
                derivative, penalty = gradients[at].weights[part], penalties[at].weights[part]
                np.matmul(values[at][:, part].T, residuals[at], out=derivative)
                derivative += np.multiply(weights[part], np.float32(self.problem.l2), out=penalty)
                first, width = places[at].start, weights.shape[1]
                here = slice(first + part.start * width, first + part.stop * width)
                apply_update(here, gradient[here])

        list(run_tasks(gradient_part, range(n_parts)))
        for layer, residual, place in zip(gradients, residuals, places, strict=True):
            np.sum(residual, axis=0, out=layer.biases)
            biases = slice(place.start + layer.weights.size, place.stop)
            apply_update(biases, gradient[biases])
        return loss

    def _back_propagate(
        self, layers: list[Layer], values: list[Vector], batch: NDArray[np.intp]
    ) -> tuple[float, list[Vector]]:
        """The mean cross-entropy of the batch, and its gradient with respect to the outputs of
        each layer before the ReLU, (n, n_outputs)."""
        share = 1 / len(batch)
        labels = self.problem.rows.labels[self.problem.rows.positions(batch)]
        losses, residual = _losses_and_residuals(values[-1], labels)
        if self._normalized_weights is not None:
            losses *= self._normalized_weights[batch]
            residual *= self._normalized_weights[batch, np.newaxis]
        residual *= np.float32(share)
        residuals = [residual]
        for (weights, _), outputs in zip(layers[:0:-1], values[-2:0:-1], strict=True):
            residual = np.matmul(residual, weights.T)
            residual *= outputs > 0
            residuals.insert(0, residual)
        return float(losses.sum(dtype=np.float64)) * share, residuals

    def full_loss_and_gradient(self, flat: Vector) -> tuple[float, Floats]:
        """Mean cross-entropy of all rows (nats), and the objective's gradient over them."""
        n, size = len(self.problem.rows), block_rows(self.problem.rows.n_pixels)
        total_loss, total_gradient = 0.0, np.zeros(flat.size)

        def add(part: slice, gradient: Vector) -> None:
            total_gradient[part] += gradient * (len(block) / n)

        for start in range(0, n, size):
            block = np.arange(start, min(start + size, n))
            total_loss += self.batch_loss(flat, block, add) * len(block) / n
        return total_loss, total_gradient

    def cross_entropy(self, flat: Vector, evaluated: Objective) -> float:
        """Weighted mean cross-entropy of any labelled rows, in nats per image."""
        layers, rows = self.layers(flat), evaluated.rows
        size = block_rows(rows.n_pixels)

        def loss_sum(start: int) -> float:
            block = slice(start, start + size)
            pixels, labels = rows.take_into_buffer(block)
            with np.errstate(over="ignore", invalid="ignore"):  # the solver checks the loss
                self._standardize(pixels, pixels)
                logits = forward(layers, pixels.astype(np.float32, copy=False))
                losses, _ = _losses_and_residuals(logits, labels)
            weights = evaluated.row_weights
            weighted = losses if weights is None else losses * weights[block]
            return float(weighted.sum(dtype=np.float64))

        sums = self.problem.run_tasks(loss_sum, range(0, len(rows), size))
        return float(sum(sums)) / evaluated.total_weight


def _parts(n: int, n_parts: int) -> list[slice]:
    """Slices of 0 … n, one for each task."""
    edges = [n * number // n_parts for number in range(n_parts + 1)]
    return [slice(*edge) for edge in pairwise(edges)]


def _losses_and_residuals(logits: Vector, labels: NDArray[Any]) -> tuple[Vector, Vector]:
    """Cross-entropy of each image (n,), and probabilities − one-hot labels (n, n_classes)."""
    log_p = np.ascontiguousarray(logits.T)
    residuals = log_probabilities_in_place(log_p)
    images = np.arange(len(labels))
    residuals[labels, images] -= 1
    return -log_p[labels, images], np.ascontiguousarray(residuals.T)
