"""Affine layers and the forward pass through them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Layer(NamedTuple):
    """One affine layer. weights: (n_inputs, n_outputs); biases: (n_outputs,)."""

    weights: NDArray[Any]
    biases: NDArray[Any]


def forward(
    layers: Sequence[Layer],
    values: NDArray[Any],
    outputs: Sequence[NDArray[Any]] | None = None,
) -> NDArray[Any]:
    """Logits (..., n_classes) of inputs (..., n_inputs). A ReLU follows each hidden layer.

    outputs: one array for each layer, overwritten with what the layer passes on: (..., n_outputs),
    after the ReLU. New arrays are allocated if it is None.
    """
    for position, (weights, biases) in enumerate(layers):
        values = np.matmul(values, weights, out=None if outputs is None else outputs[position])
        values += biases
        if position < len(layers) - 1:
            np.maximum(values, 0, out=values)
    return values
