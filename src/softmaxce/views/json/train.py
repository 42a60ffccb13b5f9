"""The result of `train` as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from softmaxce.views.json import scores
from softmaxce.views.json.json_output import json_text
from softmaxce.workflows.train import TrainResult


def as_json(result: TrainResult) -> str:
    """The result as one JSON object."""
    fit = result.fit
    return json_text(
        "train",
        {
            "model": result.model_path,
            "classes": result.model.class_names,
            "n_train": result.train.n_images,
            "n_validation": result.validation.n_images if result.validation else 0,
            "image": asdict(result.model.preprocessing),
            "l2": fit.l2,
            "l2_path": [
                {"l2": step.l2, "validation_cross_entropy": step.validation_cross_entropy}
                for step in fit.l2_path
            ],
            "stop_reason": fit.stop_message,
            "converged": fit.converged,
            "n_iterations": fit.n_iterations,
            "objective": fit.objective,
            "gradient_norm": fit.gradient_norm,
            "train": scores.summary(result.train),
            "validation": result.validation and scores.summary(result.validation),
            "test": result.test and scores.summary(result.test),
            "duplicates": {
                split: scores.overlap(found) for split, found in result.overlaps.items()
            },
            "left_out": result.left_out,
            "temperature": result.model.temperature,
            "calibration": _calibration(result),
            "course": [
                {"stage": stage, "objectives": objectives}
                for stage, objectives in result.objective_history
            ],
            "seconds": result.seconds,
        },
    )


def _calibration(result: TrainResult) -> dict[str, Any] | None:
    validation = result.scored.get("validation")
    if validation is None or not result.is_calibrated:
        return None
    return scores.calibration(validation.scores, validation.uncalibrated, result.model.temperature)
