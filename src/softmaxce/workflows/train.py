"""Class folders → a trained, judged and saved model."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from softmaxce import __version__
from softmaxce.data.pixel_cache import PixelCache
from softmaxce.data.pixel_dataset import (
    PixelDataset,
    held_out,
    load_for_model,
    load_for_training,
)
from softmaxce.data.preprocessing_choice import PreprocessingOptions, Reader
from softmaxce.data.sources import Part, Splits, find_splits
from softmaxce.errors import OutputError
from softmaxce.metrics.calibration import fit_temperature
from softmaxce.metrics.conformal import calibration_scores
from softmaxce.metrics.scores import Scores
from softmaxce.model.model_file import is_model_file, save_model
from softmaxce.model.softmax_model import PIXEL_SCALE, SoftmaxModel
from softmaxce.training.checkpoints import AnswerLog, Fingerprint, Snapshot
from softmaxce.training.fitting import Fit, IterationInfo, balanced_sample_weight, fit
from softmaxce.training.rows import Rows
from softmaxce.workflows.checkpoint import checkpoint_type, digest_of, kept_on_interrupt
from softmaxce.workflows.outputs import check_file
from softmaxce.workflows.overlap import Overlap, half_digests, overlap
from softmaxce.workflows.progress import OnProgress, Progress, counted, ignore
from softmaxce.workflows.scored_subset import ScoredSubset, logits_of, score_subset


@dataclass(frozen=True)
class TrainOptions:
    """What the user may choose.

    size: (width, height), None for automatic; channels: 1 or 3, None for automatic; fit and
    background: see Preprocessing; validation: the fraction of each class to hold out, or where
    the held-out images are; cache: a folder for decoded pixels, None for none; l2: the penalty
    constant, None for automatic; hidden: units of each hidden layer; jobs: decoding processes;
    calibrate: fit a temperature on the held-out images; resume: go on with an interrupted run.
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
    jobs: int | None = None
    skip_bad: bool = False
    calibrate: bool = True
    cache: Path | None = None
    resume: bool = False


# The model is the same whatever these are.
_NOT_IN_FINGERPRINT = {"jobs", "skip_bad", "cache", "resume"}


@dataclass(frozen=True)
class TrainResult:
    """A trained model, how it was fitted, and how it does on each part of the data.

    scored: "train", and "validation" and "test" where there are such images; validation_folder is
    the folder that the held-out images came from, None where they were taken out of the training
    folder; objective_history: the objective at each iteration of each fit, in nats.
    """

    model: SoftmaxModel
    model_path: str
    fit: Fit
    folders: Splits
    validation_folder: Part | None
    scored: Mapping[str, ScoredSubset]
    objective_history: tuple[tuple[str, tuple[float, ...]], ...]
    left_out: tuple[str, ...]
    example: str
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_calibrated(self) -> bool:
        """Whether a temperature was fitted on the held-out images."""
        return self.model.temperature != 1.0

    @property
    def train(self) -> Scores:
        """How the model does on the images that it was trained on."""
        return self.scored["train"].scores

    @property
    def validation(self) -> Scores | None:
        """How it does on the held-out images, None where there are none."""
        return self.scored["validation"].scores if "validation" in self.scored else None

    @property
    def test(self) -> Scores | None:
        """How it does on the test images, None where there are none."""
        return self.scored["test"].scores if "test" in self.scored else None

    @cached_property
    def overlaps(self) -> Mapping[str, Overlap]:
        """For "validation" and "test": the copies of images trained on, where there are any."""
        others = {name: part for name, part in self.scored.items() if name != "train"}
        found = {name: overlap(part) for name, part in others.items()}
        return {name: copies for name, copies in found.items() if copies is not None}


@dataclass(frozen=True)
class _Parts:
    """The images of the training folder with the held-out rows, and of the other folders."""

    images: PixelDataset
    is_validation: NDArray[np.bool_]
    validation: PixelDataset | None
    test: PixelDataset | None

    def others(self) -> tuple[PixelDataset, ...]:
        return tuple(part for part in (self.validation, self.test) if part is not None)


