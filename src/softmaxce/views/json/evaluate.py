"""The result of `evaluate` as JSON, and its images as JSON lines or CSV."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from softmaxce.views.findings import as_objects
from softmaxce.views.json import scores
from softmaxce.views.json.csv_output import csv_lines
from softmaxce.views.json.json_output import attributes, json_line, json_text
from softmaxce.workflows.assessment import Assessment
from softmaxce.workflows.evaluate import Coverage, EvaluateResult
from softmaxce.workflows.scored_subset import ScoredSubset

_HEADER = ("path", "label", "predicted", "probability", "cross_entropy")


def as_machine_text(
    result: EvaluateResult, found: Assessment, command_line: str, output_format: str
) -> str | Iterator[str]:
    """One JSON object, or a row per image as jsonl or csv."""
    if output_format == "json":
        return _as_json(result, found, command_line)
    rows = _rows(result.scored, range(result.scored.scores.n_images))
    return _csv(rows) if output_format == "csv" else map(json_line, rows)


def errors_csv(result: EvaluateResult) -> Iterator[str]:
    """The images predicted incorrectly, highest cross-entropy first."""
    return _csv(_rows(result.scored, result.scored.wrong.tolist()))


def _rows(scored: ScoredSubset, positions: Iterable[int]) -> Iterator[dict[str, Any]]:
    return (scores.image_row(scored, position) for position in positions)


def _csv(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    return csv_lines(_HEADER, (row.values() for row in rows))


def _as_json(result: EvaluateResult, found: Assessment, command_line: str) -> str:
    scored, temperature = result.scored, result.model.temperature
    return json_text(
        "evaluate",
        {
            "model": result.model_path,
            "folder": result.folder,
            **as_objects(found, command_line),
            **scores.summary(scored.scores),
            **scores.details(result.model.class_names, scored.scores),
            "calibration": scores.calibration(scored.scores, scored.uncalibrated, temperature),
            "coverage": result.coverage and _coverage(result.coverage),
            "duplicates": scores.overlap(scored.overlap),
            **scores.groups(result.grouping),
            "left_out": result.left_out,
            "source_findings": scored.subset.dataset.findings,
        },
    )


def _coverage(coverage: Coverage) -> dict[str, Any]:
    return {
        **attributes(coverage, "asked", "reached", "interval", "mean_size"),
        "is_short": coverage.is_significantly_low,
        "least_probability": math.exp(-coverage.threshold),
    }
