"""The outcome of `evaluate`."""

from __future__ import annotations

import math
from typing import Any

from rich.console import Console

from softmaxce.views import confusion as confusion_view
from softmaxce.views import image_rows
from softmaxce.views import scores as scores_view
from softmaxce.views.console import output
from softmaxce.views.machine import json_text
from softmaxce.views.overlap import overlap_json, overlap_line
from softmaxce.views.safe_text import visible
from softmaxce.views.wording import heading, interval, percent
from softmaxce.workflows.evaluate import Coverage, EvaluateResult


def show(result: EvaluateResult) -> None:
    """Print the result as tables."""
    console, scored = output(), result.scored
    scores_view.show_metrics(console, scored.scores)
    scores_view.show_calibration(
        console, scored.scores, scored.uncalibrated, result.model.temperature
    )
    if result.overlap is not None:
        console.print(visible(overlap_line("judged", result.overlap)))
    if result.coverage is not None:
        _show_coverage(console, result.coverage)
    heading(console, "Each class")
    console.print(scores_view.per_class(result.class_names, scored.scores))
    confusion_view.show(console, result.class_names, scored.scores)


def _show_coverage(console: Console, coverage: Coverage) -> None:
    heading(
        console, f"Sets of classes made to hold the true one {percent(coverage.asked)} of the time"
    )
    for line in coverage_lines(coverage):
        console.print(line)


def coverage_lines(coverage: Coverage) -> list[str]:
    """What became of the promise, in words."""
    lines = [
        f"The true class was in the set for {percent(coverage.reached)} "
        f"{interval(coverage.interval)} of the images.",
        f"A set holds {coverage.mean_size:.2f} classes on average; "
        f"{percent(float((coverage.sizes == 1).mean()))} of the sets hold one.",
    ]
    if coverage.is_significantly_low:
        lines.append(
            "That is less than promised, by more than luck explains: these images are unlike "
            "those held out in training."
        )
    if coverage.is_unbounded:
        lines.append("Too few images were held out for that promise: every set holds all classes.")
    return lines


def as_machine_text(result: EvaluateResult, output_format: str) -> str:
    """The result as one JSON object, or a row for each image as jsonl or csv."""
    scored = result.scored
    if output_format == "csv":
        return image_rows.as_csv(result.class_names, scored, range(scored.scores.n_images))
    if output_format == "jsonl":
        return image_rows.as_json_lines(result.class_names, scored)
    return as_json(result) + "\n"


def errors_csv(result: EvaluateResult) -> str:
    """The wrong images, the highest cross-entropy first."""
    return image_rows.as_csv(result.class_names, result.scored, result.scored.wrong.tolist())


def as_json(result: EvaluateResult) -> str:
    """The result as one JSON object."""
    scored = result.scored
    return json_text(
        "evaluate",
        {
            "model": result.model_path,
            "folder": result.folder,
            **scores_view.summary_json(scored.scores),
            **scores_view.details_json(result.class_names, scored.scores),
            "calibration": scores_view.calibration_json(
                scored.scores, scored.uncalibrated, result.model.temperature
            ),
            "coverage": None if result.coverage is None else _coverage_json(result.coverage),
            "duplicates": overlap_json(result.overlap),
            "left_out": result.left_out,
        },
    )


def _coverage_json(coverage: Coverage) -> dict[str, Any]:
    return {
        "asked": coverage.asked,
        "reached": coverage.reached,
        "interval": coverage.interval,
        "mean_size": coverage.mean_size,
        "is_short": coverage.is_significantly_low,
        "least_probability": math.exp(-coverage.threshold),
    }
