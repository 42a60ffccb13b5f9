"""Scores, calibration, overlap and single images as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from softmaxce.metrics.scores import LOSSES, RATIOS, Scores
from softmaxce.views.json.json_output import attributes
from softmaxce.workflows.groups import Grouping
from softmaxce.workflows.scored_subset import Overlap, ScoredSubset

MAX_DENSE = 200  # classes of a confusion matrix with its zeros


def summary(scores: Scores) -> dict[str, Any]:
    """The scores that cost next to nothing to compute."""
    return attributes(
        scores,
        "n_images",
        "cross_entropy",
        "accuracy",
        "accuracy_interval",
        "majority_baseline",
        "chance_cross_entropy",
        "brier_score",
        "expected_calibration_error",
    )


def details(class_names: Sequence[str], scores: Scores) -> dict[str, Any]:
    """Every score with its interval and baseline, the confusion matrix, and each class."""
    classes = list(zip(class_names, scores.per_class, scores.f1_intervals, strict=True))
    return {
        **{metric.name: metric.value for metric in scores.metrics},
        "intervals": {metric.name: metric.interval for metric in scores.metrics},
        "baselines": {metric.name: metric.baseline for metric in scores.metrics},
        "confusion_matrix": {
            "classes": class_names,
            "counts": scores.confusion if scores.n_classes <= MAX_DENSE else None,
        },
        "confusion_cells": scores.confusion_cells,
        "confusions": [
            {
                "label": class_names[c.label],
                "predicted": class_names[c.predicted],
                **attributes(c, "count", "support"),
            }
            for c in scores.confusions
        ],
        "per_class": per_class(class_names, scores),
        "per_class_intervals": {
            name: {"precision": c.precision_interval, "recall": c.recall_interval, "f1": f1}
            for name, c, f1 in classes
        },
    }


def per_class(class_names: Sequence[str], scores: Scores) -> dict[str, Any]:
    """Precision, recall, F1 and support of each class, by its name."""
    rows = zip(class_names, scores.per_class, strict=True)
    return {name: attributes(c, *RATIOS, "support") for name, c in rows}


def calibration(scores: Scores, uncalibrated: Scores, temperature: float) -> dict[str, Any]:
    """The temperature, and the losses and reliability bins before and after it."""
    return {
        "temperature": temperature,
        "before": _losses(uncalibrated),
        "after": _losses(scores),
    }


def _losses(scores: Scores) -> dict[str, Any]:
    bins = [
        {
            **attributes(b, "low", "high", "n_images"),
            "accuracy": b.accuracy if b.n_images else None,
            "mean_confidence": b.mean_confidence if b.n_images else None,
        }
        for b in scores.bins
    ]
    return {**attributes(scores, *LOSSES), "bins": bins}


def overlap(found: Overlap | None) -> dict[str, Any] | None:
    """The images that are copies of training images, and the accuracy without them."""
    return None if found is None else attributes(found, "n_copies", "accuracy_without", "paths")


def groups(found: Grouping | None) -> dict[str, Any]:
    """How many groups of images there are, and which are in several splits, if they are grouped."""
    if found is None:
        return {}
    return {"groups": {"n_groups": found.n_groups, "shared": found.shared.examples}}


def image_row(scored: ScoredSubset, position: int) -> dict[str, Any]:
    """The image at `position`: path, true and predicted class, probability, cross-entropy."""
    scores, class_names = scored.scores, scored.model.class_names
    return {
        "path": scored.path(position),
        "label": class_names[scores.labels[position]],
        "predicted": class_names[scores.predicted[position]],
        "probability": float(scores.confidences[position]),
        "cross_entropy": float(scores.cross_entropies[position]),
    }
