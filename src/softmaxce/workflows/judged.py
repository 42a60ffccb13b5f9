"""Images with what a model says of them: what scores, lists and reports are made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from softmaxce.dataset.pixel_dataset import PixelDataset
from softmaxce.metrics.scores import Scores, score
from softmaxce.model import SoftmaxModel
from softmaxce.numerics import log_softmax


@dataclass(frozen=True, eq=False)
class JudgedImages:
    """Some rows of a data set, and the model's outputs for them.

    rows: (n_images,) into `images`; logits: (n_images, n_classes), of the calibrated model, whose
    temperature divided them.
    """

    images: PixelDataset
    rows: NDArray[np.int64]
    logits: NDArray[np.float64]
    temperature: float = 1.0

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """(n_images,) true classes."""
        return self.images.labels[self.rows]

    @cached_property
    def log_probabilities(self) -> NDArray[np.float64]:
        """(n_images, n_classes), of the calibrated model: those that `predict` shows."""
        return np.asarray(log_softmax(self.logits, axis=1))

    @cached_property
    def scores(self) -> Scores:
        """How good the model's answers are."""
        return score(self.log_probabilities, self.labels)

    @cached_property
    def uncalibrated(self) -> Scores:
        """How good they would be with a temperature of 1."""
        return score(log_softmax(self.logits * self.temperature, axis=1), self.labels)

    @cached_property
    def wrong(self) -> NDArray[np.int64]:
        """Which images (positions in `rows`) were answered wrong, the highest loss first."""
        positions = np.flatnonzero(~self.scores.is_correct)
        losses = self.scores.cross_entropies[positions]
        return positions[np.argsort(-losses, kind="stable")]

    def path(self, position: int) -> str:
        """The file of one image."""
        return self.images.paths[int(self.rows[position])]

    def pixels(self, position: int) -> NDArray[np.uint8]:
        """The pixel vector (n_pixels,) of one image, as the model saw it."""
        return np.asarray(self.images.pixels[self.rows[position]])


def judge(model: SoftmaxModel, images: PixelDataset) -> JudgedImages:
    """What the model says of all images of the data set."""
    rows = np.arange(images.n_images)
    return JudgedImages(images, rows, model.logits(images.pixels), model.temperature)
