"""The outcome of `predict`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from softmaxce.errors import ImageError
from softmaxce.views.console import output
from softmaxce.views.csv_text import csv_text, name_cell, number_cell, path_cell
from softmaxce.views.machine import json_line, json_text
from softmaxce.views.safe_text import visible
from softmaxce.views.wording import heading, name, nats, percent, probability, table
from softmaxce.workflows.predict import Prediction, PredictResult

_MAX_TABLES = 5
_BAR_WIDTH = 30


def show(result: PredictResult, top_k: int | None) -> None:
    """Print a table of all classes for each of a few images, one row an image for many."""
    console = output()
    if len(result.outcomes) > _MAX_TABLES:
        console.print(_one_row_an_image(result))
        return
    for outcome in result.outcomes:
        if isinstance(outcome, Prediction):
            _show_one(console, result, outcome, top_k)


def _show_one(
    console: Console, result: PredictResult, prediction: Prediction, top_k: int | None
) -> None:
    heading(console, prediction.path)
    view = table()
    view.add_column("class")
    view.add_column("probability", justify="right")
    view.add_column("")
    order = sorted(range(len(result.class_names)), key=lambda k: -prediction.log_probabilities[k])
    for k in order[:top_k]:
        p = float(prediction.probabilities[k])
        style = "bold" if k == prediction.predicted else ""
        bar = Text("█" * round(p * _BAR_WIDTH), style="green" if style else "blue")
        view.add_row(name(result.class_names[k]), Text(probability(p), style=style), bar)
    console.print(view)
    hidden = len(order) - len(order[:top_k])
    if hidden:
        rest = sum(float(prediction.probabilities[k]) for k in order[top_k:])
        others = "1 more class has" if hidden == 1 else f"{hidden} more classes share"
        console.print(f"{others} {percent(rest)}.")
    members = result.prediction_set(prediction)
    if members is not None:
        console.print(f"Prediction set: {_names(result, members)}", soft_wrap=True)
        if math.isinf(result.threshold or 0.0):
            console.print("Too few images were held out for that coverage: all classes belong.")
    if result.label is not None:
        loss = prediction.cross_entropy(result.label)
        label = visible(result.class_names[result.label])
        console.print(f"Cross-entropy of the answer '{label}': {nats(loss)} nats", soft_wrap=True)


def _one_row_an_image(result: PredictResult) -> Table:
    view = table()
    view.add_column("image")
    view.add_column("class")
    view.add_column("probability", justify="right")
    if result.threshold is not None:
        view.add_column("prediction set")
    if result.label is not None:
        view.add_column(f"cross-entropy of '{visible(result.class_names[result.label])}'")
    for outcome in result.outcomes:
        if isinstance(outcome, ImageError):
            view.add_row(name(str(outcome.path)), Text("unreadable", style="red"), "")
            continue
        best = outcome.predicted
        cells: list[Text | str] = [name(result.class_names[best])]
        cells.append(probability(float(outcome.probabilities[best])))
        if result.threshold is not None:
            cells.append(Text(_names(result, result.prediction_set(outcome) or ())))
        if result.label is not None:
            cells.append(nats(outcome.cross_entropy(result.label)))
        view.add_row(name(outcome.path), *cells)
    return view


def _names(result: PredictResult, members: Sequence[int]) -> str:
    return visible(", ".join(result.class_names[k] for k in members))


def as_machine_text(result: PredictResult, output_format: str) -> str:
    """The result as json, jsonl or csv, with its last newline."""
    if output_format == "csv":
        return _as_csv(result)
    rows = [_row(result, outcome) for outcome in result.outcomes]
    if output_format == "jsonl":
        return "".join(json_line(row) + "\n" for row in rows)
    return json_text("predict", {"model": result.model_path, "predictions": rows}) + "\n"


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


def _as_csv(result: PredictResult) -> str:
    sets = [] if result.threshold is None else ["prediction_set"]
    names = [name_cell(class_name) for class_name in result.class_names]
    header = ["path", "predicted", *names, "label", "cross_entropy", *sets, "error"]
    return csv_text(header, [_csv_cells(result, outcome) for outcome in result.outcomes])


def _csv_cells(result: PredictResult, outcome: Prediction | ImageError) -> list[str]:
    row, n_classes = _row(result, outcome), len(result.class_names)
    sets = [] if result.threshold is None else [name_cell("|".join(row.get("prediction_set", [])))]
    if isinstance(outcome, ImageError):
        empty = [""] * (n_classes + 3)
        return [path_cell(row["path"]), *empty, *sets, name_cell(row["error"])]
    numbers = [number_cell(p) for p in outcome.probabilities]
    label, loss = row["label"], row["cross_entropy"]
    return [
        path_cell(row["path"]),
        name_cell(row["predicted"]),
        *numbers,
        "" if label is None else name_cell(label),
        "" if loss is None else number_cell(loss),
        *sets,
        "",
    ]
