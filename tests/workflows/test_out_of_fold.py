"""Out-of-fold predictions against scikit-learn, and what the models must not have seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from softmaxce.data.pixel_dataset import PixelDataset, Subset
from softmaxce.numerics import softmax
from softmaxce.preprocessing import Preprocessing
from softmaxce.workflows.cross_validation import cross_validate
from softmaxce.workflows.out_of_fold import FoldOptions, out_of_fold
from softmaxce.workflows.train_options import TrainOptions

SIDE = 8


def images(n=240, signal=60.0, side=SIDE):
    """Three classes of noise, each brighter at a pixel of its own."""
    random = np.random.default_rng(1)
    labels = np.repeat(np.arange(3), n // 3)
    pixels = random.normal(110, 30, (n, side * side))
    pixels[np.arange(n), 5 * labels] += signal
    digests = random.integers(0, 2**63, (n, 2), dtype=np.uint64)
    names, paths = (tuple(map(str, range(m))) for m in (3, n))
    values = np.clip(pixels, 0, 255).astype(np.uint8)
    form = Preprocessing(side, side, 1)
    return Subset.whole(PixelDataset(values, labels, names, paths, digests, form))


def test_each_image_is_predicted_by_a_model_of_the_other_folds():
    data, l2 = images(), 0.02
    found = out_of_fold(data, FoldOptions(n_folds=4, l2=l2))
    x, y = data.dataset.pixels / 255, data.labels
    for fold in range(4):
        others = found.folds != fold
        peer = LogisticRegression(C=1 / (l2 * others.sum()), tol=1e-8, max_iter=5000)
        expected = peer.fit(x[others], y[others]).predict_proba(x[~others])
        assert np.abs(softmax(found.logits[~others], axis=1) - expected).max() < 0.01


def test_the_penalty_is_chosen_within_each_fold():
    found = out_of_fold(images(signal=90.0), FoldOptions())
    assert len(found.l2) == 5
    assert min(found.l2) > 0
    assert (found.logits.argmax(axis=1) == images().labels).mean() > 0.9
    assert replace(found, l2=(3.0, 1.0, 2.0, 4.0)).median_l2 == 3.0


@pytest.mark.parametrize("options", [{}, {"l2": 0.01, "is_balanced": True}, {"features": 4}])
def test_nothing_is_learned_from_the_fold_that_is_held_out(options):
    data = images(180, side=12)
    first = out_of_fold(data, FoldOptions(n_folds=3, **options))
    held_out = np.flatnonzero(first.folds == 0)
    pixels = data.dataset.pixels.copy()
    pixels[held_out[1:]] = 255 - pixels[held_out[1:]]
    changed = Subset.whole(replace(data.dataset, pixels=pixels))
    again = out_of_fold(changed, FoldOptions(n_folds=3, **options))
    assert (again.folds == first.folds).all()
    assert (again.logits[held_out[0]] == first.logits[held_out[0]]).all()
    assert (again.logits[first.folds == 1] != first.logits[first.folds == 1]).any()


def test_shuffled_labels_are_as_good_only_by_chance():
    clear = cross_validate(images(90), TrainOptions(folds=3, l2=0.1, permutations=19))
    assert (clear.n_as_good, clear.p_value) == (0, 0.05)
    noise = cross_validate(images(90, signal=0.0), TrainOptions(folds=3, l2=0.1, permutations=999))
    assert noise.n_as_good == 10  # which ends the permutations
    assert noise.p_value == 10 / noise.n_permutations > 0.05
    assert cross_validate(images(90), TrainOptions(folds=3, l2=0.1)).p_value is None
