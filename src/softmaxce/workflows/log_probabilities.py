"""What a model predicts for the rows of a matrix of inputs, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.errors import ModelError
from softmaxce.layers import Layer, forward
from softmaxce.model.softmax_model import SoftmaxModel, scale_of
from softmaxce.numerics import log_softmax
from softmaxce.training.rows import PixelMatrix, as_pixel_matrix

_BLOCK_ROWS = 4096
Inputs = NDArray[Any] | PixelMatrix


def threshold_for(model: SoftmaxModel, model_path: str | PathLike[str], coverage: float) -> float:
    """The largest cross-entropy, in nats, of a class in a prediction set of this coverage.

    Raises ModelError if the model was trained without validation images.
    """
    if model.calibration_scores is None:
        raise ModelError(
            f"no coverage: {model_path}: it was trained without validation images, from which "
            "prediction sets are computed; train it again with --validation above 0"
        )
    return model.calibration_scores.threshold(coverage)


def logits_in_blocks(
    model: SoftmaxModel, inputs: Inputs, rows: NDArray[np.int64] | None = None
) -> Iterator[NDArray[np.float64]]:
    """The logits of these rows of the inputs (all if None), in blocks (n, n_classes)."""
    chosen = np.arange(len(inputs)) if rows is None else rows
    yield from as_pixel_matrix(inputs).map(_logits, chosen, chosen, model)


def logits_of_layers(
    layers: Sequence[Layer], inputs: NDArray[Any], rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The logits (n_rows, n_classes) of these rows by layers that are not part of a model."""
    blocks = (rows[start : start + _BLOCK_ROWS] for start in range(0, len(rows), _BLOCK_ROWS))
    return np.concatenate([forward(layers, inputs[block] * scale_of(inputs)) for block in blocks])


def log_probabilities(
    model: SoftmaxModel, inputs: Inputs, rows: NDArray[np.int64] | None = None
) -> Iterator[NDArray[np.float64]]:
    """The log-probabilities of these rows (all if None), in blocks (n, n_classes)."""
    for logits in logits_in_blocks(model, inputs, rows):
        yield log_softmax(logits, axis=1)


def _logits(
    inputs: NDArray[Any], _labels: NDArray[np.int64], model: SoftmaxModel
) -> NDArray[np.float64]:
    return model.logits_of(inputs)
