"""What a model sees of an image, or instead of one, and what each of its values adds to a logit.

For a linear model the contributions of the inputs and the bias sum to the logit, exactly. With
hidden layers an input's contribution is gradient × input, which holds while the same hidden nodes
stay active.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from softmaxce.lesson.example import Example
from softmaxce.lesson.numbers import logits
from softmaxce.model.softmax_model import SoftmaxModel, scale_of

Floats = NDArray[np.float64]


class ModelInputs:
    """The inputs (n_inputs,) of a model's first layer: bytes, or features as floats."""

    source: ClassVar[str]  # as in Example
    model: SoftmaxModel
    inputs: Any

    @cached_property
    def values(self) -> Floats:
        """The inputs as the first layer multiplies them, bytes scaled to 0 … 1: (n_inputs,)."""
        return np.asarray(np.multiply(self.inputs, scale_of(self.inputs), dtype=np.float64))

    @cached_property
    def logits(self) -> Floats:
        """The model's own forward pass: (n_classes,)."""
        return self.model.logits_of(self.inputs[np.newaxis, :]).reshape(-1)

    @cached_property
    def _active(self) -> list[NDArray[np.bool_]]:
        """The nodes that the ReLU lets through, for each hidden layer."""
        active, values = [], self.values
        for layer in self.model.layers[:-1]:
            values = values @ layer.weights + layer.biases
            active.append(values > 0.0)
            values = np.maximum(values, 0.0)
        return active

    def slopes(self, k: int) -> tuple[Floats, float]:
        """How logit k changes with each scaled input (n_inputs,), and what the biases add to it.

        Back-propagation through the active nodes; for a linear model, column k and bias k.
        """
        *hidden, last = self.model.layers
        slope, rest = last.weights[:, k], float(last.biases[k])
        for layer, active in zip(reversed(hidden), reversed(self._active), strict=True):
            slope = np.where(active, slope, 0.0)
            rest += float(slope @ layer.biases)
            slope = layer.weights @ slope
        return slope, rest

    def contributions(self, k: int) -> Floats:
        """What each input adds to logit k: (n_inputs,). With the biases they sum to the logit."""
        return self.slopes(k)[0] * self.values


def sums_of_contributions(row: ModelInputs, example: Example) -> dict[str, Any]:
    """sums: Σ contributions of the inputs, and biases: what the biases add, for each class."""
    sums, rests = [], []
    for k in range(example.n_classes):
        slope, rest = row.slopes(k)
        sums.append(math.fsum((slope * row.values).tolist()))
        rests.append(rest)
    n_layers = len(row.model.layers)
    return {
        **logits(example),
        **example.named("winner", "winner_logit"),
        "n_layers": n_layers,
        "linear": n_layers == 1,
        "hidden": n_layers > 1,
        "sums": sums,
        "biases": rests,
        "sums_and_biases": [total + rest for total, rest in zip(sums, rests, strict=True)],
        "winner_sum": sums[example.winner],
        "winner_bias": rests[example.winner],
        "winner_sum_and_bias": sums[example.winner] + rests[example.winner],
    }


def largest(contributions: Floats, n: int) -> list[int]:
    """Where the n contributions with the largest absolute values are."""
    order: list[int] = np.argsort(-np.abs(contributions), kind="stable")[:n].tolist()
    return order
