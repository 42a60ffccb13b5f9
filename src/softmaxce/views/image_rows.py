"""Judged images one by one: the rows of `evaluate --format csv|jsonl` and of `--errors`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from softmaxce.views.csv_text import csv_text, name_cell, number_cell, path_cell
from softmaxce.views.machine import json_line
from softmaxce.workflows.scored_subset import ScoredSubset

_HEADER = ("path", "label", "predicted", "probability", "cross_entropy")


def row(class_names: Sequence[str], scored: ScoredSubset, position: int) -> dict[str, Any]:
    """One image: its file, its class, the answer and its probability, and its cross-entropy."""
    scores = scored.scores
    return {
        "path": scored.path(position),
        "label": class_names[scores.labels[position]],
        "predicted": class_names[scores.predicted[position]],
        "probability": float(scores.confidences[position]),
        "cross_entropy": float(scores.cross_entropies[position]),
    }


def as_csv(class_names: Sequence[str], scored: ScoredSubset, positions: Iterable[int]) -> str:
    """One line for each of these images, below a header."""
    rows = (row(class_names, scored, position) for position in positions)
    return csv_text(
        _HEADER,
        (
            (
                path_cell(cells["path"]),
                name_cell(cells["label"]),
                name_cell(cells["predicted"]),
                number_cell(cells["probability"]),
                number_cell(cells["cross_entropy"]),
            )
            for cells in rows
        ),
    )


def as_json_lines(class_names: Sequence[str], scored: ScoredSubset) -> str:
    """One line for each image."""
    positions = range(scored.scores.n_images)
    return "".join(json_line(row(class_names, scored, i)) + "\n" for i in positions)
