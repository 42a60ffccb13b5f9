"""The result of `check` as JSON, and that of `check --labels` as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from softmaxce.views.json.csv_output import csv_lines
from softmaxce.views.json.json_output import attributes, json_text
from softmaxce.views.json.scores import groups
from softmaxce.workflows.check import CheckResult

if TYPE_CHECKING:
    from softmaxce.workflows.label_check import LabelCheck
    from softmaxce.workflows.learning_curve import LearningCurve

_COLUMNS = ("path", "label", "likelier", "p_label", "p_likelier", "p_wrong")


def as_machine_text(
    result: CheckResult,
    labels: LabelCheck | None,
    curve: LearningCurve | None,
    output_format: str,
) -> str | Iterator[str]:
    """The result as json, or as csv a row for each image that is probably mislabelled."""
    if labels and output_format == "csv":
        rows = ([getattr(suspect, name) for name in _COLUMNS] for suspect in labels.suspects)
        return csv_lines(_COLUMNS, rows)
    asked: dict[str, object] = {"labels": _fields(labels)} if labels else {}
    asked |= {"learning_curve": curve} if curve else {}
    fields = {name: value for name, value in vars(result).items() if name != "grouping"}
    return json_text("check", {**fields, **groups(result.grouping), **asked})


def _fields(found: LabelCheck) -> dict[str, Any]:
    return {
        "n_images": found.images.n_images,
        "n_folds": found.n_folds,
        **attributes(found.noise, "accuracy", "temperature", "error_rate"),
        "too_weak": found.noise.is_too_weak,
        "sensitivity": found.noise.sensitivity(len(found.suspects)),
        "suspects": [attributes(suspect, *_COLUMNS) for suspect in found.suspects],
    }
