"""What the user may choose about a training, and which choices exclude each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from softmaxce.class_choice import ALL_CLASSES, ClassChoice
from softmaxce.data.sources import Split
from softmaxce.errors import InputError
from softmaxce.networks.graph import NetworkChoice


@dataclass(frozen=True)
class TrainOptions:
    """What the user may choose.

    size: (width, height), None for automatic; channels: 1 or 3, None for automatic; fit and
    background: see Preprocessing; validation: the fraction of each class to use as validation
    images, or where these are listed; test: the fraction to reserve for testing; folds:
    instead of validating, predict every image by a model trained on the other folds, then train on
    all images; permutations: how often to repeat this with shuffled labels; l2: the
    penalty constant, None for automatic; hidden: units of each hidden layer; calibrate: fit a
    temperature on the validation images; resume: continue an interrupted run; features: number of
    filters of patch features, 0 for pixels; mirror: whether these treat a picture and its mirror
    image alike, None for automatic; network: a pretrained network whose output is the features;
    class_choice: which classes are used, and which are merged.
    """

    size: tuple[int, int] | None = None
    channels: int | None = None
    fit: str = "stretch"
    background: str = "#ffffff"
    validation: float | Path = 0.2
    test: float = 0.0
    folds: int | None = None
    permutations: int | None = None
    l2: float | None = None
    hidden: tuple[int, ...] = ()
    class_weight: Literal["none", "balanced"] = "none"
    seed: int = 0
    calibrate: bool = True
    resume: bool = False
    features: int = 0
    mirror: bool | None = None
    network: NetworkChoice | None = None
    class_choice: ClassChoice = ALL_CLASSES


def check_distributable(options: TrainOptions) -> None:
    """Raise InputError if a cluster cannot train with these options."""
    if options.folds:
        raise InputError("--dask cannot cross-validate; leave --dask or --folds out")
    if options.hidden:
        raise InputError("--dask cannot train --hidden layers: they are trained in mini-batches")
    if options.features:
        raise InputError(
            "--dask cannot compute --features patches; leave one of the two options out"
        )
    if options.network:
        raise InputError("--dask cannot compute a network's features; leave one of the two out")


def check_options(options: TrainOptions, is_distributed: bool) -> None:
    """Raise InputError for choices that exclude each other."""
    if options.mirror is not None and not options.features:
        raise InputError("--mirror needs --features patches: a model of pixels has no symmetry")
    if options.permutations and not options.folds:
        raise InputError("--permutations needs --folds: it repeats them with shuffled labels")
    if options.folds and options.hidden:
        raise InputError(
            "--folds cannot train --hidden layers, which need validation images to know when to "
            "stop; leave one of the two options out"
        )
    if options.folds and isinstance(options.validation, Path):
        raise InputError(
            "--folds validates on every image once, so it needs no --validation; leave one of the "
            "two options out"
        )
    fraction = 0.0 if isinstance(options.validation, Path) else options.validation
    if not options.folds and fraction + options.test >= 1:
        raise InputError(
            f"--validation {fraction:g} and --test {options.test:g} leave no images for training"
        )
    if is_distributed:
        check_distributable(options)


def check_given_splits(splits: Mapping[str, Split], options: TrainOptions) -> None:
    """Raise InputError if the source has splits that the options would make."""
    if options.test and "test" in splits:
        raise InputError(
            f"--test reserves images for testing, but {splits['test']} has test images; leave "
            "--test out"
        )
    if options.folds and "validation" in splits:
        raise InputError(
            f"--folds validates on every image once, but {splits['validation']} has validation "
            "images; leave --folds out, or move these images to the training images"
        )
