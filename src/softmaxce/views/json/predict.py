"""The result of `predict` as JSON, JSON lines or CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from softmaxce.errors import ImageError
from softmaxce.views.json.csv_output import class_columns, csv_lines
from softmaxce.views.json.json_output import json_line, json_text
from softmaxce.workflows.predict import Prediction, PredictResult

# The columns that are not classes. Their names are taken even where a column is left out, so that
# the column of a class does not depend on the options.
_FIXED = ("path", "predicted", "probability", "label", "cross_entropy", "prediction_set", "error")


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
    p = outcome.probabilities
    label, members = result.label, result.prediction_set(outcome)
    sets = {} if members is None else {"prediction_set": [result.class_names[k] for k in members]}
    return {
        "path": outcome.path,
        "predicted": result.class_names[outcome.predicted],
        "probability": p[outcome.predicted],
        "probabilities": dict(zip(result.class_names, p, strict=True)),
        "label": None if label is None else result.class_names[label],
        "cross_entropy": None if label is None else outcome.cross_entropy(label),
        **sets,
    }


def _csv(result: PredictResult) -> Iterator[str]:
    columns = class_columns(result.class_names, _FIXED)
    others = [c for c in _FIXED[2:] if c != "prediction_set" or result.threshold is not None]
    rows = (_csv_row(result, outcome, others) for outcome in result.outcomes)
    return csv_lines([*_FIXED[:2], *columns, *others], rows)


def _csv_row(
    result: PredictResult, outcome: Prediction | ImageError, others: list[str]
) -> list[Any]:
    row = _row(result, outcome)
    row["prediction_set"] = "|".join(row.get("prediction_set", ()))
    probabilities = row.get("probabilities", dict.fromkeys(result.class_names))
    return [*map(row.get, _FIXED[:2]), *probabilities.values(), *map(row.get, others)]
