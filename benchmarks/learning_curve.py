"""Does the interval of `check --curve` contain the gain that twice the images then bring?

    python benchmarks/learning_curve.py mnist|clothing [FIRST] [LAST]

Each set (seed FIRST to LAST − 1) is drawn at random from the images in SOFTMAXCE_DATA. The truth is
the difference of accuracy, on up to 15,000 other images, of models that are trained as `train` does
on the set and on a set of twice as many images that contains it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

from softmaxce.data.folds import split_rows
from softmaxce.data.pixel_cache import PixelCache, default_folder
from softmaxce.data.pixel_dataset import PixelDataset, Subset, load_for_training
from softmaxce.data.read_options import ReadOptions
from softmaxce.layers import forward
from softmaxce.metrics.intervals import wilson_interval
from softmaxce.model.softmax_model import PIXEL_SCALE
from softmaxce.training.fitting import fit
from softmaxce.training.rows import Rows
from softmaxce.workflows.learning_curve import curve_of
from softmaxce.workflows.train_options import TrainOptions

N_IMAGES = {
    "mnist": (500, 1000, 2000, 500, 4000, 1000, 500, 1000, 2000, 8000),
    "clothing": (200, 400, 800, 300, 600, 1000),
}
N_OTHERS = 15_000


def is_correct(dataset: PixelDataset, splits: dict[str, Subset], others: np.ndarray) -> np.ndarray:
    """Whether a model of these splits classifies each of the other images correctly."""
    inputs, labels, validation = dataset.inputs, dataset.labels, splits["validation"].rows
    n_classes = len(dataset.class_names)
    rows = splits["train"].rows
    fitted = fit(inputs, labels, n_classes, rows=rows, validation=Rows(inputs, labels, validation))
    logits = forward(fitted.layers, inputs[others] * PIXEL_SCALE)
    return np.asarray(logits.argmax(axis=1) == labels[others])


def main(name: str, first: int = 0, last: int = 50) -> None:
    """Print each set, and the coverage and the width of the intervals so far."""
    folder = Path(os.environ["SOFTMAXCE_DATA"]) / name / "train"
    dataset = load_for_training(folder, options=ReadOptions(cache=PixelCache(default_folder())))
    is_validation, _ = split_rows(Subset.whole(dataset), 0, validation=0.2)
    hits, widths = 0, []
    for seed in range(first, last):
        n = N_IMAGES[name][seed % len(N_IMAGES[name])]
        order = np.random.default_rng(seed).permutation(dataset.n_images)
        others, correct = np.sort(order[2 * n :][:N_OTHERS]), []
        for rows in (np.sort(order[:n]), np.sort(order[: 2 * n])):
            splits = {
                "train": Subset(dataset, rows[~is_validation[rows]]),
                "validation": Subset(dataset, rows[is_validation[rows]]),
            }
            if not correct:
                curve = curve_of(splits, TrainOptions())
            correct.append(is_correct(dataset, splits, others))
        gain = correct[1].mean() - correct[0].mean()
        low, high = curve.gain_interval
        hits += low <= gain <= high
        widths.append(high - low)
        n_sets = seed - first + 1
        least, most = wilson_interval(int(hits), n_sets)
        print(
            f"{name} {seed}: {n} images, gain {gain:.2%}, predicted {curve.gain:.2%} "
            f"({low:.2%} to {high:.2%}); so far {hits} of {n_sets} covered (95 % CI {least:.0%} "
            f"to {most:.0%}), median width {np.median(widths):.2%}",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