def check_output(path: str | PathLike[str], force: bool) -> None:
    """Raise OutputError where training would end with a file that must not be written."""
    check_file(path)
    if Path(path).exists() and not force and not is_model_file(path):
        raise OutputError(
            f"cannot replace: {path}: it is no softmaxce model; choose another --output, "
            "or replace it with --force"
        )


def train(
    folder: str | PathLike[str],
    model_path: str | PathLike[str],
    options: TrainOptions,
    on_progress: OnProgress = ignore,
    reader: Reader | None = None,
) -> TrainResult:
    """Train on the class folders in `folder`, judge, and save the model at `model_path`.

    A `reader` reads the images elsewhere, such as on a cluster; the model is the same.
    Interrupted while it fits, it leaves a checkpoint, from which `resume` goes on to the very
    same model. Raises DataError, ImageError, TrainingError, OutputError or ClusterLost.
    """
    started = time.perf_counter()
    folders = find_splits(folder)
    if isinstance(options.validation, Path):
        folders = replace(folders, validation=Part(options.validation))
    parts = _load(folders, options, on_progress, reader)
    decoded = time.perf_counter()
    history: dict[str, list[float]] = {}
    kind = checkpoint_type(parts.images, options.hidden)
    fingerprint = _fingerprint(parts, options)
    with kept_on_interrupt(model_path, fingerprint, kind, options.resume) as checkpoint:
        fitted = _fit(parts, options, on_progress, history, checkpoint)
        fit_done = time.perf_counter()
        model, scored = _scored_model(fitted, parts, options, history)
        save_model(model, model_path)
    return TrainResult(
        model=model,
        model_path=str(model_path),
        fit=fitted,
        folders=folders,
        validation_folder=folders.validation,
        scored=scored,
        objective_history=tuple(
            (stage, tuple(objectives)) for stage, objectives in history.items()
        ),
        left_out=tuple(line for part in (parts.images, *parts.others()) for line in part.left_out),
        example=_example(parts),
        seconds={
            "decode": decoded - started,
            "fit": fit_done - decoded,
            "total": time.perf_counter() - started,
        },
    )


def _load(
    folders: Splits, options: TrainOptions, on_progress: OnProgress, reader: Reader | None
) -> _Parts:
    cache = PixelCache(options.cache) if options.cache else None
    images = load_for_training(
        folders.train,
        request=PreprocessingOptions(
            options.size, options.channels, options.fit, options.background
        ),
        skip_bad=options.skip_bad,
        cache=cache,
        jobs=options.jobs,
        on_decoded=counted(on_progress, "Reading images"),
        reader=reader,
    )
    if reader is not None:
        reader.check_size(images.preprocessing.n_pixels, len(images.class_names))

    def load_other(folder: Part | None, stage: str) -> PixelDataset | None:
        if folder is None:
            return None
        return load_for_model(
            folder,
            images.class_names,
            images.preprocessing,
            skip_bad=options.skip_bad,
            cache=cache,
            jobs=options.jobs,
            on_decoded=counted(on_progress, stage),
            reader=reader,
        )

    validation = load_other(folders.validation, "Reading validation images")
    test = load_other(folders.test, "Reading test images")
    fraction = 0.0 if isinstance(options.validation, Path) else options.validation
    is_validation = held_out(images, 0.0 if validation is not None else fraction, options.seed)
    return _Parts(images, is_validation, validation, test)


def _fingerprint(parts: _Parts, options: TrainOptions) -> Fingerprint:
    """All that the fit depends on."""
    chosen = {f.name: str(getattr(options, f.name)) for f in fields(options)}
    others = {"validation": parts.validation, "test": parts.test}
    return {
        "the program": {"softmaxce": __version__, "numpy": np.__version__},
        "the options": {name: chosen[name] for name in chosen.keys() - _NOT_IN_FINGERPRINT},
        "the data": {
            "training": digest_of(parts.images),
            "held out": str(int(parts.is_validation.sum())),
            **{name: digest_of(part) if part else "none" for name, part in others.items()},
        },
    }


