"""A row for each scored image: `evaluate --format csv|jsonl` and `--errors`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from softmaxce.views.json.csv_output import csv_text
from softmaxce.views.json.json_output import json_line
from softmaxce.workflows.scored_subset import ScoredSubset

_HEADER = ("path", "label", "predicted", "probability", "cross_entropy")


def row(class_names: Sequence[str], scored: ScoredSubset, position: int) -> dict[str, Any]:
    """The image at `position`: path, true and predicted class, probability, cross-entropy."""
    scores = scored.scores
    return {
        "path": scored.path(position),
        "label": class_names[scores.labels[position]],
        "predicted": class_names[scores.predicted[position]],
        "probability": float(scores.confidences[position]),
        "cross_entropy": float(scores.cross_entropies[position]),
    }


def as_csv(class_names: Sequence[str], scored: ScoredSubset, positions: Iterable[int]) -> str:
    """A header, and a line for each of these images."""
    rows = (row(class_names, scored, position) for position in positions)
    return csv_text(_HEADER, (cells.values() for cells in rows))


def as_json_lines(class_names: Sequence[str], scored: ScoredSubset) -> str:
    """A line for each image."""
    positions = range(scored.scores.n_images)
    return "".join(json_line(row(class_names, scored, i)) + "\n" for i in positions)
