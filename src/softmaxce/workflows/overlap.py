"""Judged images that are copies of images trained on: they flatter every score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmaxce.dataset.duplicates import is_among
from softmaxce.workflows.judged import JudgedImages


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


def overlap(judged: JudgedImages, trained_on: NDArray[np.uint64]) -> Overlap | None:
    """The overlap with images of the digests `trained_on` (n, 2); None where there is none."""
    is_copy = is_among(judged.images.digests[judged.rows], trained_on)
    if not is_copy.any():
        return None
    is_correct = judged.scores.is_correct[~is_copy]
    return Overlap(
        paths=tuple(judged.path(int(position)) for position in np.flatnonzero(is_copy)),
        n_images=len(is_copy),
        accuracy_without=float(is_correct.mean()) if len(is_correct) else None,
    )
