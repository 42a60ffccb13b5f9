"""What became of the groups of images: how many there are, and whether splits share some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from softmaxce.data.grouping import Keys, about_shared_groups
from softmaxce.data.source_findings import Finding
from softmaxce.workflows.scored_subset import ScoredSubset


@dataclass(frozen=True)
class Grouping:
    """n_groups: of all splits together; n_splits: how many these are; shared: which groups have
    images in more than one split."""

    n_groups: int
    n_splits: int
    shared: Finding


def grouping_of(scored: Mapping[str, ScoredSubset]) -> Grouping | None:
    """The groups of the images of each split; None if they are not grouped.

    Training images that are also cross-validated count once.
    """
    splits = {}
    for name, split in scored.items():
        dataset, rows = split.subset.dataset, split.subset.rows
        if dataset.groups is not None and split.logits is None:
            splits[name] = dataset.groups[rows], [dataset.paths[row] for row in rows]
    return grouping_of_keys(splits) if splits else None


def grouping_of_keys(splits: Mapping[str, tuple[Keys, Sequence[str]]]) -> Grouping:
    """The groups of the keys and paths of each split."""
    n_groups = len(np.unique(np.concatenate([keys for keys, _ in splits.values()])))
    return Grouping(n_groups, len(splits), about_shared_groups(splits))
