"""Judged images that are copies of images trained on: they flatter every score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmaxce.data.pixel_dataset import PixelDataset
from softmaxce.workflows.scored_subset import ScoredSubset


@dataclass(frozen=True)
class Overlap:
    """What stands on both sides, and the accuracy on the rest.

    paths: the judged images whose pixels are exactly those of an image trained on;
    accuracy_without: the accuracy on all other judged images, None where there are none.
    """

    paths: tuple[str, ...]
    n_images: int
    accuracy_without: float | None

    @property
    def n_copies(self) -> int:
        """How many judged images are such copies."""
        return len(self.paths)


def half_digests(images: PixelDataset, rows: NDArray[np.int64]) -> NDArray[np.uint64]:
    """(len(rows),): 64 of the 128 bits of these images' digests.

    Among a million images and as many others, two unlike ones agree in them once in 18 million
    times.
    """
    return np.asarray(images.digests[rows, 0])


def overlap(scored: ScoredSubset) -> Overlap | None:
    """The overlap with the images that the model was trained on; None where there is none."""
    if scored.model.trained_on is None:
        return None
    is_copy = np.isin(half_digests(scored.images, scored.rows), scored.model.trained_on)
    if not is_copy.any():
        return None
    is_correct = scored.scores.is_correct[~is_copy]
    return Overlap(
        paths=tuple(scored.path(int(position)) for position in np.flatnonzero(is_copy)),
        n_images=len(is_copy),
        accuracy_without=float(is_correct.mean()) if len(is_correct) else None,
    )
