"""Evaluated images that are copies of training images: they make every score too good."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from softmaxce.workflows.scored_subset import ScoredSubset


@dataclass(frozen=True)
class Overlap:
    """The copies among n_images evaluated images, and the accuracy on the rest.

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


def overlap(scored: ScoredSubset) -> Overlap | None:
    """The overlap with the images that the model was trained on; None if there is none."""
    if scored.model.trained_on is None:
        return None
    is_copy = np.isin(scored.subset.half_digests, scored.model.trained_on)
    if not is_copy.any():
        return None
    is_correct = scored.scores.is_correct[~is_copy]
    return Overlap(
        paths=tuple(scored.path(int(position)) for position in np.flatnonzero(is_copy)),
        n_images=len(is_copy),
        accuracy_without=float(is_correct.mean()) if len(is_correct) else None,
    )
