"""A trained model: layers, preprocessing and class names; the forward pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.class_choice import ALL_CLASSES, ClassChoice
from softmaxce.errors import InputError
from softmaxce.layers import Layer, forward
from softmaxce.metrics.conformal import CalibrationScores
from softmaxce.networks.features import NetworkFeatures
from softmaxce.numerics import refuse_masked
from softmaxce.patches import PatchFeatures
from softmaxce.preprocessing import FeatureVectors, Form

PIXEL_SCALE = 1.0 / 255.0
Features = PatchFeatures | NetworkFeatures
_BLOCK_ROWS = 32  # nearly as fast as larger blocks, and little work for a single image


def scale_of(inputs: Any) -> float:
    """What a model's inputs are multiplied by: bytes go from 0 to 255, floats are used as given."""
    return PIXEL_SCALE if inputs.dtype == np.uint8 else 1.0


@dataclass(frozen=True)
class SoftmaxModel:
    """Turns the pixels of an image into the logits of its classes.

    The inputs of the first layer are the pixels, or their patch features if there are `patches`, or
    the output of a pretrained `network`; or features that another program computed, if
    `preprocessing` is a FeatureVectors.
    Hidden layers end in a ReLU; the last layer's outputs are the logits. Calibration divides the
    logits by a temperature, which is folded into the last layer, so that z = xW + b holds for the
    stored numbers; `temperature` records the divisor. The forward pass uses none of the rest:
    `training`, the record of the training run in JSON types; `calibration_scores`, from which
    prediction sets are computed (None without validation images); `trained_on`: (n,), ascending,
    half the digest of each training image, so that copies can be recognised (None if unknown);
    `class_choice`: which classes were used, and which were merged.
    """

    layers: tuple[Layer, ...]
    preprocessing: Form
    class_names: tuple[str, ...]
    training: Mapping[str, Any] = field(default_factory=dict)
    temperature: float = 1.0
    calibration_scores: CalibrationScores | None = None
    trained_on: NDArray[np.uint64] | None = None
    patches: PatchFeatures | None = None
    class_choice: ClassChoice = ALL_CLASSES
    network: NetworkFeatures | None = None

    @property
    def features(self) -> Features | None:
        """What computes the first layer's inputs from the pixels; None if these are the inputs."""
        return self.network or self.patches

    @property
    def n_pixels(self) -> int:
        """Length of one image's pixel vector (height · width · channels)."""
        return self.preprocessing.images.n_pixels

    @property
    def n_inputs(self) -> int:
        """Length of the first layer's input vector."""
        return int(self.layers[0].weights.shape[0])

    @property
    def n_classes(self) -> int:
        """Number of classes, and of logits."""
        return len(self.class_names)

    def logits(self, pixels: NDArray[Any]) -> NDArray[np.float64]:
        """Logits (n_images, n_classes) of pixel vectors (n_images, n_pixels), uint8, 0 … 255; or of
        features (n_rows, n_features), floats, if the model was trained on such.

        Raises InputError for an array of another shape or type.
        """
        return self.logits_of(self.inputs(pixels))

    def inputs(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """The first layer's inputs (n_images, n_inputs) for pixel vectors, as in `logits`."""
        refuse_masked(pixels)
        pixels = np.asarray(pixels)
        if isinstance(self.preprocessing, FeatureVectors):
            if pixels.dtype.kind != "f" or pixels.shape[1:] != (self.n_inputs,):
                raise InputError(
                    f"features must be an array of floats of shape (n_rows, {self.n_inputs}); "
                    f"these are {pixels.dtype}, {pixels.shape}"
                )
            return pixels
        if pixels.dtype != np.uint8 or pixels.shape[1:] != (self.n_pixels,):
            raise InputError(
                f"pixels must be a uint8 array of shape (n_images, {self.n_pixels}) with values "
                f"0 … 255, which the model scales itself; these are {pixels.dtype}, {pixels.shape}"
            )
        return pixels if self.features is None else self.features.of(pixels)

    def logits_of(self, inputs: NDArray[Any]) -> NDArray[np.float64]:
        """Logits (n_images, n_classes) of inputs (n_images, n_inputs).

        An image gets the same bits whatever other images are computed with it, and wherever it is
        among them: every matrix product has the same shape, of as many rows, the last ones padded
        with zeros. BLAS chooses the order of its sums by the shape.
        """
        logits = np.empty((len(inputs), self.n_classes))
        values = np.zeros((_BLOCK_ROWS, self.n_inputs))
        for start in range(0, len(inputs), _BLOCK_ROWS):
            block = inputs[start : start + _BLOCK_ROWS]
            np.multiply(block, scale_of(block), out=values[: len(block)])
            values[len(block) :] = 0.0
            logits[start : start + len(block)] = forward(self.layers, values)[: len(block)]
        return logits

    def with_temperature(self, temperature: float) -> SoftmaxModel:
        """This model with its logits divided by `temperature`.

        A temperature above 1 makes the probabilities more equal. None changes the most probable
        class. Raises InputError for a temperature that is not positive and finite.
        """
        if not 0 < temperature < np.inf:
            raise InputError(f"temperature must be a positive number, not {temperature}")
        *hidden, last = self.layers
        cooler = Layer(last.weights / temperature, last.biases / temperature)
        return replace(self, layers=(*hidden, cooler), temperature=self.temperature * temperature)
