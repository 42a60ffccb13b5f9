"""A model and a folder of images → its scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from softmaxce.data.pixel_dataset import Subset, load_for_model
from softmaxce.data.read_options import ReadOptions
from softmaxce.metrics.conformal import coverage_is_significantly_low, prediction_sets
from softmaxce.metrics.intervals import Interval, wilson_interval
from softmaxce.model.model_file import ModelSource
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.workflows.features import with_features
from softmaxce.workflows.groups import Grouping, grouping_of
from softmaxce.workflows.log_probabilities import threshold_for
from softmaxce.workflows.opened_model import opened_model
from softmaxce.workflows.progress import OnProgress, counted, ignore
from softmaxce.workflows.scored_subset import ScoredSubset, score_subset


@dataclass(frozen=True)
class Coverage:
    """How often prediction sets made for the coverage `asked` contain the true class.

    threshold: the largest cross-entropy of a class in a set, ∞ (all classes) if there were too few
    validation images for `asked`; reached: the fraction of images whose set contains the true
    class, and its 95 % Wilson interval; mean_size: mean number of classes in a set;
    singleton_share: the fraction of sets that contain one class; is_significantly_low: whether
    fewer sets contain the true class than chance explains.
    """

    asked: float
    threshold: float
    reached: float
    interval: Interval
    mean_size: float
    singleton_share: float
    is_significantly_low: bool

    @property
    def is_unbounded(self) -> bool:
        """Whether every set had to contain all classes."""
        return math.isinf(self.threshold)


@dataclass(frozen=True, eq=False)
class EvaluateResult:
    """A model's scores on the images of a folder; coverage: None if it was not asked for."""

    model: SoftmaxModel
    model_path: str
    folder: str
    scored: ScoredSubset
    coverage: Coverage | None = None

    @property
    def left_out(self) -> tuple[str, ...]:
        """A line for each file that was skipped."""
        return self.scored.subset.dataset.left_out

    @cached_property
    def grouping(self) -> Grouping | None:
        """The groups of the images, if they are grouped."""
        return grouping_of({"": self.scored})


def evaluate(
    folder: str | PathLike[str],
    model: ModelSource,
    read: ReadOptions = ReadOptions(),
    *,
    networks: Sequence[str] = (),
    coverage: float | None = None,
    on_progress: OnProgress = ignore,
) -> EvaluateResult:
    """Evaluate the model on the class folders in `folder`, matched by name.

    networks: see `opened_model`. Copies of training images are reported. Raises ModelError (also if
    `coverage` is asked of a model trained without validation images) and DataError (also for a
    class that the model does not know).
    """
    model, model_path = opened_model(model, networks)
    threshold = None if coverage is None else threshold_for(model, model_path, coverage)
    listener = counted(on_progress, "Computing features" if model.network else "Reading images")
    options = replace(read, on_decoded=listener, network=model.network)
    wanted = model.class_names, model.preprocessing
    images = load_for_model(folder, *wanted, options, model.class_choice)
    listener = counted(on_progress, "Computing features")
    images = with_features(images, model.features, listener, read.cache)
    scored = score_subset(model, Subset.whole(images))
    reached = None
    if coverage is not None and threshold is not None:
        reached = _coverage(scored, coverage, threshold)
    return EvaluateResult(model, model_path, str(folder), scored, reached)


def _coverage(scored: ScoredSubset, asked: float, threshold: float) -> Coverage:
    """How often the prediction sets contain the true class."""
    labels, n_images = scored.scores.labels, scored.scores.n_images
    sizes: list[int] = []
    covered: list[NDArray[np.bool_]] = []
    for log_probabilities in scored.log_probabilities():
        sets = prediction_sets(log_probabilities, threshold)
        of_block = labels[len(sizes) : len(sizes) + len(sets)]
        covered.append(sets[np.arange(len(sets)), of_block])
        sizes += np.count_nonzero(sets, axis=1).tolist()
    calibration = scored.model.calibration_scores
    n_calibration = calibration.n_images if calibration else 0
    is_covered = np.concatenate(covered)
    n_covered, n_effective = int(is_covered.sum()), scored.scores.n_effective(is_covered)
    # The validation images are in groups, too: each is worth as much.
    worth = 1.0 if n_effective is None else n_effective / n_images
    return Coverage(
        asked,
        threshold,
        reached=n_covered / n_images,
        interval=wilson_interval(n_covered, n_images, n_effective),
        mean_size=sum(sizes) / n_images,
        singleton_share=sizes.count(1) / n_images,
        is_significantly_low=coverage_is_significantly_low(
            n_covered * worth, n_images * worth, int(n_calibration * worth), asked
        ),
    )
