"""The result of `compare` as JSON, and the images predicted differently as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from softmaxce.views.json.csv_output import csv_lines
from softmaxce.views.json.json_output import attributes, json_text
from softmaxce.views.json.scores import groups, image_row
from softmaxce.workflows.compare import CompareResult
from softmaxce.workflows.scored_subset import ScoredSubset

_COLUMNS = ("predicted", "probability", "cross_entropy")


def as_machine_text(result: CompareResult, output_format: str) -> str | Iterator[str]:
    """One JSON object, or the images predicted differently as csv."""
    return _as_csv(result) if output_format == "csv" else _as_json(result)


def _differences(result: CompareResult) -> Iterator[dict[str, Any]]:
    """Path and label of each image that the models predict differently, and their columns."""
    sides = {"a": result.a, "b": result.b}
    for position in result.comparison.is_different.nonzero()[0].tolist():
        rows = {side: image_row(scored, position) for side, scored in sides.items()}
        yield {
            "path": rows["a"]["path"],
            "label": rows["a"]["label"],
            **{side: {column: row[column] for column in _COLUMNS} for side, row in rows.items()},
        }


def _as_csv(result: CompareResult) -> Iterator[str]:
    header = ["path", "label", *(f"{column}_{side}" for side in "ab" for column in _COLUMNS)]
    rows = (
        [image["path"], image["label"], *image["a"].values(), *image["b"].values()]
        for image in _differences(result)
    )
    return csv_lines(header, rows)


def _as_json(result: CompareResult) -> str:
    comparison = result.comparison
    return json_text(
        "compare",
        {
            "folder": result.folder,
            "n_images": comparison.a.n_images,
            "a": _model(result.model_paths[0], result.a),
            "b": _model(result.model_paths[1], result.b),
            **attributes(
                comparison,
                "accuracy_difference",
                "accuracy_difference_interval",
                "cross_entropy_difference",
                "cross_entropy_difference_interval",
            ),
            "n_right": attributes(comparison, "both", "only_a", "only_b", "neither"),
            "p_value": comparison.p_value,
            "differences": list(_differences(result)),
            **groups(result.grouping),
            "left_out": result.left_out,
        },
    )


def _model(path: str, scored: ScoredSubset) -> dict[str, Any]:
    names = ("accuracy", "accuracy_interval", "cross_entropy")
    return {"model": path, **attributes(scored.scores, *names)}
