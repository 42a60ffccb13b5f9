"""Images with what a model predicts for them: the source of scores, lists and reports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.data.pixel_dataset import Subset
from softmaxce.metrics.scores import Scores, joined, score
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.numerics import log_softmax
from softmaxce.training.rows import as_pixel_matrix
from softmaxce.workflows.log_probabilities import log_probabilities


@dataclass(frozen=True)
class Overlap:
    """Copies of training images among n_images evaluated ones; they make every score too good.

    paths: the images whose pixels equal those of a training image; accuracy_without: the accuracy
    on all other images, None if there are none.
    """

    paths: tuple[str, ...]
    n_images: int
    accuracy_without: float | None

    @property
    def n_copies(self) -> int:
        """Number of copies."""
        return len(self.paths)


@dataclass(frozen=True, eq=False)
class ScoredSubset:
    """Images, and how well the model predicts their classes.

    scores: those of the calibrated model, which `predict` uses; uncalibrated: those at a
    temperature of 1. The log-probabilities are not kept: for many images and classes they would
    fill the memory. logits: (n_images, n_classes), if they are those of other models, which were
    trained without the image.
    """

    model: SoftmaxModel
    subset: Subset
    scores: Scores
    uncalibrated: Scores
    logits: NDArray[np.float64] | None = None

    @cached_property
    def wrong(self) -> NDArray[np.int64]:
        """Positions of the misclassified images, the highest cross-entropy first."""
        positions = np.flatnonzero(~self.scores.is_correct)
        losses = self.scores.cross_entropies[positions]
        return positions[np.argsort(-losses, kind="stable")]

    @cached_property
    def overlap(self) -> Overlap | None:
        """The copies of images that the model was trained on; None if there are none."""
        if self.model.trained_on is None or self.logits is not None:
            return None
        is_copy = np.isin(self.subset.half_digests, self.model.trained_on)
        if not is_copy.any():
            return None
        is_correct = self.scores.is_correct[~is_copy]
        return Overlap(
            paths=tuple(self.path(int(position)) for position in np.flatnonzero(is_copy)),
            n_images=len(is_copy),
            accuracy_without=float(is_correct.mean()) if len(is_correct) else None,
        )

    def path(self, position: int) -> str:
        """The file of one image."""
        return self.subset.path(position)

    def pixels(self, position: int) -> NDArray[np.uint8]:
        """The pixel vector (n_pixels,) of one image, after preprocessing."""
        return self.subset.pixels(position)

    def mean_pixels(self, n_classes: int) -> dict[int, NDArray[np.uint8]]:
        """The mean pixel vector (n_pixels,) of each of the first n_classes that has images."""
        matrix = as_pixel_matrix(self.subset.dataset.pixels)
        sums = sum(matrix.map(_class_sums, self.subset.rows, self.subset.labels, n_classes))
        counts = np.bincount(self.subset.labels, minlength=n_classes)
        return {
            k: np.rint(sums[k] / n).astype(np.uint8) for k, n in enumerate(counts[:n_classes]) if n
        }

    def probabilities(self, position: int) -> NDArray[np.float64]:
        """The probabilities (n_classes,) of one image."""
        if self.logits is not None:
            logits = self.logits[position : position + 1]
        else:
            row = self.subset.rows[position : position + 1]
            logits = self.model.logits_of(self.subset.dataset.inputs[row])
        return np.asarray(np.exp(log_softmax(logits, axis=1))[0])

    def log_probabilities(self) -> Iterator[NDArray[np.float64]]:
        """Those of all images, in blocks (n, n_classes), computed again."""
        if self.logits is not None:
            return iter([log_softmax(self.logits, axis=1)])
        return log_probabilities(self.model, self.subset.dataset.inputs, self.subset.rows)


def _class_sums(
    pixels: NDArray[np.uint8], labels: NDArray[np.int64], n_classes: int
) -> NDArray[np.int64]:
    return np.stack([pixels[labels == k].sum(axis=0, dtype=np.int64) for k in range(n_classes)])


def score_subset(model: SoftmaxModel, subset: Subset) -> ScoredSubset:
    """The model's scores on the images of a subset, which is not empty."""
    inputs = as_pixel_matrix(subset.dataset.inputs)
    blocks = list(inputs.map(_score_block, subset.rows, subset.labels, model))
    scores = joined([calibrated for calibrated, _ in blocks])
    before = joined([b for _, b in blocks]) if model.temperature != 1.0 else scores
    return _grouped(ScoredSubset(model, subset, scores, before))


def score_logits(
    model: SoftmaxModel, subset: Subset, uncalibrated: NDArray[np.float64]
) -> ScoredSubset:
    """The scores of the logits (n_images, n_classes) of other models, trained without the images,
    at the model's temperature."""
    logits = uncalibrated / model.temperature
    before, after = (score(log_softmax(z, axis=1), subset.labels) for z in (uncalibrated, logits))
    before = before if model.temperature != 1.0 else after
    return _grouped(ScoredSubset(model, subset, after, before, logits))


def _grouped(scored: ScoredSubset) -> ScoredSubset:
    """The same, with the groups of the images, if they are grouped."""
    keys = scored.subset.dataset.groups
    if keys is None:
        return scored
    groups = np.unique(keys[scored.subset.rows], return_inverse=True)[1].reshape(-1)
    after = replace(scored.scores, groups=groups)
    is_same = scored.uncalibrated is scored.scores
    before = after if is_same else replace(scored.uncalibrated, groups=groups)
    return replace(scored, scores=after, uncalibrated=before)


def _score_block(
    inputs: NDArray[Any], labels: NDArray[np.int64], model: SoftmaxModel
) -> tuple[Scores, Scores | None]:
    """The scores, and the uncalibrated ones if the model has a temperature other than 1."""
    logits = model.logits_of(inputs)
    scores = score(log_softmax(logits, axis=1), labels)
    if model.temperature == 1.0:
        return scores, None
    logits *= model.temperature
    return scores, score(log_softmax(logits, axis=1), labels)
