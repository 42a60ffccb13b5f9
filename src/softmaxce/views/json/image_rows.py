"""A row for each scored image: `evaluate --format csv|jsonl` and `--errors`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from softmaxce.views.json.csv_output import csv_lines
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


def as_csv(
    class_names: Sequence[str], scored: ScoredSubset, positions: Iterable[int]
) -> Iterator[str]:
    """A header, and a line for each of these images."""
    rows = (row(class_names, scored, position) for position in positions)
    return csv_lines(_HEADER, (cells.values() for cells in rows))


def as_json_lines(class_names: Sequence[str], scored: ScoredSubset) -> Iterator[str]:
    """A line for each image."""
    return (json_line(row(class_names, scored, i)) for i in range(scored.scores.n_images))
