"""The result of `predict` as JSON, JSON lines or CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from softmaxce.errors import ImageError
from softmaxce.views.json.csv_output import csv_lines
from softmaxce.views.json.json_output import json_line, json_text
from softmaxce.workflows.predict import Prediction, PredictResult


def as_machine_text(result: PredictResult, output_format: str) -> str | Iterator[str]:
    """The result as json, or the lines of jsonl or csv one by one."""
    if output_format == "csv":
        return _csv(result)
    rows = (_row(result, outcome) for outcome in result.outcomes)
    if output_format == "jsonl":
        return map(json_line, rows)
    return json_text("predict", {"model": result.model_path, "predictions": list(rows)})


def _row(result: PredictResult, outcome: Prediction | ImageError) -> dict[str, Any]:
    if isinstance(outcome, ImageError):
        return {"path": str(outcome.path), "error": outcome.reason}
    label, members = result.label, result.prediction_set(outcome)
    sets = {} if members is None else {"prediction_set": [result.class_names[k] for k in members]}
    return {
        "path": outcome.path,
        "predicted": result.class_names[outcome.predicted],
        "probabilities": dict(zip(result.class_names, outcome.probabilities, strict=True)),
        "label": None if label is None else result.class_names[label],
        "cross_entropy": None if label is None else outcome.cross_entropy(label),
        **sets,
    }


def _csv(result: PredictResult) -> Iterator[str]:
    sets = [] if result.threshold is None else ["prediction_set"]
    header = ["path", "predicted", *result.class_names, "label", "cross_entropy", *sets, "error"]
    return csv_lines(header, (_csv_row(result, outcome) for outcome in result.outcomes))


def _csv_row(result: PredictResult, outcome: Prediction | ImageError) -> list[Any]:
    row = _row(result, outcome)
    sets = [] if result.threshold is None else ["|".join(row.get("prediction_set", []))]
    if isinstance(outcome, ImageError):
        return [row["path"], *[None] * (len(result.class_names) + 3), *sets, row["error"]]
    given = row["label"], row["cross_entropy"]
    return [row["path"], row["predicted"], *outcome.probabilities, *given, *sets, None]
