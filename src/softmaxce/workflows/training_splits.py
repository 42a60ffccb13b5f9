"""The images of a training run, split by split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from softmaxce.data.folds import split_rows
from softmaxce.data.pixel_dataset import Subset, load_for_model, load_for_training
from softmaxce.data.preprocessing_choice import PreprocessingOptions
from softmaxce.data.read_options import ReadOptions
from softmaxce.data.sources import Split
from softmaxce.workflows.progress import OnProgress, counted
from softmaxce.workflows.train_options import TrainOptions


def load_splits(
    folders: Mapping[str, Split],
    options: TrainOptions,
    read: ReadOptions,
    on_progress: OnProgress,
) -> dict[str, Subset]:
    """The images of "train", and of "validation" and "test" if they have any, in this order."""
    wanted = PreprocessingOptions(options.size, options.channels, options.fit, options.background)
    doing = "Reading images" if read.network is None else "Computing features"
    listening = replace(read, on_decoded=counted(on_progress, doing))
    images = load_for_training(folders["train"], wanted, listening, options.class_choice)
    if read.backend is not None:
        read.backend.check_size(images.preprocessing.images.n_pixels, len(images.class_names))
    fraction = options.validation
    if isinstance(fraction, Path) or "validation" in folders or options.folds:
        fraction = 0.0
    whole = Subset.whole(images)
    is_validation, is_test = split_rows(whole, options.seed, validation=fraction, test=options.test)
    splits = {
        "train": Subset(images, np.flatnonzero(~(is_validation | is_test))),
        "validation": Subset(images, np.flatnonzero(is_validation)),
        "test": Subset(images, np.flatnonzero(is_test)),
    }
    for name in ("validation", "test"):
        if name in folders:
            doing = f"Reading {name} images"
            if read.network is not None:
                doing = f"Computing the features of the {name} images"
            listening = replace(read, on_decoded=counted(on_progress, doing))
            known = images.class_names, images.preprocessing, listening, options.class_choice
            others = load_for_model(folders[name], *known, training=True)
            splits[name] = Subset.whole(others)
    return {name: subset for name, subset in splits.items() if subset.n_images}
