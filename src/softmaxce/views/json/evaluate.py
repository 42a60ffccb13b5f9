"""The result of `evaluate` as JSON, and its images as JSON lines or CSV."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from softmaxce.views.json import image_rows, scores
from softmaxce.views.json.json_output import json_text
from softmaxce.workflows.evaluate import Coverage, EvaluateResult


def as_machine_text(result: EvaluateResult, output_format: str) -> str | Iterator[str]:
    """One JSON object, or a row per image as jsonl or csv."""
    scored = result.scored
    if output_format == "csv":
        return image_rows.as_csv(result.class_names, scored, range(scored.scores.n_images))
    if output_format == "jsonl":
        return image_rows.as_json_lines(result.class_names, scored)
    return _as_json(result)


def errors_csv(result: EvaluateResult) -> Iterator[str]:
    """The images predicted incorrectly, highest cross-entropy first."""
    return image_rows.as_csv(result.class_names, result.scored, result.scored.wrong.tolist())


def _as_json(result: EvaluateResult) -> str:
    scored = result.scored
    return json_text(
        "evaluate",
        {
            "model": result.model_path,
            "folder": result.folder,
            **scores.summary(scored.scores),
            **scores.details(result.class_names, scored.scores),
            "calibration": scores.calibration(
                scored.scores, scored.uncalibrated, result.model.temperature
            ),
            "coverage": None if result.coverage is None else _coverage(result.coverage),
            "duplicates": scores.overlap(scored.overlap),
            "left_out": result.left_out,
        },
    )


def _coverage(coverage: Coverage) -> dict[str, Any]:
    return {
        "asked": coverage.asked,
        "reached": coverage.reached,
        "interval": coverage.interval,
        "mean_size": coverage.mean_size,
        "is_short": coverage.is_significantly_low,
        "least_probability": math.exp(-coverage.threshold),
    }
