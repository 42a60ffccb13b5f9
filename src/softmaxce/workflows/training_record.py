"""The record of a training run in a model file, which a stranger may have written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from softmaxce.errors import ModelError

SCORE_NAMES = ("accuracy", "cross_entropy", "expected_calibration_error")


@dataclass(frozen=True)
class TrainingRecord:
    """The record; None or empty for what the model file does not contain.

    class_counts: training images of each class; objective_history: the objective at each
    iteration of each fit; l2_path: (l2, validation cross-entropy); l2_path_training: the training
    cross-entropy of each; scores: split → "n_images" and SCORE_NAMES → value.
    """

    made_by: str | None
    l2: float | None
    class_weight: str | None
    seed: int | None
    stop_reason: str | None
    class_counts: tuple[int, ...]
    objective_history: tuple[tuple[str, tuple[float, ...]], ...]
    l2_path: tuple[tuple[float, float], ...]
    l2_path_training: tuple[float, ...]
    scores: Mapping[str, Mapping[str, float]]


def read_training_record(training: Mapping[str, Any], n_classes: int) -> TrainingRecord:
    """The record in `training`. Raises ModelError if it has the wrong types."""
    try:
        record = TrainingRecord(
            made_by=_text(training.get("softmaxce")),
            l2=None if training.get("l2") is None else float(training["l2"]),
            class_weight=_text(training.get("class_weight")),
            seed=None if training.get("seed") is None else int(training["seed"]),
            stop_reason=_text(training.get("stop_reason")),
            class_counts=tuple(int(count) for count in training.get("class_counts", ())),
            objective_history=tuple(
                (str(stage), tuple(float(v) for v in values))
                for stage, values in training.get("course", ())
                if values
            ),
            l2_path=tuple((float(l2), float(loss)) for l2, loss in training.get("l2_path", ())),
            l2_path_training=tuple(map(float, training.get("l2_path_training", ()))),
            scores={
                part: {name: float(scores[name]) for name in ("n_images", *SCORE_NAMES)}
                for part, scores in dict(training.get("scores", {})).items()
            },
        )
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
        raise ModelError("the model is damaged: its training record cannot be read") from None
    if record.class_counts and len(record.class_counts) != n_classes:
        raise ModelError("the model is damaged: class_counts and class_names disagree")
    if record.l2_path_training and len(record.l2_path_training) != len(record.l2_path):
        raise ModelError("the model is damaged: l2_path and l2_path_training disagree")
    if any(l2 <= 0 for l2, _ in record.l2_path):
        raise ModelError("the model is damaged: an l2 of its l2_path is not positive")
    return record


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
