"""Two models and a folder of images → how much the models differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike

import numpy as np

from softmaxce.class_choice import ClassChoice
from softmaxce.class_names import normalized
from softmaxce.data.pixel_dataset import PixelDataset, Subset, load_for_model
from softmaxce.data.read_options import ReadOptions
from softmaxce.errors import DataError
from softmaxce.metrics.comparison import Comparison
from softmaxce.metrics.comparison import compare as compare_scores
from softmaxce.networks.features import NetworkFeatures
from softmaxce.preprocessing import Form
from softmaxce.workflows.features import with_features
from softmaxce.workflows.groups import Grouping, grouping_of
from softmaxce.workflows.opened_model import opened_model
from softmaxce.workflows.progress import OnProgress, counted, ignore
from softmaxce.workflows.scored_subset import ScoredSubset, score_subset

_Wanted = tuple[tuple[str, ...], Form, ClassChoice, NetworkFeatures | None]


@dataclass(frozen=True, eq=False)
class CompareResult:
    """Two models on the same images in the same order."""

    folder: str
    model_paths: tuple[str, str]
    a: ScoredSubset
    b: ScoredSubset

    @property
    def left_out(self) -> tuple[str, ...]:
        """A line for each file that was skipped."""
        return self.a.subset.dataset.left_out

    @cached_property
    def grouping(self) -> Grouping | None:
        """The groups of the images, if they are grouped."""
        return grouping_of({"": self.a})

    @cached_property
    def comparison(self) -> Comparison:
        """How much they differ."""
        a, b = (
            np.array([*map(normalized, s.model.class_names)])[s.scores.predicted]
            for s in (self.a, self.b)
        )
        return compare_scores(self.a.scores, self.b.scores, a != b)


def compare(
    folder: str | PathLike[str],
    model_path_a: str | PathLike[str],
    model_path_b: str | PathLike[str],
    read: ReadOptions = ReadOptions(),
    *,
    networks: Sequence[str] = (),
    on_progress: OnProgress = ignore,
) -> CompareResult:
    """Evaluate both models on the class folders in `folder`, matched by name.

    networks: see `opened_model`. Raises ModelError and DataError (also for a class that one of the
    models does not know).
    """
    loaded: dict[_Wanted, PixelDataset] = {}
    scored = []
    for number, model_path in enumerate((model_path_a, model_path_b), 1):
        model, _ = opened_model(model_path, networks)
        key = model.class_names, model.preprocessing, model.class_choice, model.network
        if key not in loaded:  # models that need the same pixels share the images
            doing = f"Reading images for model {number}"
            if model.network:
                doing = f"Computing features for model {number}"
            listener = counted(on_progress, doing)
            options = replace(read, on_decoded=listener, network=model.network)
            loaded[key] = load_for_model(folder, *key[:2], options, key[2])
        listener = counted(on_progress, f"Computing features for model {number}")
        images = with_features(loaded[key], model.features, listener, read.cache)
        scored.append(score_subset(model, Subset.whole(images)))
    a, b = scored
    if _true_classes(a) != _true_classes(b):
        raise DataError(
            f"cannot compare: {folder}: the models do not have the same images and classes; they "
            "need the same --only and --merge, and the images must not change meanwhile"
        )
    return CompareResult(str(folder), (str(model_path_a), str(model_path_b)), a, b)


def _true_classes(scored: ScoredSubset) -> list[tuple[str, str]]:
    """Each image's path and the name of its class."""
    names = [*map(normalized, scored.model.class_names)]
    paths = scored.subset.dataset.paths
    return [(path, names[k]) for path, k in zip(paths, scored.scores.labels, strict=True)]
