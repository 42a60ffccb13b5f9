"""A folder of images → a trained, scored and saved model."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np

from softmaxce import __version__
from softmaxce.data.pixel_dataset import (
    PixelDataset,
    Subset,
    load_for_model,
    load_for_training,
    validation_rows,
)
from softmaxce.data.preprocessing_choice import PreprocessingOptions
from softmaxce.data.read_options import ReadOptions
from softmaxce.data.source_findings import Finding
from softmaxce.data.sources import Split, as_split, find_splits
from softmaxce.errors import InputError, ModelError, OutputError
from softmaxce.metrics.calibration import fit_temperature
from softmaxce.metrics.conformal import calibration_scores
from softmaxce.model.model_file import load_model, save_model
from softmaxce.model.softmax_model import PIXEL_SCALE, SoftmaxModel
from softmaxce.patches import PatchFeatures
from softmaxce.training.checkpoints import AnswerLog, Fingerprint, Snapshot
from softmaxce.training.fitting import Fit, IterationInfo, balanced_sample_weight, fit
from softmaxce.training.rows import Rows
from softmaxce.workflows.checkpoint import (
    checkpoint_type,
    digest_of,
    digest_of_run,
    kept_on_interrupt,
    refuse_finished,
)
from softmaxce.workflows.groups import Grouping, grouping_of
from softmaxce.workflows.log_probabilities import logits_in_blocks
from softmaxce.workflows.outputs import check_file
from softmaxce.workflows.patch_features import (
    MirrorTrial,
    learned_patches,
    with_features_of_splits,
)
from softmaxce.workflows.progress import OnProgress, counted, ignore, of_fits
from softmaxce.workflows.scored_subset import Overlap, ScoredSubset, score_subset

# The variance of patch features falls off slowly: with their mean outside the preconditioner's
# subspace, every other step is too long (50,000 images: 61 passes; with 30 times the mean 18).
_TAIL_FACTOR = 30.0


@dataclass(frozen=True)
class TrainOptions:
    """What the user may choose.

    size: (width, height), None for automatic; channels: 1 or 3, None for automatic; fit and
    background: see Preprocessing; validation: the fraction of each class to use as validation
    images, or where these are listed; l2: the penalty constant, None for automatic; hidden: units
    of each hidden layer; calibrate: fit a temperature on the validation images; resume: continue
    an interrupted run; features: number of filters of patch features, 0 for pixels; mirror: whether
    these treat a picture and its mirror image alike, None for automatic.
    """

    size: tuple[int, int] | None = None
    channels: int | None = None
    fit: str = "stretch"
    background: str = "#ffffff"
    validation: float | Path = 0.2
    l2: float | None = None
    hidden: tuple[int, ...] = ()
    class_weight: Literal["none", "balanced"] = "none"
    seed: int = 0
    calibrate: bool = True
    resume: bool = False
    features: int = 0
    mirror: bool | None = None


@dataclass(frozen=True)
class TrainResult:
    """A trained model, how it was fitted, and how it scores on each split.

    folders: where each split is listed; without "validation" if these images were taken from the
    training folder; scored: "train", and "validation" and "test" if they have images;
    objective_history: the objective at each iteration of each fit, in nats; example: an image to
    try the model on; mirror_trial: how mirror symmetry was chosen, if it was.
    """

    model: SoftmaxModel
    model_path: str
    fit: Fit
    folders: Mapping[str, Split]
    scored: Mapping[str, ScoredSubset]
    objective_history: tuple[tuple[str, tuple[float, ...]], ...]
    example: str
    seconds: Mapping[str, float] = field(default_factory=dict)
    mirror_trial: MirrorTrial | None = None

    @property
    def _datasets(self) -> Iterable[PixelDataset]:
        """The datasets of the splits, each once."""
        return {id(s.subset.dataset): s.subset.dataset for s in self.scored.values()}.values()

    @property
    def left_out(self) -> tuple[str, ...]:
        """A line for each file that was skipped."""
        return tuple(line for dataset in self._datasets for line in dataset.left_out)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is worth knowing about the sources."""
        found = dict.fromkeys(f for dataset in self._datasets for f in dataset.findings)
        shared = [self.grouping.shared] if self.grouping and self.grouping.shared.count else []
        return (*shared, *found)

    @cached_property
    def grouping(self) -> Grouping | None:
        """The groups of the images, if they are grouped."""
        return grouping_of(self.scored)

    @property
    def overlaps(self) -> Mapping[str, Overlap]:
        """For "validation" and "test": the copies of training images, if there are any."""
        others = (name for name in self.scored if name != "train")
        return {name: copies for name in others if (copies := self.scored[name].overlap)}


