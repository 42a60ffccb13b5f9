"""Models of an eighth, a quarter, half and all of the training images: would more help?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from softmaxce.data.folds import fold_numbers, split_rows
from softmaxce.data.pixel_dataset import Subset
from softmaxce.errors import DataError
from softmaxce.layers import Layer
from softmaxce.metrics.intervals import Interval
from softmaxce.metrics.learning_curve import (
    N_SIZES,
    Floats,
    Means,
    gain_at_twice,
    means_of,
)
from softmaxce.metrics.scores import Scores, score
from softmaxce.model.softmax_model import scale_of
from softmaxce.numerics import log_softmax
from softmaxce.training.fitting import MIN_VALIDATION_ROWS, fit
from softmaxce.training.rows import Rows
from softmaxce.workflows.checked_images import CheckedImages
from softmaxce.workflows.features import with_features_of_splits
from softmaxce.workflows.log_probabilities import logits_of_layers
from softmaxce.workflows.patch_features import (
    PATCHES_TAIL_FACTOR,
    learned_patches,
)
from softmaxce.workflows.progress import FitListener, OnProgress, Progress, ignore
from softmaxce.workflows.train_options import TrainOptions

_VALIDATION = 0.2  # as `train` does by default
_FULL = N_SIZES - 1
_N_PARTS = 2**_FULL
_MIN_OF_CLASS = 5  # validation images, to say anything about a class
_QUARTER = 1
# The models: the size and the first of its parts. Below the full size there are two without common
# images, each of which is scored on the other's half, too. The first two choose l2 for all.
_MODELS = ((3, 0), (0, 0), (0, 4), (1, 0), (1, 4), (2, 0), (2, 4))


@dataclass(frozen=True)
class SizeScore:
    """The scores of models of so many training images, on images that they were not trained on."""

    n_images: int
    accuracy: float
    accuracy_interval: Interval
    cross_entropy: float


@dataclass(frozen=True)
class ClassGain:
    """A class whose recall has clearly grown from a quarter of the training images to all."""

    name: str
    recall_before: float
    recall: float


@dataclass(frozen=True)
class LearningCurve:
    """n_validation: the validation images; sizes: the scores at each size; gain: how much the
    accuracy would grow with twice the images, and its 95 % interval; classes: those whose recall
    has clearly grown, the fastest first."""

    n_validation: int
    sizes: tuple[SizeScore, ...]
    gain: float
    gain_interval: Interval
    classes: tuple[ClassGain, ...]

    @property
    def is_clear(self) -> bool:
        """Whether chance does not explain the gain."""
        return self.gain_interval[0] > 0


def learning_curve(
    images: CheckedImages,
    *,
    features: int = 0,
    seed: int = 0,
    on_progress: OnProgress = ignore,
) -> LearningCurve:
    """Train on nested subsets of the training images, and predict what twice as many would give.

    The validation images are those of `train` with these options. Raises DataError for too few
    images.
    """
    whole = images.subset()
    of_split = np.array([split for split, _ in images.labels])[images.readable]
    training = Subset(whole.dataset, whole.rows[of_split == "train"])
    given = Subset(whole.dataset, whole.rows[of_split == "validation"])
    options = TrainOptions(features=features, seed=seed)
    if given.n_images:
        splits = {"train": training, "validation": given}
        return curve_of(splits, options, is_given=True, on_progress=on_progress)
    is_out, _ = split_rows(training, seed, validation=_VALIDATION)
    parts = {"train": training.rows[~is_out], "validation": training.rows[is_out]}
    splits = {name: Subset(whole.dataset, rows) for name, rows in parts.items()}
    return curve_of(splits, options, on_progress=on_progress)


def curve_of(
    splits: Mapping[str, Subset],
    options: TrainOptions,
    *,
    is_given: bool = False,
    on_progress: OnProgress = ignore,
) -> LearningCurve:
    """The curve of "train" and "validation"; see `learning_curve`.

    is_given: whether the source has validation images, which may be of another kind.
    """
    parts = _parts(splits, options.seed)
    if options.features:
        choices = options.features, options.mirror, options.seed, on_progress
        patches, _ = learned_patches(splits, *choices)
        splits = with_features_of_splits(splits, patches, on_progress)
    training, validation = splits["train"], splits["validation"]
    errors, losses = _unseen(training, validation, parts, options, on_progress)
    labels = np.concatenate([training.labels, validation.labels])
    keys = np.concatenate([_keys(training), _keys(validation)])
    if is_given:
        given = slice(training.n_images, None)
        errors, losses, labels, keys = errors[given], losses[given], labels[given], keys[given]
    mean_errors = means_of(errors, keys)
    names = training.dataset.class_names
    counts = np.bincount(training.labels, minlength=len(names))
    baseline = 1 - float(counts.max()) / training.n_images
    gain, interval = gain_at_twice(mean_errors, training.n_images, baseline)
    return LearningCurve(
        n_validation=validation.n_images,
        sizes=_size_scores(training.n_images, mean_errors, means_of(losses, keys)),
        gain=gain,
        gain_interval=interval,
        classes=_growing(names, labels, errors, keys),
    )


def _growing(
    names: Sequence[str], labels: NDArray[np.int64], errors: Floats, keys: NDArray[np.uint64]
) -> tuple[ClassGain, ...]:
    found = []
    n_scored = np.bincount(labels[~np.isnan(errors[:, -1])], minlength=len(names))
    for k in np.flatnonzero(n_scored >= _MIN_OF_CLASS).tolist():
        of_class = labels == k
        means = means_of(errors[of_class], keys[of_class])
        if means.falls_since(_QUARTER, 0.025 / len(names)):
            before, now = (float(1 - means.values[size]) for size in (_QUARTER, -1))
            found.append(ClassGain(names[k], before, now))
    return tuple(sorted(found, key=lambda c: c.recall_before - c.recall))


def _parts(splits: Mapping[str, Subset], seed: int) -> NDArray[np.int64]:
    """Which eighth of its class each training image (n_training,) belongs to, from 0. Raises
    DataError if there are too few images."""
    training, problem = splits["train"], "too few images for a learning curve"
    n_classes = len(training.dataset.class_names)
    parts = fold_numbers(training.labels, _keys(training), _N_PARTS, seed)
    smallest = int(np.bincount(parts, minlength=_N_PARTS).min())
    if smallest < n_classes:
        raise DataError(
            f"{problem}: an eighth of the training images is {smallest}, but at least {n_classes} "
            "are needed, one for each class; add images"
        )
    n_validation = splits["validation"].n_images if "validation" in splits else 0
    if n_validation < MIN_VALIDATION_ROWS:
        raise DataError(
            f"{problem}: {n_validation} images are for validation, but at least "
            f"{MIN_VALIDATION_ROWS} are needed; add images"
        )
    return parts


def _keys(subset: Subset) -> NDArray[np.uint64]:
    return subset.dataset.split_keys[subset.rows]


def _unseen(
    training: Subset,
    validation: Subset,
    parts: NDArray[np.int64],
    options: TrainOptions,
    on_progress: OnProgress,
) -> tuple[Floats, Floats]:
    """Errors (0 or 1) and cross-entropies (n_training + n_validation, N_SIZES) of all images by
    models trained without them; means, if there are two models; NaN for training images at the
    full size. l2 is chosen for an eighth and for all of the images; log l2 is linear between."""
    dataset, n = training.dataset, training.n_images
    errors, losses = np.zeros((2, n + validation.n_images, N_SIZES))
    errors[:n, -1] = losses[:n, -1] = np.nan
    chosen: list[float] = []
    for done, (size, first) in enumerate(_MODELS):

        def listen(progress: Progress, done: int = done) -> None:
            fraction = (done + progress.fraction) / len(_MODELS)
            on_progress(replace(progress, stage="Fitting to subsets", fraction=fraction))

        fitted = fit(
            dataset.inputs,
            dataset.labels,
            len(dataset.class_names),
            rows=training.rows[(parts >= first) & (parts < first + 2**size)],
            validation=Rows(validation.dataset.inputs, validation.dataset.labels, validation.rows),
            scale=scale_of(dataset.inputs),
            seed=options.seed,
            on_iteration=FitListener(listen),
            l2=chosen[0] * (chosen[1] / chosen[0]) ** (1 - size / _FULL) if done > 1 else None,
            first_l2=_N_PARTS * chosen[0] if done == 1 else None,
            tail_factor=PATCHES_TAIL_FACTOR if options.features else 1.0,
        )
        chosen.append(fitted.l2)
        n_models = 1 if size == _FULL else 2
        scores = _scores(fitted.layers, validation)
        errors[n:, size] += ~scores.is_correct / n_models
        losses[n:, size] += scores.cross_entropies / n_models
        if n_models == 2:
            others = (parts < _N_PARTS / 2) == (first > 0)
            scores = _scores(fitted.layers, Subset(dataset, training.rows[others]))
            errors[:n, size][others] = ~scores.is_correct
            losses[:n, size][others] = scores.cross_entropies
    return errors, losses


def _scores(layers: Sequence[Layer], images: Subset) -> Scores:
    logits = logits_of_layers(layers, images.dataset.inputs, images.rows)
    return score(log_softmax(logits, axis=1), images.labels)


def _size_scores(n_training: int, errors: Means, losses: Means) -> tuple[SizeScore, ...]:
    scores = []
    for size in range(N_SIZES):
        low, high = errors.proportion_interval(size)
        accuracy, loss = 1 - float(errors.values[size]), float(losses.values[size])
        n_images = round(n_training * 2 ** (size + 1 - N_SIZES))
        scores.append(SizeScore(n_images, accuracy, (1 - high, 1 - low), loss))
    return tuple(scores)
