"""Images with what a model says of them: what scores, lists and reports are made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.data.pixel_dataset import PixelDataset
from softmaxce.metrics.scores import Scores, joined, score
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.numerics import log_softmax
from softmaxce.training.rows import as_pixel_matrix


@dataclass(frozen=True, eq=False)
class ScoredSubset:
    """Some rows of a data set, and how good the model's answers for them are.

    rows: (n_images,) into `images`; scores: of the calibrated model, whose answers `predict`
    shows; uncalibrated: what they would be with a temperature of 1. The logits are not kept, for
    many images and classes would fill the memory with them.
    """

    model: SoftmaxModel
    images: PixelDataset
    rows: NDArray[np.int64]
    scores: Scores
    uncalibrated: Scores

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

    def log_probabilities(self) -> Iterator[NDArray[np.float64]]:
        """Those of all images (n, n_classes), a part at a time, computed anew."""
        for logits in logits_of(self.model, self.images, self.rows):
            yield log_softmax(logits, axis=1)


def score_subset(
    model: SoftmaxModel, images: PixelDataset, rows: NDArray[np.int64] | None = None
) -> ScoredSubset:
    """What the model says of these rows of the data set, at least one; of all if None."""
    rows = np.arange(images.n_images) if rows is None else rows
    parts = list(_mapped(_scored, model, images, rows))
    scores = joined([part[0] for part in parts])
    before = joined([part[1] for part in parts]) if model.temperature != 1.0 else scores
    return ScoredSubset(model, images, rows, scores, before)


def logits_of(
    model: SoftmaxModel, images: PixelDataset, rows: NDArray[np.int64]
) -> Iterator[NDArray[np.float64]]:
    """The logits (n, n_classes) of these rows, a part at a time; at least one part."""
    yield from _mapped(_logits, model, images, rows)


Function = Callable[[NDArray[np.uint8], NDArray[np.int64], SoftmaxModel], Any]


def _mapped(
    function: Function, model: SoftmaxModel, images: PixelDataset, rows: NDArray[np.int64]
) -> Iterable[Any]:
    """function(pixels, labels, model) of parts of the rows, where the pixels are."""
    return as_pixel_matrix(images.pixels).map(function, rows, images.labels[rows], model)


def _logits(
    pixels: NDArray[np.uint8], _labels: NDArray[np.int64], model: SoftmaxModel
) -> NDArray[np.float64]:
    return model.logits(pixels)


def _scored(
    pixels: NDArray[np.uint8], labels: NDArray[np.int64], model: SoftmaxModel
) -> tuple[Scores, Scores | None]:
    """The answers' scores, and those with a temperature of 1 where the model has another."""
    logits = model.logits(pixels)
    scores = score(log_softmax(logits, axis=1), labels)
    if model.temperature == 1.0:
        return scores, None
    logits *= model.temperature
    return scores, score(log_softmax(logits, axis=1), labels)
