"""The result of `predict` as text."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from rich.text import Text

from softmaxce.errors import ImageError, first_and_more
from softmaxce.translation import translate
from softmaxce.views.console import MAX_CLASSES, PlainConsole, output
from softmaxce.views.formatting import Strong, nats, percent, probability
from softmaxce.workflows.predict import Prediction, PredictResult

_MAX_TABLES = 5
_BAR_WIDTH = 30
_N_PROBABLE = 10  # classes, if a model has many


def show(result: PredictResult, top_k: int | None) -> None:
    """Print a table of the classes for each of a few images, or one row per image for many."""
    console = output()
    counts = Counter[int]()
    if len(result.paths) > _MAX_TABLES:
        _show_rows(console, result, counts)
    else:
        for outcome in result.outcomes:
            if isinstance(outcome, Prediction):
                _show_one(console, result, outcome, top_k)
                counts[outcome.predicted] += 1
    if len(result.paths) > 1:
        console.print()
        console.print_line(_tally(result, counts))


def _tally(result: PredictResult, counts: Counter[int]) -> str:
    """'Predicted: cat 41, dog 30; 2 could not be read', the most frequent class first."""
    names = result.class_names
    space = ": " if any(names[k][-1:].isdigit() for k in counts) else " "
    ordered = sorted(counts, key=lambda k: (-counts[k], k))
    tally = first_and_more([f"{names[k]}{space}{counts[k]:,}" for k in ordered])
    n_failed = len(result.failures)
    line = f"Predicted: {tally}"
    return f"{line}; {n_failed:,} could not be read" if n_failed else line


def _show_one(
    console: PlainConsole, result: PredictResult, prediction: Prediction, top_k: int | None
) -> None:
    console.print()
    console.print_data(prediction.path, "bold")
    p = prediction.probabilities.tolist()
    order = sorted(range(len(result.class_names)), key=lambda k: -prediction.log_probabilities[k])
    is_cut = top_k is None and len(order) > MAX_CLASSES
    rows = []
    for k in order[: _N_PROBABLE if is_cut else top_k]:
        is_best = k == prediction.predicted
        value = Strong(probability(p[k])) if is_best else probability(p[k])
        bar = Text("█" * round(p[k] * _BAR_WIDTH), "green" if is_best else "blue")
        rows.append((result.class_names[k], value, bar))
    console.print_table(("class", "probability", ""), rows, left=(0, 2))
    hidden = order[len(rows) :]
    if hidden:
        share = percent(sum(p[k] for k in hidden))
        share = f"{share}; -k {len(order)} shows all" if is_cut else share
        others = f"{len(hidden):,} more classes share {share}."
        console.print(f"1 more class has {share}." if len(hidden) == 1 else others)
    members = result.prediction_set(prediction)
    if members is not None:
        console.print_line(f"Prediction set: {_names(result, members)}")
        if math.isinf(result.threshold or 0.0):
            console.print("Too few validation images for this coverage: the set has all classes.")
    if result.label is not None:
        loss = nats(prediction.cross_entropy(result.label))
        console.print_line(f"Cross-entropy of '{result.class_names[result.label]}': {loss} nats")


def _show_rows(console: PlainConsole, result: PredictResult, counts: Counter[int]) -> None:
    header = ["image", "class", "probability"]
    if result.threshold is not None:
        header.append("prediction set")
    if result.label is not None:
        header.append(f"cross-entropy of '{result.class_names[result.label]}'")
    rows: list[list[str | Text]] = []
    for outcome in result.outcomes:
        if isinstance(outcome, ImageError):
            rows.append([str(outcome.path), Text(translate("unreadable"), "red")])
            continue
        best = outcome.predicted
        counts[best] += 1
        cells: list[str | Text] = [outcome.path, result.class_names[best]]
        cells.append(probability(float(outcome.probabilities[best])))
        if result.threshold is not None:
            cells.append(_names(result, result.prediction_set(outcome) or ()))
        if result.label is not None:
            cells.append(nats(outcome.cross_entropy(result.label)))
        rows.append(cells)
    console.print_table(header, rows, left=(0, 1, 3) if result.threshold is not None else (0, 1))


def _names(result: PredictResult, members: Sequence[int]) -> str:
    return first_and_more([result.class_names[k] for k in members])