def _fit(
    parts: _Parts,
    options: TrainOptions,
    on_progress: OnProgress,
    history: dict[str, list[float]],
    checkpoint: AnswerLog | Snapshot | None,
) -> Fit:
    """The fit; `history` is filled with the objective at each iteration of each stage."""
    images = parts.images
    rows = np.flatnonzero(~parts.is_validation)
    validation = None
    if parts.validation is not None:
        validation = Rows(parts.validation.pixels, parts.validation.labels)
    elif parts.is_validation.any():
        validation = Rows(images.pixels, images.labels, np.flatnonzero(parts.is_validation))

    def listen(info: IterationInfo) -> None:
        history.setdefault(info.stage, []).append(info.objective)
        on_progress(Progress("Fitting", info.progress, f"loss {info.objective:.4f}"))

    n_classes = len(images.class_names)
    weight = None
    if options.class_weight == "balanced":
        weight = balanced_sample_weight(images.labels[rows], n_classes)
    return fit(
        images.pixels,
        images.labels,
        n_classes,
        rows=rows,
        validation=validation,
        scale=PIXEL_SCALE,
        l2=options.l2,
        hidden=options.hidden,
        sample_weight=weight,
        seed=options.seed,
        on_iteration=listen,
        checkpoint=checkpoint,
    )


def _scored_model(
    fitted: Fit, parts: _Parts, options: TrainOptions, history: Mapping[str, list[float]]
) -> tuple[SoftmaxModel, dict[str, ScoredSubset]]:
    """The model with all that it keeps, and its answers for each part of the data."""
    images = parts.images
    trained_on = half_digests(images, np.flatnonzero(~parts.is_validation))
    model = SoftmaxModel(
        fitted.layers, images.preprocessing, images.class_names, trained_on=np.sort(trained_on)
    )
    if options.calibrate:
        model = _calibrated(model, parts)
    scored = _score_splits(model, parts)
    if "validation" in scored:
        losses = scored["validation"].scores.cross_entropies
        model = replace(model, calibration_scores=calibration_scores(losses))
    return replace(model, training=_training_facts(fitted, options, scored, history)), scored


def _calibrated(model: SoftmaxModel, parts: _Parts) -> SoftmaxModel:
    """The model with the temperature that the held-out images ask for, where they ask for one."""
    images, rows = parts.images, np.flatnonzero(parts.is_validation)
    if parts.validation is not None:
        images, rows = parts.validation, np.arange(parts.validation.n_images)
    if not len(rows):
        return model
    logits = np.concatenate(list(logits_of(model, images, rows)))
    temperature = fit_temperature(logits, images.labels[rows])
    return model if temperature is None else model.with_temperature(temperature)


def _score_splits(model: SoftmaxModel, parts: _Parts) -> dict[str, ScoredSubset]:
    """The model's answers for each part of the data that has images."""
    scored = {}
    for name, rows in (
        ("train", np.flatnonzero(~parts.is_validation)),
        ("validation", np.flatnonzero(parts.is_validation)),
    ):
        if len(rows):
            scored[name] = score_subset(model, parts.images, rows)
    if parts.validation is not None:
        scored["validation"] = score_subset(model, parts.validation)
    if parts.test is not None:
        scored["test"] = score_subset(model, parts.test)
    return scored


def _training_facts(
    fitted: Fit,
    options: TrainOptions,
    scored: Mapping[str, ScoredSubset],
    history: Mapping[str, list[float]],
) -> dict[str, Any]:
    """What the model file keeps of the run: nothing that depends on clock, machine or place."""
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
        "class_counts": [s.support for s in scored["train"].scores.per_class],
        "scores": {
            name: {
                "n_images": part.scores.n_images,
                "accuracy": part.scores.accuracy,
                "cross_entropy": part.scores.cross_entropy,
                "uncalibrated_cross_entropy": part.uncalibrated.cross_entropy,
                "expected_calibration_error": part.scores.expected_calibration_error,
                "uncalibrated_calibration_error": part.uncalibrated.expected_calibration_error,
            }
            for name, part in scored.items()
        },
    }


def _example(parts: _Parts) -> str:
    """A picture to try the model on: one that it was not trained on, where there is one."""
    for other in reversed(parts.others()):
        return other.paths[0]
    out = np.flatnonzero(parts.is_validation)
    return parts.images.paths[int(out[0]) if len(out) else 0]
