"""One score from predictions of every image, and whether it may be chance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from softmaxce.data.folds import shuffled_labels
from softmaxce.data.pixel_dataset import Subset
from softmaxce.metrics.scores import score
from softmaxce.numerics import log_softmax
from softmaxce.workflows.out_of_fold import FoldOptions, OutOfFold, out_of_fold
from softmaxce.workflows.progress import OnProgress, Progress, ignore
from softmaxce.workflows.train_options import TrainOptions

_ENOUGH = 10  # permutations that are as good: the accuracy may well be chance


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """The predictions, and how many of n_permutations with shuffled labels were as good."""

    out_of_fold: OutOfFold
    n_permutations: int = 0
    n_as_good: int = 0

    @property
    def n_images(self) -> int:
        """The number of images."""
        return len(self.out_of_fold.folds)

    @property
    def n_folds(self) -> int:
        """The number of folds."""
        return len(self.out_of_fold.l2)

    @property
    def p_value(self) -> float | None:
        """The probability of such an accuracy by chance; None if there were no permutations."""
        if self.n_as_good == _ENOUGH:
            return self.n_as_good / self.n_permutations
        return (1 + self.n_as_good) / (1 + self.n_permutations) if self.n_permutations else None


def cross_validate(
    images: Subset, options: TrainOptions, on_progress: OnProgress = ignore
) -> CrossValidation:
    """Predict every image by a model trained on the other folds, and test whether the accuracy may
    be chance (Ojala and Garriga 2010, test 1).

    Each permutation shuffles the labels and repeats everything, the folds included. If the
    accuracies are equal, the lower cross-entropy is better. It ends when _ENOUGH are as good, which
    leaves the p-value valid (Besag and Clifford 1991). Raises as `out_of_fold` does.
    """
    n_permutations = options.permutations or 0
    chosen = FoldOptions(
        n_folds=options.folds or 0,
        l2=options.l2,
        is_balanced=options.class_weight == "balanced",
        seed=options.seed,
        features=options.features,
        mirror=options.mirror,
    )
    found = out_of_fold(images, chosen, on_progress)
    random = np.random.default_rng(options.seed)
    keys, dataset = images.dataset.split_keys[images.rows], images.dataset
    reached, n_as_good = _quality(found, images), 0
    for i in range(n_permutations):
        detail = f"{i:,} of {n_permutations:,}"
        on_progress(Progress("Shuffling labels", i / n_permutations, detail))
        labels = dataset.labels.copy()
        labels[images.rows] = shuffled_labels(images.labels, keys, random)
        shuffled = Subset(replace(dataset, labels=labels), images.rows)
        n_as_good += _quality(out_of_fold(shuffled, chosen), shuffled) >= reached
        if n_as_good == _ENOUGH:
            n_permutations = i + 1
            break
    return CrossValidation(found, n_permutations, n_as_good)


def _quality(found: OutOfFold, images: Subset) -> tuple[int, float]:
    scores = score(log_softmax(found.logits, axis=1), images.labels)
    return scores.n_correct, -scores.cross_entropy