def check_output(path: str | PathLike[str], force: bool) -> str:
    """What training will replace, in words; '' if the file does not exist yet.

    Raises OutputError if it would end with a file that must not be overwritten.
    """
    check_file(path)
    if not Path(path).exists():
        return ""
    try:
        return f"the model of {load_model(path).n_classes:,} classes in {path}"
    except ModelError:
        if force:
            return f"{path}, which was not a model"
        raise OutputError(
            f"cannot replace: {path}: it is not a softmaxce model; choose another --output, "
            "or replace it with --force"
        ) from None


def check_distributable(options: TrainOptions) -> None:
    """Raise InputError if a cluster cannot train with these options."""
    if options.hidden:
        raise InputError("--dask cannot train --hidden layers: they are trained in mini-batches")
    if options.features:
        raise InputError(
            "--dask cannot compute --features patches; leave one of the two options out"
        )


def train(
    folder: str | PathLike[str],
    model_path: str | PathLike[str],
    options: TrainOptions,
    read: ReadOptions = ReadOptions(),
    on_progress: OnProgress = ignore,
) -> TrainResult:
    """Train on the class folders in `folder`, score the model, and save it at `model_path`.

    Raises InputError, DataError, ImageError, TrainingError, OutputError or ClusterLost; and
    AlreadyTrained if the run to resume has finished.
    """
    _check(options, read)
    started = time.perf_counter()
    folders = find_splits(folder)
    if isinstance(options.validation, Path):
        folders["validation"] = as_split(options.validation)
    splits = _load(folders, options, read, on_progress)
    decoded = time.perf_counter()
    fingerprint = _fingerprint(splits, options)
    if options.resume:
        refuse_finished(model_path, fingerprint)
    patches, trial, splits = _with_features(splits, options, on_progress)
    featured = time.perf_counter()
    history: dict[str, list[float]] = {}
    kind = checkpoint_type(splits["train"].dataset, options.hidden)
    with kept_on_interrupt(model_path, fingerprint, kind, options.resume) as checkpoint:
        fitted = _fit(splits, options, on_progress, history, checkpoint)
        fit_done = time.perf_counter()
        model, scored = _scored_model(fitted, splits, options, history, patches)
        model = replace(model, training={**model.training, "run": digest_of_run(fingerprint)})
        save_model(model, model_path)
    return TrainResult(
        model=model,
        model_path=str(model_path),
        fit=fitted,
        folders=folders,
        scored=scored,
        objective_history=tuple((stage, tuple(values)) for stage, values in history.items()),
        example=_example(scored),
        seconds={
            "decode": decoded - started,
            **({"features": featured - decoded} if patches else {}),
            "fit": fit_done - featured,
            "total": time.perf_counter() - started,
        },
        mirror_trial=trial,
    )


def _example(scored: Mapping[str, ScoredSubset]) -> str:
    """The first correctly classified image of the last split; its first if none is correct.

    The last split is the training set only if there is no other.
    """
    last = list(scored.values())[-1]
    return last.path(int(last.scores.is_correct.argmax()))


def _check(options: TrainOptions, read: ReadOptions) -> None:
    if options.mirror is not None and not options.features:
        raise InputError("--mirror needs --features patches: a model of pixels has no symmetry")
    if read.backend is not None:
        check_distributable(options)


def _with_features(
    splits: dict[str, Subset], options: TrainOptions, on_progress: OnProgress
) -> tuple[PatchFeatures | None, MirrorTrial | None, dict[str, Subset]]:
    """The patch features, if they are wanted, and the splits with them."""
    if not options.features:
        return None, None, splits
    patches, trial = learned_patches(
        splits, options.features, options.mirror, options.seed, on_progress
    )
    return patches, trial, with_features_of_splits(splits, patches, on_progress)


def _load(
    folders: Mapping[str, Split],
    options: TrainOptions,
    read: ReadOptions,
    on_progress: OnProgress,
) -> dict[str, Subset]:
    """The images of "train", and of "validation" and "test" if they have any, in this order."""
    wanted = PreprocessingOptions(options.size, options.channels, options.fit, options.background)
    progress = counted(on_progress, "Reading images")
    images = load_for_training(folders["train"], wanted, replace(read, on_decoded=progress))
    if read.backend is not None:
        read.backend.check_size(images.preprocessing.n_pixels, len(images.class_names))

    def load_other(name: str) -> Subset:
        listening = replace(read, on_decoded=counted(on_progress, f"Reading {name} images"))
        known = images.class_names, images.preprocessing
        return Subset.whole(load_for_model(folders[name], *known, listening, training=True))

    splits = {"train": Subset.whole(images)}
    if "validation" in folders:
        splits["validation"] = load_other("validation")
    elif not isinstance(options.validation, Path):
        is_validation = validation_rows(images, options.validation, options.seed)
        splits["train"] = Subset(images, np.flatnonzero(~is_validation))
        splits["validation"] = Subset(images, np.flatnonzero(is_validation))
    if "test" in folders:
        splits["test"] = load_other("test")
    return {name: subset for name, subset in splits.items() if subset.n_images}


