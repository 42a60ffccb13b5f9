"""The result of `train` as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from softmaxce.errors import AlreadyTrained
from softmaxce.preprocessing import FeatureVectors
from softmaxce.views.findings import as_objects
from softmaxce.views.json import scores
from softmaxce.views.json.info import features_fields
from softmaxce.views.json.json_output import attributes, json_text
from softmaxce.workflows.assessment import Assessment
from softmaxce.workflows.train import TrainResult


def as_json(result: TrainResult, found: Assessment, command_line: str) -> str:
    """The result as one JSON object."""
    model, fit, validation = result.model, result.fit, result.validated
    n_images = {split: scored.scores.n_images for split, scored in result.scored.items()}
    summaries = {
        split: {
            **scores.summary(scored.scores),
            "per_class": scores.per_class(model.class_names, scored.scores),
        }
        for split, scored in result.scored.items()
    }
    calibration = None
    if validation is not None and model.temperature != 1.0:
        before, after = validation.uncalibrated, validation.scores
        calibration = scores.calibration(after, before, model.temperature)
    return json_text(
        "train",
        {
            "model": result.model_path,
            **as_objects(found, command_line),
            "classes": model.class_names,
            "n_train": n_images["train"],
            "n_validation": n_images.get("validation", 0),
            "image": None
            if isinstance(model.preprocessing, FeatureVectors)
            else model.preprocessing,
            **features_fields(model),
            **_mirror_trial(result),
            "l2": fit.l2,
            "l2_path": fit.l2_path,
            "stop_reason": fit.stop_message,
            **attributes(fit, "converged", "n_iterations", "objective", "gradient_norm"),
            **{split: summaries.get(split) for split in ("train", "validation", "test")},
            **_cross_validation(result, summaries),
            "duplicates": {
                split: scores.overlap(found) for split, found in result.overlaps.items()
            },
            **scores.groups(result.grouping),
            "left_out": result.left_out,
            "source_findings": result.findings,
            "temperature": model.temperature,
            "calibration": calibration,
            "course": [
                {"stage": stage, "objectives": objectives}
                for stage, objectives in result.objective_history
            ],
            "seconds": result.seconds,
        },
    )


def finished(model_path: str, reason: AlreadyTrained) -> str:
    """That an earlier run has done everything, as one JSON object."""
    return json_text("train", {"model": model_path, "already_trained": str(reason)})


def _cross_validation(result: TrainResult, summaries: Mapping[str, Any]) -> dict[str, Any]:
    """The scores and the choices of the folds; nothing without --folds."""
    if (folded := result.cross_validation) is None:
        return {}
    found = {"l2_of_folds": folded.out_of_fold.l2, **summaries["cross_validation"]}
    return {"cross_validation": attributes(folded, "n_folds", "n_permutations", "p_value") | found}


def _mirror_trial(result: TrainResult) -> dict[str, Any]:
    """How mirror symmetry was chosen; nothing without patch features."""
    if result.model.patches is None:
        return {}
    trial, names = result.mirror_trial, ("symmetric", "asymmetric", "standard_error")
    return {"mirror_trial": None if trial is None else attributes(trial, *names)}
