"""A result of `train` or `evaluate` → what it means."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from softmaxce.findings import Evidence, Finding, Verdict, findings, verdict
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.patches import SIDE
from softmaxce.preprocessing import FeatureVectors
from softmaxce.workflows.evaluate import EvaluateResult
from softmaxce.workflows.scored_subset import ScoredSubset
from softmaxce.workflows.train import TrainResult
from softmaxce.workflows.training_record import TrainingRecord, read_training_record

_GOOD = 0.8  # accuracy from which pixels are good enough
_GAP = 0.1  # unless the training accuracy is higher by so much
_LARGEST_DIGIT = 28  # pixels
_SECONDS_PER_PIXEL = 2.4e-6  # CIFAR-10: 2.2e-6; 3,409 photographs of 64 × 64: 2.9e-6


@dataclass(frozen=True, eq=False)
class Assessment:
    """The verdict on a model, and the findings behind it."""

    known: Evidence

    @cached_property
    def verdict(self) -> Verdict:
        """Whether to rely on the model."""
        return verdict(self.known)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """The most important findings."""
        return findings(self.known)


def of_training(result: TrainResult) -> Assessment:
    """What the last split of a training run says."""
    split, scored = list(result.scored.items())[-1]
    training, fit = result.scored["train"].scores, result.fit
    penalties = [candidate.l2 for candidate in fit.l2_path]
    ends = {min(penalties): "smallest", max(penalties): "largest"} if len(penalties) > 1 else {}
    contradictory = [f for f in result.findings if f.kind == "exact_duplicates_across_classes"]
    return Assessment(
        Evidence(
            training=(training.accuracy, training.n_images),
            train_counts=[c.support for c in training.per_class],
            is_balanced=result.model.training["class_weight"] == "balanced",
            n_shared=_n_shared(result),
            n_contradictory=sum(found.count for found in contradictory),
            l2_path_end=ends.get(fit.l2, ""),
            converged=fit.converged,
            seconds_of_patches=_seconds_of_patches(result),
            **_common(scored, split, str(result.folders["train"]), result.model_path),
            patches_may_help=_patches_may_help(result.model, scored, training.accuracy),
        )
    )


def of_evaluation(result: EvaluateResult) -> Assessment:
    """What an evaluation says."""
    record = read_training_record(result.model.training, result.model.n_classes)
    training = _training_scores(record)
    found = result.scored.subset.dataset.findings
    contradictory = [f for f in found if f.kind == "exact_duplicates_across_classes"]
    return Assessment(
        Evidence(
            training=training,
            train_counts=record.class_counts,
            is_balanced=record.class_weight == "balanced",
            n_contradictory=sum(finding.count for finding in contradictory),
            **_common(result.scored, None, result.folder, result.model_path),
            patches_may_help=_patches_may_help(
                result.model, result.scored, training[0] if training else 0.0
            ),
        )
    )


def _common(
    scored: ScoredSubset, split: str | None, folder: str, model_path: str
) -> dict[str, Any]:
    copies = scored.overlap if split != "train" else None
    return {
        "class_names": scored.model.class_names,
        "scores": scored.scores,
        "uncalibrated": scored.uncalibrated,
        "split": split,
        "folder": folder,
        "model_path": model_path,
        "n_copies": copies.n_copies if copies else 0,
        "accuracy_without": copies.accuracy_without if copies else None,
    }


def _training_scores(record: TrainingRecord) -> tuple[float, int] | None:
    scores = record.scores.get("train")
    return (scores["accuracy"], int(scores["n_images"])) if scores else None


def _n_shared(result: TrainResult) -> int:
    """How many test images have the pixels of a validation image."""
    if "validation" not in result.scored or "test" not in result.scored:
        return 0
    test, validation = (result.scored[name].subset for name in ("test", "validation"))
    return int(np.isin(test.half_digests, validation.half_digests).sum())


def _patches_may_help(model: SoftmaxModel, scored: ScoredSubset, training: float) -> bool:
    """Whether patch features are likely to help: for pixels in colour, or of images larger than
    digits, where the accuracy is low, or far below the training accuracy."""
    if isinstance(model.preprocessing, FeatureVectors):
        return False
    preprocessing, accuracy = model.preprocessing, scored.scores.accuracy
    side = min(preprocessing.height, preprocessing.width)
    is_photograph = preprocessing.channels == 3 or side > _LARGEST_DIGIT
    if model.features is not None or side < SIDE or not is_photograph:
        return False
    return accuracy < _GOOD or training - accuracy >= _GAP


def _seconds_of_patches(result: TrainResult) -> float | None:
    """About how long training with patch features would take on two cores; None for features."""
    preprocessing = result.model.preprocessing
    if isinstance(preprocessing, FeatureVectors):
        return None
    n_images = sum(scored.scores.n_images for scored in result.scored.values())
    return 2 + n_images * preprocessing.height * preprocessing.width * _SECONDS_PER_PIXEL
