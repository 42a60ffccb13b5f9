"""Sentences about results that the terminal and the report share."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from softmaxce.errors import first_and_more
from softmaxce.metrics.scores import Scores
from softmaxce.model.softmax_model import Features, SoftmaxModel
from softmaxce.networks.features import NetworkFeatures
from softmaxce.patches import SIDE
from softmaxce.preprocessing import FeatureVectors, Form
from softmaxce.views.formatting import counted, interval, percent
from softmaxce.views.safe_text import visible
from softmaxce.workflows.evaluate import Coverage
from softmaxce.workflows.groups import Grouping
from softmaxce.workflows.scored_subset import Overlap
from softmaxce.workflows.training_record import TrainingRecord

if TYPE_CHECKING:
    from softmaxce.workflows.cross_validation import CrossValidation

CONFUSION_TITLE = "Confusion matrix (rows: true class, columns: predicted class)"
MOST_CONFUSED_TITLE = "Most frequent confusions"
BASELINE_MEANING = (
    "for proportions, always predicting the most frequent class(es); for losses, a uniform "
    "prediction (ln K for cross-entropy); for the calibration error, the value that a perfectly "
    "calibrated model shows by chance"
)
CI_MEANING = (
    "where the score is likely to lie for other images of the same kind; for the calibration "
    "error, after subtracting the part expected by chance"
)


def confusion_lines(class_names: Sequence[str], scores: Scores, n: int) -> list[str]:
    """The n most frequent confusions in words, and how many more there are."""
    lines = []
    for c in scores.confusions[:n]:
        label, predicted = class_names[c.label], class_names[c.predicted]
        verb = "was" if c.count == 1 else "were"
        lines.append(f"{c.count:,} of {c.support:,} '{label}' {verb} predicted as '{predicted}'")
    rest = scores.confusions[n:]
    if rest:
        n_images = sum(c.count for c in rest)
        lines.append(f"and {counted(n_images, 'image')} in {counted(len(rest), 'other pair')}")
    return lines


def left_out_line(scores: Scores, shown: NDArray[np.int64]) -> str:
    """How much of the confusion matrix is shown if only these classes are; '' if all are."""
    if len(shown) == scores.n_classes:
        return ""
    counts, n_errors = scores.confusion_among(shown), scores.n_images - scores.n_correct
    n_shown = int(counts.sum() - counts.trace())
    return (
        f"The {len(shown)} most confused of {scores.n_classes:,} classes, with {n_shown:,} of the "
        f"{n_errors:,} errors."
    )


def groups_line(grouping: Grouping | None) -> str:
    """How many groups there are, and whether splits share some; '' if images are not grouped."""
    if grouping is None:
        return ""
    groups, n_shared = counted(grouping.n_groups, "group"), grouping.shared.count
    if grouping.n_splits == 1:
        return f"{groups}: the intervals and tests count groups, not images."
    if n_shared == 0:
        return f"{groups}, none in two splits: the intervals and tests count groups, not images."
    return (
        f"{groups}, {n_shared:,} in more than one split: the intervals and tests count groups, not "
        "images."
    )


def overlap_line(split: str, found: Overlap) -> str:
    """A warning about copies of training images among the `split` images ("test", …)."""
    rest = "there are no other images"
    if found.accuracy_without is not None:
        rest = f"without these copies the accuracy is {percent(found.accuracy_without)}"
    return (
        f"Warning: the training set also contains {found.n_copies:,} of the {found.n_images:,} "
        f"{split} images, such as {visible(found.paths[0])}; {rest}."
    )


def calibration_images(model: SoftmaxModel) -> str:
    """What the images are called that a model was calibrated on."""
    return "cross-validated images" if model.training.get("folds") else "validation images"


def cross_validation_line(found: CrossValidation) -> str:
    """What was cross-validated, and the result of the permutation test."""
    n_folds, n = found.n_folds, found.n_permutations
    line = (
        f"Cross-validated: each of the {found.n_images:,} images is classified by a model trained "
        f"on the other {n_folds - 1} of {n_folds} parts; the saved model is trained on all of them."
    )
    if found.p_value is None:
        return line
    return (
        f"{line} With shuffled labels, {found.n_as_good:,} of {n:,} repetitions were as good: "
        f"p = {found.p_value:.2g}."
    )


def coverage_lines(coverage: Coverage) -> list[str]:
    """How well the prediction sets cover the true class."""
    lines = [
        f"The set contains the true class for {percent(coverage.reached)} "
        f"{interval(coverage.interval)} of the images.",
        f"Mean set size: {coverage.mean_size:.2f} classes; {percent(coverage.singleton_share)} of "
        "the sets contain one class.",
    ]
    if coverage.is_significantly_low:
        lines.append(
            "That is significantly below the requested coverage: these images differ from the "
            "validation images used in training."
        )
    if coverage.is_unbounded:
        lines.append(
            "There were too few validation images for this coverage: every set contains all "
            "classes."
        )
    return lines


def calibration_line(scores: Scores, uncalibrated: Scores) -> str:
    """Whether calibration helps on these images; '' unless it makes the cross-entropy worse."""
    if scores.cross_entropy <= uncalibrated.cross_entropy:
        return ""
    return (
        "Calibration makes the cross-entropy on these images worse: there are few of them, or they "
        "differ from the validation images used in training."
    )


def training_outcome(stop_reason: str) -> str:
    """'converged, gradient 6.8e-04' → 'converged (gradient norm 6.8e-04)'."""
    return re.sub(r", gradient (\S+)$", r" (gradient norm \1)", stop_reason)


def time_line(seconds: Mapping[str, float]) -> str:
    """How long the parts of a training run took."""
    titles = {"decode": "decoding", "folds": "cross-validation"}
    titles |= {"features": "features", "fit": "fitting"}
    parts = [f"{seconds[name]:.1f} s {titles[name]}" for name in titles if name in seconds]
    return ", ".join(parts)


def choices_made(model: SoftmaxModel, l2_path: Sequence[object]) -> str:
    """What the validation images chose: 'the penalty and the temperature'; '' if nothing."""
    choices = {
        "the penalty": bool(l2_path),
        "the number of epochs": len(model.layers) > 1,
        "the temperature": model.temperature != 1,
    }
    made = [name for name, is_made in choices.items() if is_made and model.calibration_scores]
    return " and ".join(made)


def model_details(model: SoftmaxModel, record: TrainingRecord) -> list[tuple[str, str]]:
    """Title and value of each line about a model."""
    calibration = model.calibration_scores
    n_calibration = f"{calibration.n_images:,}" if calibration else "none"
    n_parameters = sum(layer.weights.size + layer.biases.size for layer in model.layers)
    choice = model.class_choice
    lines = [
        ("Chosen classes", first_and_more([f"'{name}'" for name in choice.only]) or None),
        ("Merged classes", first_and_more([f"'{a}' → '{b}'" for a, b in choice.merged]) or None),
        preprocessing_line(model.preprocessing),
        ("Features", features_line(model.features) if model.features else None),
        ("Parameters", f"{n_parameters:,}"),
        ("Temperature", f"{model.temperature:.4g}"),
        (calibration_images(model).capitalize(), n_calibration),
        ("Penalty l2", None if record.l2 is None else f"{record.l2:.4g}"),
        ("Class weights", record.class_weight),
        ("Seed", None if record.seed is None else str(record.seed)),
        ("Training", None if record.stop_reason is None else training_outcome(record.stop_reason)),
        ("Created by", None if record.made_by is None else f"softmaxce {record.made_by}"),
    ]
    return [(title, value) for title, value in lines if value is not None]


def preprocessing_line(form: Form) -> tuple[str, str]:
    """The title and the text of a line about what a model sees of an image, or instead of it."""
    if isinstance(form, FeatureVectors):
        return "Input", f"{form.n_features:,} features, computed by another program"
    return "Preprocessing", f"{form}, {form.n_pixels:,} pixel values per image"


def features_line(features: Features) -> str:
    """What a model sees of an image, in words."""
    if isinstance(features, NetworkFeatures):
        mean, std = (", ".join(f"{n:g}" for n in of) for of in (features.mean, features.std))
        return (
            f"{features.n_features:,} of a pretrained network (output '{features.output}', "
            f"{features.order}, mean {mean}, std {std}, SHA-256 {features.sha256[:12]}…)"
        )
    mirror = " with their mirror images" if features.is_symmetric else ""
    n_patches, n_features = f"{features.n_patches:,}", f"{features.n_features:,}"
    return f"{n_patches} patches of {SIDE} × {SIDE}{mirror}, {n_features} features"
