"""Cross-validation on images and labels without meaning: is the accuracy that of chance, and is
p < 0.05 as rare as it should be?

    python benchmarks/folds.py [N_SETS] [N_PERMUTATIONS]

Each set has 60 images of 32 × 32 coloured noise, 30 of each of two classes.
"""

from __future__ import annotations

import sys

import numpy as np

from softmaxce.data.pixel_dataset import PixelDataset, Subset
from softmaxce.metrics.intervals import wilson_interval
from softmaxce.preprocessing import Preprocessing
from softmaxce.workflows.cross_validation import cross_validate
from softmaxce.workflows.train_options import TrainOptions

N_IMAGES, N_CLASSES, SIDE = 60, 2, 32


def noise(seed: int) -> Subset:
    """A set of noise."""
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (N_IMAGES, 3 * SIDE * SIDE), np.uint8)
    digests = random.integers(0, 2**63, (N_IMAGES, 2), np.uint64)
    labels = np.repeat(np.arange(N_CLASSES), N_IMAGES // N_CLASSES)
    names, paths = (tuple(map(str, range(n))) for n in (N_CLASSES, N_IMAGES))
    form = Preprocessing(SIDE, SIDE, 3)
    return Subset.whole(PixelDataset(pixels, labels, names, paths, digests, form))


def main(n_sets: int = 500, n_permutations: int = 199) -> None:
    """Print the mean accuracy and the share of small p-values."""
    options = TrainOptions(folds=5, permutations=n_permutations)
    accuracies, p_values = [], []
    for seed in range(n_sets):
        images = noise(seed)
        found = cross_validate(images, options)
        predicted = found.out_of_fold.logits.argmax(axis=1)
        accuracies.append(float(np.mean(predicted == images.labels)))
        p_values.append(found.p_value or 1.0)
        if (seed + 1) % 50 == 0 or seed == n_sets - 1:
            mean, n_small = np.mean(accuracies), sum(p < 0.05 for p in p_values)
            low, high = wilson_interval(n_small, len(p_values))
            print(
                f"{len(p_values)} sets: accuracy {mean:.4f} (chance {1 / N_CLASSES}), p < 0.05 in "
                f"{n_small} ({n_small / len(p_values):.1%}; 95 % CI {low:.1%} to {high:.1%})",
                flush=True,
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
