"""The outcome of `evaluate`."""

from __future__ import annotations

from softmaxce.views import scores as scores_view
from softmaxce.views.console import output
from softmaxce.views.machine import json_text
from softmaxce.views.wording import heading
from softmaxce.workflows.evaluate import EvaluateResult


def show(result: EvaluateResult) -> None:
    """Print the result as tables."""
    console = output()
    scores_view.show_overview(console, {"": result.scores})
    heading(console, "Each class")
    console.print(scores_view.per_class(result.class_names, result.scores))
    scores_view.show_confusion(console, result.class_names, result.scores)


def as_json(result: EvaluateResult) -> str:
    """The result as one JSON object."""
    return json_text(
        "evaluate",
        {
            "model": result.model_path,
            "folder": result.folder,
            **(scores_view.summary_json(result.scores)),
            **scores_view.details_json(result.class_names, result.scores),
            "left_out": result.left_out,
        },
    )
