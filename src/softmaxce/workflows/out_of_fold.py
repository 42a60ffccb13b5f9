"""Predictions for each image by a model that was trained without it (Stone 1974)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from softmaxce.data.folds import check_folds, fold_numbers
from softmaxce.data.pixel_dataset import PixelDataset, Subset
from softmaxce.model.softmax_model import scale_of
from softmaxce.training.fitting import (
    DEFAULT_TOLERANCE,
    MIN_VALIDATION_ROWS,
    Fit,
    fit,
)
from softmaxce.training.rows import Rows
from softmaxce.training.sample_weights import balanced_sample_weight
from softmaxce.workflows.features import with_features_of_splits
from softmaxce.workflows.log_probabilities import logits_of_layers
from softmaxce.workflows.patch_features import (
    PATCHES_TAIL_FACTOR,
    learned_patches,
)
from softmaxce.workflows.progress import FitListener, OnProgress, Progress, ignore

_N_INNER = 5  # one in so many of the images outside a fold chooses l2
_QUICK_TOLERANCE = 1e-3


@dataclass(frozen=True)
class FoldOptions:
    """How the models of the folds are fitted; see TrainOptions.

    is_quick: whether all folds have the l2 that the first one chose, and fits stop early, which is
    enough to rank images.
    """

    n_folds: int = 5
    l2: float | None = None
    is_balanced: bool = False
    seed: int = 0
    features: int = 0
    mirror: bool | None = None
    is_quick: bool = False


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """What the models predict for the images of the folds that they were not trained on.

    logits: (n_images, n_classes); folds: (n_images,) from 0; l2: that of each fold's model.
    """

    logits: NDArray[np.float64]
    folds: NDArray[np.int64]
    l2: tuple[float, ...]

    @property
    def median_l2(self) -> float:
        """The median of the folds' l2: the larger of the two in the middle, if there are two."""
        return sorted(self.l2)[len(self.l2) // 2]


def out_of_fold(
    images: Subset, options: FoldOptions, on_progress: OnProgress = ignore
) -> OutOfFold:
    """Predict each image by a model trained on the other folds.

    Nothing is learned from the fold that is predicted: l2 is chosen by images of the other folds,
    then all of these are used for training, and patch features are learned from them alone.
    Raises DataError if a class has fewer images than there are folds, and as `fit` does.
    """
    dataset, labels = images.dataset, images.labels
    keys = dataset.split_keys[images.rows]
    check_folds(labels, keys, dataset.class_names, options.n_folds)
    folds = fold_numbers(labels, keys, options.n_folds, options.seed)
    logits = np.empty((images.n_images, len(dataset.class_names)))
    chosen: list[float] = []
    for fold in range(options.n_folds):

        def listen(progress: Progress, fold: int = fold) -> None:
            of_all = (fold + progress.fraction) / options.n_folds
            stage = f"{progress.stage} (fold {fold + 1} of {options.n_folds})"
            on_progress(replace(progress, stage=stage, fraction=of_all))

        held_out = folds == fold
        splits = {
            "train": Subset(dataset, images.rows[~held_out]),
            "test": Subset(dataset, images.rows[held_out]),
        }
        l2 = chosen[0] if options.is_quick and chosen else options.l2
        fitted, inputs = _fit_fold(splits, replace(options, l2=l2), chosen, listen)
        chosen.append(fitted.l2)
        logits[held_out] = logits_of_layers(fitted.layers, inputs.inputs, splits["test"].rows)
    return OutOfFold(logits, folds, tuple(chosen))


def _fit_fold(
    splits: Mapping[str, Subset],
    options: FoldOptions,
    chosen: Sequence[float],
    on_progress: OnProgress,
) -> tuple[Fit, PixelDataset]:
    """The fit without the fold "test", and the dataset with the features that it sees.

    chosen: the l2 of earlier folds, of which the last is where the search starts.
    """
    training = splits["train"]
    labels, keys = training.labels, training.dataset.split_keys[training.rows]
    inner = fold_numbers(labels, keys, _N_INNER, options.seed + 1) == 0
    if options.l2 is not None or np.count_nonzero(inner) < MIN_VALIDATION_ROWS:
        inner[:] = False
    chooses = Subset(training.dataset, training.rows[inner])
    if options.features:
        parts = {"train": Subset(training.dataset, training.rows[~inner]), "validation": chooses}
        choices = options.features, options.mirror, options.seed, on_progress
        patches, _ = learned_patches(parts, *choices)
        splits = with_features_of_splits(splits, patches, on_progress)
    dataset = splits["train"].dataset
    n_classes = len(dataset.class_names)

    def weights(of: NDArray[np.int64]) -> NDArray[np.float64] | None:
        return balanced_sample_weight(of, n_classes) if options.is_balanced else None

    def rows(which: NDArray[np.bool_] | slice) -> Rows:
        return Rows(dataset.inputs, dataset.labels, training.rows[which])

    fitted = fit(
        dataset.inputs,
        dataset.labels,
        n_classes,
        rows=training.rows[~inner],
        sample_weight=weights(labels[~inner]),
        validation=rows(inner),
        refit=(rows(slice(None)), weights(labels)) if inner.any() else None,
        scale=scale_of(dataset.inputs),
        l2=options.l2,
        tolerance=_QUICK_TOLERANCE if options.is_quick else DEFAULT_TOLERANCE,
        seed=options.seed,
        on_iteration=FitListener(on_progress),
        first_l2=chosen[-1] if chosen else None,
        tail_factor=PATCHES_TAIL_FACTOR if options.features else 1.0,
    )
    return fitted, dataset
