"""The result of `compare` as JSON, and the images predicted differently as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from softmaxce.views.json.csv_output import csv_lines
from softmaxce.views.json.image_rows import row
from softmaxce.views.json.json_output import json_text
from softmaxce.workflows.compare import CompareResult, Contender

_COLUMNS = ("predicted", "probability", "cross_entropy")


def as_machine_text(result: CompareResult, output_format: str) -> str | Iterator[str]:
    """One JSON object, or the images predicted differently as csv."""
    return _as_csv(result) if output_format == "csv" else _as_json(result)


def _differences(result: CompareResult) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The rows of both models for each image that they predict differently."""
    a, b = result.a, result.b
    for position in result.comparison.is_different.nonzero()[0].tolist():
        yield row(a.class_names, a.scored, position), row(b.class_names, b.scored, position)


def _as_csv(result: CompareResult) -> Iterator[str]:
    header = ["path", "label", *(f"{column}_{side}" for side in "ab" for column in _COLUMNS)]
    rows = (
        [a["path"], a["label"], *(side[column] for side in (a, b) for column in _COLUMNS)]
        for a, b in _differences(result)
    )
    return csv_lines(header, rows)


def _as_json(result: CompareResult) -> str:
    comparison = result.comparison
    return json_text(
        "compare",
        {
            "folder": result.folder,
            "n_images": comparison.a.n_images,
            "a": _contender(result.a),
            "b": _contender(result.b),
            "accuracy_difference": comparison.accuracy_difference,
            "accuracy_difference_interval": comparison.accuracy_difference_interval,
            "cross_entropy_difference": comparison.cross_entropy_difference,
            "cross_entropy_difference_interval": comparison.cross_entropy_difference_interval,
            "n_right": {
                "both": comparison.both,
                "only_a": comparison.only_a,
                "only_b": comparison.only_b,
                "neither": comparison.neither,
            },
            "p_value": comparison.p_value,
            "differences": [
                {
                    "path": a["path"],
                    "label": a["label"],
                    "a": {column: a[column] for column in _COLUMNS},
                    "b": {column: b[column] for column in _COLUMNS},
                }
                for a, b in _differences(result)
            ],
            "left_out": result.left_out,
        },
    )


def _contender(contender: Contender) -> dict[str, Any]:
    scores = contender.scored.scores
    return {
        "model": contender.model_path,
        "accuracy": scores.accuracy,
        "accuracy_interval": scores.accuracy_interval,
        "cross_entropy": scores.cross_entropy,
    }
