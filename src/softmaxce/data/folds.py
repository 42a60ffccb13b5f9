"""Which images are not for training: those for validation, those for testing, or a fold.

Everything follows a hash of each image's key (`PixelDataset.split_keys`): images with equal keys,
copies or those of a group, always stay together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from softmaxce.data.pixel_dataset import Subset
from softmaxce.errors import DataError, first_and_more

Keys = NDArray[np.uint64]
Bools = NDArray[np.bool_]


def split_rows(
    images: Subset, seed: int, *, validation: float, test: float = 0.0
) -> tuple[Bools, Bools]:
    """Which images (n_images,) are for validation, and which for testing: about these fractions.

    The split of an image depends only on its pixels (or its group) and the seed, so adding images
    never moves others, nor does a test split move validation images to training. If a
    class would have no training images, its images, and those with the same keys, stay in training.
    """
    labels, keys = images.labels, _mixed(images.dataset.split_keys[images.rows], seed)
    nothing = np.zeros(len(keys), np.bool_)
    is_validation = keys < np.uint64(int(validation * 2**64)) if validation else nothing
    is_test = keys >= np.uint64(2**64 - int(test * 2**64)) if test else nothing
    is_left = ~(is_validation | is_test)
    n_left = np.bincount(labels[is_left], minlength=len(images.dataset.class_names))
    stays = np.isin(keys, keys[(n_left == 0)[labels]])
    return np.asarray(is_validation & ~stays), np.asarray(is_test & ~stays)


def fold_numbers(
    labels: NDArray[np.int64], keys: Keys, n_folds: int, seed: int = 0
) -> NDArray[np.int64]:
    """The fold (n_images,) of each image, from 0.

    Each class is spread as evenly over the folds as keys that several images share allow: if a
    class were less frequent in training because it is more frequent in the fold, predictions would
    be worse than chance on labels without meaning.
    """
    mixed = _mixed(keys, seed)
    order = np.argsort(mixed, kind="stable")
    starts = np.flatnonzero(np.diff(mixed[order], prepend=~mixed[order[:1]]))
    n_classes = int(labels.max()) + 1
    folds = np.full(len(labels), -1)
    counts = np.zeros((n_classes, n_folds), np.int64)  # of images of each class in each fold
    sizes = np.diff(starts, append=len(labels))
    for start, size in zip(starts[sizes > 1].tolist(), sizes[sizes > 1].tolist(), strict=True):
        rows = order[start : start + size]
        of_class = np.bincount(labels[rows], minlength=n_classes)
        fold = int(np.lexsort((counts.sum(axis=0), of_class @ counts))[0])
        folds[rows] = fold
        counts[:, fold] += of_class
    alone = order[starts[sizes == 1]]
    for k in range(n_classes):
        rows = alone[labels[alone] == k]
        emptiest = np.argsort(counts.sum(axis=0), kind="stable")
        filled = counts[k, emptiest] + np.arange(len(rows))[:, np.newaxis]
        places = np.argsort(filled, axis=None, kind="stable")[: len(rows)]
        folds[rows] = emptiest[places % n_folds]
        counts[k] += np.bincount(folds[rows], minlength=n_folds)
    return folds


def check_folds(
    labels: NDArray[np.int64], keys: Keys, class_names: Sequence[str], n_folds: int
) -> None:
    """Raise DataError if a class has fewer images (or groups) than there are folds."""
    counts = n_different(labels, keys, len(class_names))
    few = [f"'{class_names[k]}' ({counts[k]})" for k in np.flatnonzero(counts < n_folds).tolist()]
    if few:
        least = int(counts.min())
        remedy = f"choose at most {least} folds" if least > 1 else "add images, or leave them out"
        raise DataError(
            f"too few different images (or groups) for {n_folds} folds: {first_and_more(few)}; "
            f"{remedy}"
        )


def n_different(labels: NDArray[np.int64], keys: Keys, n_classes: int) -> NDArray[np.int64]:
    """(n_classes,): the number of different images (or groups) of each class."""
    different = np.unique(np.rec.fromarrays([labels, keys]))
    return np.bincount(different["f0"], minlength=n_classes)


def shuffled_labels(
    labels: NDArray[np.int64], keys: Keys, random: np.random.Generator
) -> NDArray[np.int64]:
    """The labels in a random order, in which the images that share a key stay together.

    If each key has one label, keys exchange their labels. Otherwise, keys of equally many images
    exchange all of theirs, in a random order.
    """
    _, first, which, sizes = np.unique(
        keys, return_index=True, return_inverse=True, return_counts=True
    )
    which = which.reshape(-1)
    if (labels == labels[first][which]).all():
        return np.asarray(random.permutation(labels[first])[which])
    shuffled, order = labels.copy(), np.argsort(which, kind="stable")
    for size in np.unique(sizes):
        rows = order[sizes[which[order]] == size].reshape(-1, size)
        taken = random.permuted(random.permutation(labels[rows]), axis=1)
        shuffled[rows] = taken
    return shuffled


def _mixed(keys: Keys, seed: int) -> Keys:
    """A bijection of the keys, another for each seed, in which each bit depends on all."""
    return _finalised(keys ^ _finalised(np.array([seed], np.uint64)))


def _finalised(keys: Keys) -> Keys:
    """SplitMix64's finaliser."""
    keys = keys + np.uint64(0x9E3779B97F4A7C15)
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))
