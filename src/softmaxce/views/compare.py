"""The outcome of `compare`."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from softmaxce.metrics.comparison import Comparison
from softmaxce.metrics.intervals import Interval
from softmaxce.views.console import output
from softmaxce.views.csv_text import csv_text, name_cell, number_cell, path_cell
from softmaxce.views.image_rows import row
from softmaxce.views.machine import json_text
from softmaxce.views.safe_text import visible
from softmaxce.views.wording import heading, interval, name, nats, percent, probability, table
from softmaxce.workflows.compare import CompareResult

_N_SHOWN = 20
_COLUMNS = ("predicted", "probability", "cross_entropy")


def show(result: CompareResult) -> None:
    """Print the result as tables."""
    console, comparison = output(), result.comparison
    console.print(visible(f"A: {result.a.model_path}"), soft_wrap=True)
    console.print(visible(f"B: {result.b.model_path}"), soft_wrap=True)
    heading(console, f"Both on the same {comparison.a.n_images:,} images")
    _show_scores(console, comparison)
    console.print()
    for line in _verdict(comparison):
        console.print(line)
    _show_differences(console, result)


def _show_scores(console: Console, comparison: Comparison) -> None:
    a, b = comparison.a, comparison.b
    view = table()
    for title in ("", "A", "B", "B − A", "95 % interval"):
        view.add_column(title, justify="left" if title == "" else "right")
    view.add_row(
        "accuracy",
        percent(a.accuracy),
        percent(b.accuracy),
        Text(f"{100 * comparison.accuracy_difference:+.1f} %", style="bold"),
        interval(comparison.accuracy_difference_interval),
    )
    view.add_row(
        "cross-entropy",
        nats(a.cross_entropy),
        nats(b.cross_entropy),
        Text(f"{comparison.cross_entropy_difference:+.4f}", style="bold"),
        _nats_interval(comparison.cross_entropy_difference_interval),
    )
    console.print(view)


def _nats_interval(bounds: Interval) -> str:
    return f"[{bounds[0]:+.4f}, {bounds[1]:+.4f}]"


def _verdict(comparison: Comparison) -> list[str]:
    p = comparison.p_value
    said = "so luck alone explains this well" if p >= 0.05 else "so luck alone hardly explains this"
    return [
        f"Both right: {comparison.both:,}. Only A: {comparison.only_a:,}. "
        f"Only B: {comparison.only_b:,}. Neither: {comparison.neither:,}.",
        f"McNemar's exact test: p = {p:.3g}. Were they equally good, a difference in accuracy "
        f"as large as this would come about with probability {p:.3g}, {said}.",
    ]


def _show_differences(console: Console, result: CompareResult) -> None:
    positions = _differences(result)
    if not positions:
        heading(console, "They answer every image alike")
        return
    heading(console, "Where their answers differ")
    view = table()
    for title in ("image", "truth", "A", "p", "B", "p"):
        view.add_column(title, justify="right" if title == "p" else "left")
    for position in positions[:_N_SHOWN]:
        a, b = _sides(result, position)
        view.add_row(
            name(a["path"]),
            name(a["label"]),
            Text(visible(a["predicted"]), style="green" if a["predicted"] == a["label"] else ""),
            probability(a["probability"]),
            Text(visible(b["predicted"]), style="green" if b["predicted"] == b["label"] else ""),
            probability(b["probability"]),
        )
    console.print(view)
    rest = len(positions) - _N_SHOWN
    if rest > 0:
        console.print(f"and {rest:,} more; --format csv lists all of them.")


def _differences(result: CompareResult) -> list[int]:
    return [int(position) for position in result.comparison.is_different.nonzero()[0]]


def _sides(result: CompareResult, position: int) -> tuple[dict[str, Any], dict[str, Any]]:
    a, b = result.a, result.b
    return row(a.class_names, a.scored, position), row(b.class_names, b.scored, position)


def as_machine_text(result: CompareResult, output_format: str) -> str:
    """The result as one JSON object, or the images answered differently as csv."""
    return _as_csv(result) if output_format == "csv" else _as_json(result) + "\n"


def _as_csv(result: CompareResult) -> str:
    header = ["path", "label", *(f"{column}_{side}" for side in "ab" for column in _COLUMNS)]
    rows = []
    for position in _differences(result):
        cells = [path_cell(result.a.scored.path(position))]
        sides = _sides(result, position)
        cells.append(name_cell(sides[0]["label"]))
        for side in sides:
            cells.append(name_cell(side["predicted"]))
            cells += [number_cell(side["probability"]), number_cell(side["cross_entropy"])]
        rows.append(cells)
    return csv_text(header, rows)


def _as_json(result: CompareResult) -> str:
    comparison = result.comparison
    return json_text(
        "compare",
        {
            "folder": result.folder,
            "n_images": comparison.a.n_images,
            "a": _side_json(result, "a"),
            "b": _side_json(result, "b"),
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
            "differences": [_difference_json(result, i) for i in _differences(result)],
            "left_out": result.left_out,
        },
    )


def _side_json(result: CompareResult, side: str) -> dict[str, Any]:
    contender = result.a if side == "a" else result.b
    scores = contender.scored.scores
    return {
        "model": contender.model_path,
        "accuracy": scores.accuracy,
        "accuracy_interval": scores.accuracy_interval,
        "cross_entropy": scores.cross_entropy,
    }


def _difference_json(result: CompareResult, position: int) -> dict[str, Any]:
    a, b = _sides(result, position)
    picked = [{column: side[column] for column in _COLUMNS} for side in (a, b)]
    return {"path": a["path"], "label": a["label"], "a": picked[0], "b": picked[1]}
