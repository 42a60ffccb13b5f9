"""Images with what a model says of them: what scores, lists and reports are made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from softmaxce.dataset.pixel_dataset import PixelDataset
from softmaxce.metrics.scores import Scores, joined, score
from softmaxce.model import SoftmaxModel
from softmaxce.numerics import log_softmax

_BLOCK_ROWS = 4096


@dataclass(frozen=True, eq=False)
class JudgedImages:
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

    def log_probabilities(self) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        """Blocks of positions and their log-probabilities (n, n_classes), computed anew."""
        for block in _blocks(len(self.rows)):
            yield block, log_softmax(_logits(self.model, self.images, self.rows[block]), axis=1)


def judge(
    model: SoftmaxModel, images: PixelDataset, rows: NDArray[np.int64] | None = None
) -> JudgedImages:
    """What the model says of these rows of the data set, at least one; of all if None."""
    rows = np.arange(images.n_images) if rows is None else rows
    scores: list[Scores] = []
    uncalibrated: list[Scores] = []
    for block in _blocks(len(rows)):
        labels, logits = images.labels[rows[block]], _logits(model, images, rows[block])
        scores.append(score(log_softmax(logits, axis=1), labels))
        if model.temperature != 1.0:
            logits *= model.temperature
            uncalibrated.append(score(log_softmax(logits, axis=1), labels))
    together = joined(scores)
    before = joined(uncalibrated) if uncalibrated else together
    return JudgedImages(model, images, rows, together, before)


def _blocks(n_rows: int) -> list[slice]:
    return [slice(at, min(at + _BLOCK_ROWS, n_rows)) for at in range(0, n_rows, _BLOCK_ROWS)]


def _logits(
    model: SoftmaxModel, images: PixelDataset, rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    return model.logits(images.pixels[rows])
