"""The result of `train` as JSON."""

from __future__ import annotations

from softmaxce.views.json import scores
from softmaxce.views.json.json_output import attributes, json_text
from softmaxce.workflows.train import TrainResult

_FIT = ("stop_reason", "converged", "n_iterations", "objective", "gradient_norm")


def as_json(result: TrainResult) -> str:
    """The result as one JSON object."""
    model, validation = result.model, result.scored.get("validation")
    calibration = None
    if validation is not None and result.is_calibrated:
        before, after = validation.uncalibrated, validation.scores
        calibration = scores.calibration(after, before, model.temperature)
    return json_text(
        "train",
        {
            "model": result.model_path,
            "classes": model.class_names,
            "n_train": result.train.n_images,
            "n_validation": result.validation.n_images if result.validation else 0,
            "image": model.preprocessing,
            "l2": result.fit.l2,
            "l2_path": [
                attributes(step, "l2", "validation_cross_entropy") for step in result.fit.l2_path
            ],
            **attributes(result.fit, *_FIT),
            "train": scores.summary(result.train),
            "validation": result.validation and scores.summary(result.validation),
            "test": result.test and scores.summary(result.test),
            "duplicates": {
                split: scores.overlap(found) for split, found in result.overlaps.items()
            },
            "left_out": result.left_out,
            "temperature": model.temperature,
            "calibration": calibration,
            "course": [
                {"stage": stage, "objectives": objectives}
                for stage, objectives in result.objective_history
            ],
            "seconds": result.seconds,
        },
    )