def _fingerprint(splits: Mapping[str, Subset], options: TrainOptions) -> Fingerprint:
    """All that the fit depends on."""
    chosen = {f.name: str(getattr(options, f.name)) for f in fields(options)}
    left_out = {"resume"} if options.features else {"resume", "features", "mirror"}
    return {
        "the program": {"softmaxce": __version__, "numpy": np.__version__},
        "the options": {name: chosen[name] for name in chosen.keys() - left_out},
        "the data": {name: digest_of(subset) for name, subset in splits.items()},
    }


def _fit(
    splits: Mapping[str, Subset],
    options: TrainOptions,
    on_progress: OnProgress,
    history: dict[str, list[float]],
    checkpoint: AnswerLog | Snapshot | None,
) -> Fit:
    """The fit; `history` receives the objective at each iteration of each stage."""
    training, validation = splits["train"], splits.get("validation")
    furthest: dict[str, float] = {}

    def listen(info: IterationInfo) -> None:
        history.setdefault(info.stage, []).append(info.objective)
        furthest[info.stage] = max(furthest.get(info.stage, 0.0), info.progress)
        on_progress(of_fits([*history], furthest[info.stage], info.objective))

    n_classes = len(training.dataset.class_names)
    weight = None
    if options.class_weight == "balanced":
        weight = balanced_sample_weight(training.labels, n_classes)
    return fit(
        training.dataset.inputs,
        training.dataset.labels,
        n_classes,
        rows=training.rows,
        validation=_rows(validation) if validation else None,
        scale=PIXEL_SCALE,
        l2=options.l2,
        hidden=options.hidden,
        sample_weight=weight,
        seed=options.seed,
        on_iteration=listen,
        checkpoint=checkpoint,
        tail_factor=_TAIL_FACTOR if options.features else 1.0,
    )


def _rows(subset: Subset) -> Rows:
    return Rows(subset.dataset.inputs, subset.dataset.labels, subset.rows)


def _scored_model(
    fitted: Fit,
    splits: Mapping[str, Subset],
    options: TrainOptions,
    history: Mapping[str, list[float]],
    patches: PatchFeatures | None,
) -> tuple[SoftmaxModel, dict[str, ScoredSubset]]:
    """The complete model, and its scores on each split."""
    images, validation = splits["train"].dataset, splits.get("validation")
    trained_on = np.sort(splits["train"].half_digests)
    model = SoftmaxModel(
        fitted.layers,
        images.preprocessing,
        images.class_names,
        trained_on=trained_on,
        patches=patches,
    )
    if options.calibrate and validation:
        logits = list(logits_in_blocks(model, validation.dataset.inputs, validation.rows))
        temperature = fit_temperature(np.concatenate(logits), validation.labels)
        model = model if temperature is None else model.with_temperature(temperature)
    scored = {name: score_subset(model, subset) for name, subset in splits.items()}
    if validation:
        losses = scored["validation"].scores.cross_entropies
        model = replace(model, calibration_scores=calibration_scores(losses))
    return replace(model, training=_record(fitted, options, scored, history)), scored


def _record(
    fitted: Fit,
    options: TrainOptions,
    scored: Mapping[str, ScoredSubset],
    history: Mapping[str, list[float]],
) -> dict[str, Any]:
    """What the model file keeps of the run: nothing that depends on the clock or the machine."""
    return {
        "softmaxce": __version__,
        "l2": fitted.l2,
        "hidden": list(options.hidden),
        "class_weight": options.class_weight,
        "seed": options.seed,
        "objective": fitted.objective,
        "gradient_norm": fitted.gradient_norm,
        "n_iterations": fitted.n_iterations,
        "converged": fitted.converged,
        "stop_reason": fitted.stop_message,
        "course": [[stage, objectives] for stage, objectives in history.items()],
        "l2_path": [[step.l2, step.validation_cross_entropy] for step in fitted.l2_path],
        "l2_path_training": [step.training_cross_entropy for step in fitted.l2_path],
        "class_counts": [s.support for s in scored["train"].scores.per_class],
        "scores": {
            name: {
                "n_images": split.scores.n_images,
                "accuracy": split.scores.accuracy,
                "cross_entropy": split.scores.cross_entropy,
                "uncalibrated_cross_entropy": split.uncalibrated.cross_entropy,
                "expected_calibration_error": split.scores.expected_calibration_error,
                "uncalibrated_calibration_error": split.uncalibrated.expected_calibration_error,
            }
            for name, split in scored.items()
        },
    }
