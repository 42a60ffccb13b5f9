"""A trained model: layers, preprocessing and class names; the forward pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.layers import Layer, forward
from softmaxce.metrics.conformal import CalibrationScores
from softmaxce.preprocessing import Preprocessing

PIXEL_SCALE = 1.0 / 255.0
_BLOCK_ROWS = 256


@dataclass(frozen=True)
class SoftmaxModel:
    """Turns the pixels of an image into the logits of its classes.

    Hidden layers end in a ReLU; the last layer's outputs are the logits. Calibration divides the
    logits by a temperature, which is folded into the last layer, so that z = xW + b holds for the
    stored numbers; `temperature` records the divisor. The forward pass uses none of the rest:
    `training`, the record of the training run in JSON types; `calibration_scores`, from which
    prediction sets are computed (None without validation images); `trained_on`: (n,), ascending,
    half the digest of each training image, so that copies can be recognised (None if unknown).
    """

    layers: tuple[Layer, ...]
    preprocessing: Preprocessing
    class_names: tuple[str, ...]
    training: Mapping[str, Any] = field(default_factory=dict)
    temperature: float = 1.0
    calibration_scores: CalibrationScores | None = None
    trained_on: NDArray[np.uint64] | None = None

    @property
    def n_pixels(self) -> int:
        """Length of one image's pixel vector (height · width · channels)."""
        return int(self.layers[0].weights.shape[0])

    @property
    def n_classes(self) -> int:
        """Number of classes, and of logits."""
        return len(self.class_names)

    def logits(self, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Logits (n_images, n_classes) of pixel vectors (n_images, n_pixels), 0 … 255.

        Each row's result is the same bits whatever rows stand beside it: the product is taken
        row by row (a stack of vector-matrix products), because a matrix-matrix product may sum
        in another order for another number of rows.
        """
        logits = np.empty((len(pixels), self.n_classes))
        for start in range(0, len(pixels), _BLOCK_ROWS):
            block = slice(start, start + _BLOCK_ROWS)
            logits[block] = self._block_logits(pixels[block])
        return logits

    def with_temperature(self, temperature: float) -> SoftmaxModel:
        """This model with its logits divided by `temperature`.

        A temperature above 1 makes the probabilities more equal. None changes the most probable
        class.
        """
        *hidden, last = self.layers
        cooler = Layer(last.weights / temperature, last.biases / temperature)
        return replace(self, layers=(*hidden, cooler), temperature=self.temperature * temperature)

    def _block_logits(self, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
        values: NDArray[np.float64] = np.multiply(pixels, PIXEL_SCALE, dtype=np.float64)
        return np.asarray(forward(self.layers, values[:, np.newaxis, :])[:, 0, :])
