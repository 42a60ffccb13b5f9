"""Patch features for the images of a training run or an evaluation."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from softmaxce.data.pixel_dataset import PixelDataset, Subset
from softmaxce.errors import InputError
from softmaxce.layers import forward
from softmaxce.model.softmax_model import PIXEL_SCALE
from softmaxce.numerics import log_softmax
from softmaxce.patches import PatchFeatures
from softmaxce.preprocessing import FeatureVectors
from softmaxce.row_threads import row_threads
from softmaxce.training.fitting import MIN_VALIDATION_ROWS, fit
from softmaxce.training.patch_learning import grid_of, learn_patches, scales_for
from softmaxce.training.rows import Rows
from softmaxce.workflows.progress import OnProgress, Progress

# The variance of patch features falls off slowly, so more of it than of pixels' is outside the
# preconditioner's subspace. Without this factor many steps are too long (12,702 images: 15.9 s
# instead of 9.8 s).
PATCHES_TAIL_FACTOR = 30.0
# The trial of mirror symmetry uses few images, fewer if they are large, and few filters.
_N_TRAINING, _N_VALIDATION = 2000, 1000
_TRIAL_PLACES = 3_000_000
_TRIAL_PAIRS = 64
_N_SCALED = 1000  # images from which the scales are computed


@dataclass(frozen=True)
class MirrorTrial:
    """The validation cross-entropies (nats) of quick fits with and without mirror symmetry.

    symmetric: the mean with symmetry; gain: how much lower the mean is without it;
    standard_error: of the gain.
    """

    symmetric: float
    gain: float
    standard_error: float

    @property
    def asymmetric(self) -> float:
        """The mean cross-entropy without mirror symmetry."""
        return self.symmetric - self.gain

    @property
    def is_symmetric(self) -> bool:
        """Whether to use the symmetry: unless chance does not explain the gain without it."""
        return self.gain <= 2 * self.standard_error


def learned_patches(
    splits: Mapping[str, Subset],
    n_filters: int,
    mirror: bool | None,
    seed: int,
    on_progress: OnProgress,
) -> tuple[PatchFeatures, MirrorTrial | None]:
    """Features learned from the training images.

    n_filters: the number of filters, without the twins that mirror symmetry adds; mirror: whether
    to use this symmetry. None: use it unless validation images show that it does harm; if there are
    too few of them, for colour images only. Raises DataError for images that are too small or too
    uniform.
    """
    training, validation = splits["train"], splits.get("validation")
    preprocessing = training.dataset.preprocessing
    if isinstance(preprocessing, FeatureVectors):
        raise InputError(
            f"--features patches is for images, but these are rows of {preprocessing}; leave it out"
        )
    shape = preprocessing.height, preprocessing.width, preprocessing.channels
    rows = _by_digest(training)

    def learned(n_pairs: int) -> PatchFeatures:
        on_progress(Progress("Learning patches", 0.0))
        return learn_patches(training.dataset.pixels, rows, shape, n_pairs=n_pairs, seed=seed)

    patches, trial = learned(n_filters if mirror is not False else _half(n_filters)), None
    if mirror is None and validation and validation.n_images >= MIN_VALIDATION_ROWS:
        trial = _mirror_trial(patches, training, validation, on_progress)
        mirror = trial.is_symmetric
    elif mirror is None:
        mirror = preprocessing.channels == 3
    if not mirror and patches.n_pairs != _half(n_filters):
        patches = learned(_half(n_filters))
    patches = replace(patches, is_symmetric=mirror, grid=grid_of(shape, mirror))
    sums = _sums(patches, training.dataset, _thinned(rows, _N_SCALED), on_progress)
    return replace(patches, scales=scales_for(sums)), trial


def _half(n_filters: int) -> int:
    """How many pairs give so many filters."""
    return -(-n_filters // 2)


def _by_digest(subset: Subset) -> NDArray[np.int64]:
    """The rows of a subset in an order that depends only on the pixels, not on names."""
    return subset.rows[np.argsort(subset.half_digests, kind="stable")]


def _thinned(rows: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """At most n of the rows, evenly spaced, in ascending order."""
    return np.sort(rows[:: -(-len(rows) // n)])


def _sums(
    patches: PatchFeatures, dataset: PixelDataset, rows: NDArray[np.int64], on_progress: OnProgress
) -> NDArray[np.float32]:
    on_progress(Progress("Learning patches", 0.5))
    sums = np.empty((len(rows), patches.n_features), np.float32)
    pixels = dataset.pixels[rows]

    def task(position: int) -> None:
        sums[position] = patches.sums(pixels[position])

    with row_threads() as run_tasks:
        deque(run_tasks(task, range(len(rows))), maxlen=0)
    return sums


def _mirror_trial(
    patches: PatchFeatures, training: Subset, validation: Subset, on_progress: OnProgress
) -> MirrorTrial:
    """Two fits to the same few images, whose sums are computed once."""
    patches = replace(patches, filters=patches.filters[:, :_TRIAL_PAIRS])
    share = min(1.0, _TRIAL_PLACES / (_N_TRAINING + _N_VALIDATION) / math.prod(patches.n_places))
    few = _thinned(_by_digest(training), max(int(_N_TRAINING * share), 100))
    others = _thinned(_by_digest(validation), max(int(_N_VALIDATION * share), 50))
    labels = training.dataset.labels[few], validation.dataset.labels[others]
    of_few = _sums(patches, training.dataset, few, on_progress)
    of_others = _sums(patches, validation.dataset, others, on_progress)

    def losses(is_symmetric: bool) -> NDArray[np.float64]:
        variant = replace(patches, is_symmetric=is_symmetric)
        sums = [variant.joined(these) for these in (of_few, of_others)]
        variant = replace(variant, scales=scales_for(sums[0]))
        inputs, new_inputs = map(variant.rounded, sums)
        n_classes = len(training.dataset.class_names)
        fitted = fit(inputs, labels[0], n_classes, validation=Rows(new_inputs, labels[1]))
        log_p = log_softmax(forward(fitted.layers, new_inputs * PIXEL_SCALE), axis=1)
        return np.asarray(-log_p[np.arange(len(others)), labels[1]])

    with_symmetry = losses(True)
    gains = with_symmetry - losses(False)
    error = gains.std(ddof=1) / np.sqrt(len(gains))
    return MirrorTrial(float(with_symmetry.mean()), float(gains.mean()), float(error))
