"""Scores as tables and as JSON: shared by training and evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from softmaxce.metrics import Scores
from softmaxce.views.wording import heading, interval, name, nats, percent, table

MAX_MATRIX_CLASSES = 12
_N_CONFUSIONS = 20


def overview(parts: Mapping[str, Scores]) -> Table:
    """One row for each part of the data, beside the baselines that need no pictures."""
    view = table()
    for title in ("", "images", "accuracy", "95 % interval", "majority", "loss", "guessing"):
        view.add_column(title, justify="left" if title == "" else "right")
    for part, scores in parts.items():
        view.add_row(
            part,
            f"{scores.n_images:,}",
            Text(percent(scores.accuracy), style="bold"),
            interval(scores.accuracy_interval),
            percent(scores.majority_baseline),
            Text(nats(scores.cross_entropy), style="bold"),
            nats(scores.chance_cross_entropy),
        )
    return view


def show_overview(console: Console, parts: Mapping[str, Scores]) -> None:
    """The overview under its heading, with a legend."""
    heading(console, "How good it is")
    console.print(overview(parts))
    console.print(_OVERVIEW_LEGEND, style="dim")


_OVERVIEW_LEGEND = (
    "majority: the accuracy of always answering the most frequent class.\n"
    "loss: the cross-entropy in nats, 0 when perfect.\n"
    "guessing: the loss of giving every class the same probability, ln K."
)


def per_class(class_names: Sequence[str], scores: Scores) -> Table:
    """Precision, recall, F1 and support of each class."""
    view = table()
    view.add_column("class")
    for title in ("precision", "recall", "F1", "images"):
        view.add_column(title, justify="right")
    for class_name, of_class in zip(class_names, scores.per_class, strict=True):
        view.add_row(
            name(class_name),
            percent(of_class.precision),
            percent(of_class.recall),
            f"{of_class.f1:.3f}",
            f"{of_class.support:,}",
        )
    return view


def show_confusion(console: Console, class_names: Sequence[str], scores: Scores) -> None:
    """The confusion matrix, or for many classes the most frequent confusions."""
    if len(class_names) <= MAX_MATRIX_CLASSES:
        heading(console, "What was taken for what (rows: the truth, columns: the answer)")
        console.print(_matrix(class_names, scores))
        return
    pairs = _confused_pairs(scores)
    left = len(pairs) - _N_CONFUSIONS
    more = f"; {left} rarer pairs are not shown" if left > 0 else ""
    heading(console, f"What was taken for what (the most frequent first{more})")
    view = table()
    for title in ("images", "of class", "were called"):
        view.add_column(title, justify="right" if title == "images" else "left")
    for count, i, j in pairs[:_N_CONFUSIONS]:
        view.add_row(str(count), name(class_names[i]), name(class_names[j]))
    console.print(view)


def _matrix(class_names: Sequence[str], scores: Scores) -> Table:
    view = table()
    view.add_column("", justify="right")
    view.add_column("truth")
    for number in range(len(class_names)):
        view.add_column(str(number), justify="right")
    for row, class_name in enumerate(class_names):
        cells = []
        for column, count in enumerate(scores.confusion[row]):
            style = "bold green" if row == column else ("red" if count else "dim")
            cells.append(Text(str(count) if count else "·", style=style))
        view.add_row(str(row), name(class_name), *cells)
    return view


def _confused_pairs(scores: Scores) -> list[tuple[int, int, int]]:
    """(count, true class, answered class) of every confusion that happened, most frequent first."""
    pairs = [
        (int(scores.confusion[i, j]), int(i), int(j))
        for i, j in zip(*scores.confusion.nonzero(), strict=True)
        if i != j
    ]
    return sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2]))


def summary_json(scores: Scores) -> dict[str, Any]:
    """The numbers of `overview`."""
    return {
        "n_images": scores.n_images,
        "cross_entropy": scores.cross_entropy,
        "accuracy": scores.accuracy,
        "accuracy_interval": scores.accuracy_interval,
        "majority_baseline": scores.majority_baseline,
        "chance_cross_entropy": scores.chance_cross_entropy,
    }


def details_json(class_names: Sequence[str], scores: Scores) -> dict[str, Any]:
    """The confusion matrix and each class's numbers."""
    return {
        "confusion_matrix": {"classes": class_names, "counts": scores.confusion},
        "per_class": {
            class_name: {
                "precision": of_class.precision,
                "recall": of_class.recall,
                "f1": of_class.f1,
                "support": of_class.support,
            }
            for class_name, of_class in zip(class_names, scores.per_class, strict=True)
        },
    }
