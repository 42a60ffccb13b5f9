"""Which images are held out, and how labels are shuffled."""

from __future__ import annotations

import numpy as np
import pytest

from softmaxce.data.folds import check_folds, fold_numbers, shuffled_labels, split_rows
from softmaxce.data.pixel_dataset import PixelDataset, Subset
from softmaxce.errors import DataError
from softmaxce.preprocessing import Preprocessing

NAMES = ("cat", "dog", "person")


def keys_of(random, n, n_keys=None):
    keys = random.integers(0, 2**63, n_keys or n, dtype=np.uint64)
    return keys if n_keys is None else keys[random.integers(0, n_keys, n)]


def images(labels, keys):
    n, digests = len(labels), np.stack([keys, keys], axis=1)
    paths = tuple(map(str, range(n)))
    form = Preprocessing(1, 1, 1)
    pixels = np.zeros((n, 1), np.uint8)
    return Subset.whole(PixelDataset(pixels, labels, NAMES, paths, digests, form))


def test_a_test_split_moves_no_validation_image_and_new_images_move_none():
    random = np.random.default_rng(0)
    labels, keys = random.integers(0, 3, 2000), keys_of(random, 2000)
    alone, none = split_rows(images(labels, keys), 0, validation=0.2)
    assert not none.any()
    validation, test = split_rows(images(labels, keys), 0, validation=0.2, test=0.3)
    assert (validation == alone).all()
    assert not (validation & test).any()
    assert np.mean(validation) == pytest.approx(0.2, abs=0.03)
    assert np.mean(test) == pytest.approx(0.3, abs=0.03)
    some = split_rows(images(labels[:900], keys[:900]), 0, validation=0.2, test=0.3)
    assert (some[0] == validation[:900]).all()
    assert (some[1] == test[:900]).all()
    other = split_rows(images(labels, keys), 1, validation=0.2, test=0.3)
    assert (other[1] != test).any()


def test_a_class_that_would_be_held_out_as_a_whole_stays_in_training():
    random = np.random.default_rng(3)
    labels = np.append(random.integers(0, 2, 300), [2, 2])
    for seed in range(50):
        validation, test = split_rows(
            images(labels, keys_of(random, 302)), seed, validation=0.4, test=0.5
        )
        assert {0, 1, 2} == {*labels[~(validation | test)].tolist()}


@pytest.mark.parametrize("n_folds", [2, 5, 7])
def test_folds_divide_each_class_evenly(n_folds):
    random = np.random.default_rng(n_folds)
    labels, keys = random.integers(0, 3, 400), keys_of(random, 400)
    folds = fold_numbers(labels, keys, n_folds)
    counts = np.array([np.bincount(folds[labels == k], minlength=n_folds) for k in range(3)])
    assert np.ptp(counts, axis=1).max() <= 1
    assert np.ptp(counts.sum(axis=0)) <= 1
    order = random.permutation(400)
    assert (fold_numbers(labels[order], keys[order], n_folds) == folds[order]).all()
    assert (fold_numbers(labels, keys, n_folds, seed=1) != folds).any()


def test_images_with_equal_keys_share_a_fold_and_a_split():
    for seed in range(100):
        random = np.random.default_rng(seed)
        labels, keys = random.integers(0, 3, 200), keys_of(random, 200, 60)
        folds = fold_numbers(labels, keys, 5, seed)
        assert folds.min() == 0
        assert folds.max() == 4
        held_out = split_rows(images(labels, keys), seed, validation=0.3, test=0.3)
        for parts in (folds, *held_out):
            assert all(len({*parts[keys == key].tolist()}) == 1 for key in np.unique(keys))


def test_more_folds_than_images_of_a_class():
    labels, keys = np.array([0] * 9 + [1] * 4 + [2] * 9), np.arange(22, dtype=np.uint64)
    check_folds(labels, keys, NAMES, 4)
    with pytest.raises(DataError, match=r"5 folds: 'dog' \(4\); choose at most 4 folds"):
        check_folds(labels, keys, NAMES, 5)
    keys[9:13] = 5
    with pytest.raises(DataError, match=r"'dog' \(1\); add images, or leave them out"):
        check_folds(labels, keys, NAMES, 2)


def test_shuffled_labels_keep_groups_together():
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 500)
    alone = shuffled_labels(labels, np.arange(500, dtype=np.uint64), random)
    assert (np.bincount(alone) == np.bincount(labels)).all()
    assert np.mean(alone == labels) == pytest.approx(1 / 3, abs=0.1)
    keys = random.integers(0, 40, 500).astype(np.uint64)
    of_groups = random.integers(0, 3, 40)[keys.astype(int)]
    shuffled = shuffled_labels(of_groups, keys, random)
    assert all(len({*shuffled[keys == key].tolist()}) == 1 for key in range(40))
    assert (shuffled != of_groups).any()
    mixed = shuffled_labels(labels, keys, random)
    assert (np.bincount(mixed) == np.bincount(labels)).all()
    assert (mixed != labels).any()
