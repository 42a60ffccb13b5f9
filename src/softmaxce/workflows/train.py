"""A folder of images → a trained, scored and saved model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from softmaxce import __version__
from softmaxce.data.pixel_dataset import PixelDataset, Subset
from softmaxce.data.read_options import ReadOptions
from softmaxce.data.source_findings import Finding
from softmaxce.data.sources import Split, as_split, find_splits
from softmaxce.errors import InputError, ModelError, OutputError
from softmaxce.metrics.calibration import fit_temperature
from softmaxce.metrics.conformal import calibration_scores
from softmaxce.model.model_file import load_model, save_model
from softmaxce.model.softmax_model import Features, SoftmaxModel, scale_of
from softmaxce.networks.features import NetworkFeatures
from softmaxce.networks.graph import open_network
from softmaxce.patches import PatchFeatures
from softmaxce.training.checkpoints import AnswerLog, Fingerprint, Snapshot
from softmaxce.training.fitting import Fit, fit
from softmaxce.training.rows import Rows
from softmaxce.training.sample_weights import balanced_sample_weight
from softmaxce.workflows.checkpoint import (
    checkpoint_type,
    digest_of,
    digest_of_run,
    kept_on_interrupt,
    refuse_finished,
)
from softmaxce.workflows.features import with_features_of_splits
from softmaxce.workflows.groups import Grouping, grouping_of
from softmaxce.workflows.log_probabilities import logits_in_blocks
from softmaxce.workflows.outputs import check_file
from softmaxce.workflows.patch_features import (
    PATCHES_TAIL_FACTOR,
    MirrorTrial,
    learned_patches,
)
from softmaxce.workflows.progress import FitListener, OnProgress, Stopwatch, ignore
from softmaxce.workflows.scored_subset import Overlap, ScoredSubset, score_logits, score_subset
from softmaxce.workflows.train_options import TrainOptions, check_given_splits, check_options
from softmaxce.workflows.training_splits import load_splits

if TYPE_CHECKING:
    from softmaxce.workflows.cross_validation import CrossValidation


@dataclass(frozen=True)
class TrainResult:
    """A trained model, how it was fitted, and how it scores on each split.

    folders: where each split is listed; without "validation" if these images were taken from the
    training folder; scored: "train", and "validation", "cross_validation" (each training image by a
    model trained without it) and "test" if they have images; objective_history: the objective at
    each iteration of each fit, in nats; example: an image to try the model on; mirror_trial: how
    mirror symmetry was chosen, if it was.
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
    cross_validation: CrossValidation | None = None

    @property
    def _datasets(self) -> Iterable[PixelDataset]:
        """The datasets of the splits, each once."""
        return {id(s.subset.dataset): s.subset.dataset for s in self.scored.values()}.values()

    @property
    def validated(self) -> ScoredSubset | None:
        """The images by which the temperature was chosen."""
        return self.scored.get("cross_validation", self.scored.get("validation"))

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
    check_options(options, read.backend is not None)
    clock = Stopwatch()
    network, options = _opened_network(options)
    folders = _sources(folder, options, read.group_by is not None)
    splits = load_splits(folders, options, replace(read, network=network), on_progress)
    clock.lap("features" if network else "decode")
    fingerprint = _fingerprint(splits, options, network)
    if options.resume:
        refuse_finished(model_path, fingerprint)
    features, trial = _features(splits, options, network, on_progress)
    if features:
        splits = with_features_of_splits(splits, features, on_progress, read.cache)
        clock.lap("features")
    folded = _cross_validation(splits["train"], options, on_progress)
    clock.lap("folds" if folded else "")
    listener = FitListener(on_progress)
    kind = checkpoint_type(splits["train"].dataset, options.hidden)
    with kept_on_interrupt(model_path, fingerprint, kind, options.resume) as checkpoint:
        l2 = folded.out_of_fold.median_l2 if folded else options.l2
        fitted = _fit(splits, replace(options, l2=l2), listener, checkpoint)
        clock.lap("fit")
        model, scored = _scored_model(fitted, splits, options, folded, features)
        record = _record(fitted, options, scored, listener.history)
        model = replace(model, training={**record, "run": digest_of_run(fingerprint)})
        save_model(model, model_path)
    history = ((stage, tuple(values)) for stage, values in listener.history.items())
    return TrainResult(
        model=model,
        model_path=str(model_path),
        fit=fitted,
        folders=folders,
        scored=scored,
        objective_history=tuple(history),
        example=_example(scored),
        seconds=clock.laps_and_total(),
        mirror_trial=trial,
        cross_validation=folded,
    )


def _sources(
    folder: str | PathLike[str], options: TrainOptions, is_grouped: bool
) -> dict[str, Split]:
    """Where the images of each split are listed."""
    folders = find_splits(folder, is_grouped=is_grouped)
    check_given_splits(folders, options)
    if isinstance(options.validation, Path):
        folders["validation"] = as_split(options.validation)
    return folders


