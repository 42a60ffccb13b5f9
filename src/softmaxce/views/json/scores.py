"""Scores, calibration and overlap as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from softmaxce.metrics.scores import Scores
from softmaxce.workflows.scored_subset import Overlap


def summary(scores: Scores) -> dict[str, Any]:
    """The scores that cost next to nothing to compute."""
    return {
        "n_images": scores.n_images,
        "cross_entropy": scores.cross_entropy,
        "accuracy": scores.accuracy,
        "accuracy_interval": scores.accuracy_interval,
        "majority_baseline": scores.majority_baseline,
        "chance_cross_entropy": scores.chance_cross_entropy,
        "brier_score": scores.brier_score,
        "expected_calibration_error": scores.expected_calibration_error,
    }


def details(class_names: Sequence[str], scores: Scores) -> dict[str, Any]:
    """Every score with its interval and baseline, the confusion matrix, and each class."""
    per_class = dict(zip(class_names, scores.per_class, strict=True))
    return {
        **{metric.name: metric.value for metric in scores.metrics},
        "intervals": {metric.name: metric.interval for metric in scores.metrics},
        "baselines": {metric.name: metric.baseline for metric in scores.metrics},
        "confusion_matrix": {"classes": class_names, "counts": scores.confusion},
        "confusions": [
            {**asdict(c), "label": class_names[c.label], "predicted": class_names[c.predicted]}
            for c in scores.confusions
        ],
        "per_class": {
            class_name: {
                "precision": c.precision,
                "recall": c.recall,
                "f1": c.f1,
                "support": c.support,
            }
            for class_name, c in per_class.items()
        },
        "per_class_intervals": {
            class_name: {
                "precision": c.precision_interval,
                "recall": c.recall_interval,
                "f1": f1_interval,
            }
            for (class_name, c), f1_interval in zip(
                per_class.items(), scores.f1_intervals, strict=True
            )
        },
    }


def calibration(scores: Scores, uncalibrated: Scores, temperature: float) -> dict[str, Any]:
    """The temperature, and the losses and reliability bins before and after it."""
    return {
        "temperature": temperature,
        "before": _losses(uncalibrated),
        "after": _losses(scores),
    }


def _losses(scores: Scores) -> dict[str, Any]:
    return {
        "cross_entropy": scores.cross_entropy,
        "brier_score": scores.brier_score,
        "expected_calibration_error": scores.expected_calibration_error,
        "bins": [
            {
                "low": b.low,
                "high": b.high,
                "n_images": b.n_images,
                "accuracy": b.accuracy if b.n_images else None,
                "mean_confidence": b.mean_confidence if b.n_images else None,
            }
            for b in scores.bins
        ],
    }


def overlap(found: Overlap | None) -> dict[str, Any] | None:
    """The images that are copies of training images, and the accuracy without them."""
    if found is None:
        return None
    return {
        "n_copies": found.n_copies,
        "accuracy_without": found.accuracy_without,
        "paths": found.paths,
    }