def _cross_validation(
    images: Subset, options: TrainOptions, on_progress: OnProgress
) -> CrossValidation | None:
    if not options.folds:
        return None
    from softmaxce.workflows.cross_validation import cross_validate

    return cross_validate(images, options, on_progress)


def _example(scored: Mapping[str, ScoredSubset]) -> str:
    """The first correctly classified image of the last split (of the training images, if there are
    no others); its first if none is correct."""
    last = list(scored.values())[-1]
    return last.path(int(last.scores.is_correct.argmax()))


def _opened_network(options: TrainOptions) -> tuple[NetworkFeatures | None, TrainOptions]:
    """The network, if one is wanted, and the options with the preprocessing that it needs."""
    if options.network is None:
        return None, options
    network = open_network(options.network, options.size)
    height, width, channels = network.opened.shape
    if options.channels not in (None, channels):
        raise InputError(
            f"--color does not match the network, whose input has {channels} channels; leave "
            "--color out"
        )
    return network, replace(options, size=(width, height), channels=channels)


def _features(
    splits: Mapping[str, Subset],
    options: TrainOptions,
    network: NetworkFeatures | None,
    on_progress: OnProgress,
) -> tuple[Features | None, MirrorTrial | None]:
    """Those of the network, or learned patches, if either is wanted; how mirrors were chosen."""
    if not options.features:
        return network, None
    return learned_patches(splits, options.features, options.mirror, options.seed, on_progress)


def _fingerprint(
    splits: Mapping[str, Subset], options: TrainOptions, network: NetworkFeatures | None
) -> Fingerprint:
    """All that the fit depends on."""
    chosen = {f.name: str(getattr(options, f.name)) for f in fields(options)}
    chosen["network"] = str(network)  # the file's digest, not its path
    left_out = {"resume"} if options.features else {"resume", "features", "mirror"}
    optional = "test", "folds", "permutations", "class_choice", "network"
    left_out |= {name for name in optional if not getattr(options, name)}
    left_out |= {"validation"} if options.folds else set()
    return {
        "the program": {"softmaxce": __version__, "numpy": np.__version__},
        "the options": {name: chosen[name] for name in chosen.keys() - left_out},
        "the data": {name: digest_of(subset) for name, subset in splits.items()},
    }


def _fit(
    splits: Mapping[str, Subset],
    options: TrainOptions,
    listener: FitListener,
    checkpoint: AnswerLog | Snapshot | None,
) -> Fit:
    training, validation = splits["train"], splits.get("validation")
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
        scale=scale_of(training.dataset.inputs),
        l2=options.l2,
        hidden=options.hidden,
        sample_weight=weight,
        seed=options.seed,
        on_iteration=listener,
        checkpoint=checkpoint,
        tail_factor=PATCHES_TAIL_FACTOR if options.features else 1.0,
    )


def _rows(subset: Subset) -> Rows:
    return Rows(subset.dataset.inputs, subset.dataset.labels, subset.rows)


def _scored_model(
    fitted: Fit,
    splits: Mapping[str, Subset],
    options: TrainOptions,
    folded: CrossValidation | None,
    features: Features | None,
) -> tuple[SoftmaxModel, dict[str, ScoredSubset]]:
    """The model but for its record, and its scores on each split."""
    images, validation = splits["train"].dataset, splits.get("validation")
    trained_on = np.sort(splits["train"].half_digests)
    model = SoftmaxModel(
        fitted.layers,
        images.preprocessing,
        images.class_names,
        trained_on=trained_on,
        patches=features if isinstance(features, PatchFeatures) else None,
        class_choice=options.class_choice,
        network=features if isinstance(features, NetworkFeatures) else None,
    )
    held_out, logits = validation, None
    if folded:
        held_out, logits = splits["train"], folded.out_of_fold.logits
    elif validation:
        blocks = logits_in_blocks(model, validation.dataset.inputs, validation.rows)
        logits = np.concatenate(list(blocks)) if options.calibrate else None
    if options.calibrate and held_out and logits is not None:
        temperature = fit_temperature(logits, held_out.labels)
        model = model if temperature is None else model.with_temperature(temperature)
    scored = {name: score_subset(model, subset) for name, subset in splits.items()}
    if folded:
        of_folds = score_logits(model, splits["train"], folded.out_of_fold.logits)
        scored = {"train": scored.pop("train"), "cross_validation": of_folds, **scored}
    if held_out:
        losses = scored["cross_validation" if folded else "validation"].scores.cross_entropies
        model = replace(model, calibration_scores=calibration_scores(losses))
    return model, scored


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
        **({"folds": options.folds} if options.folds else {}),
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
