"""The outcome of `info`."""

from __future__ import annotations

from rich.console import Console

from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.views.console import output
from softmaxce.views.machine import json_text
from softmaxce.views.safe_text import visible
from softmaxce.views.wording import heading, name, nats, percent, table
from softmaxce.workflows.info import InfoResult
from softmaxce.workflows.training_record import TrainingRecord

_PARTS = {"train": "training", "validation": "held out", "test": "test"}


def show(result: InfoResult) -> None:
    """Print the result as tables."""
    console = output()
    for title, value in (
        ("Model", result.model_path),
        ("File", f"{result.n_bytes:,} bytes, format version {result.format_version}"),
        ("SHA-256", result.sha256),
        *model_facts(result.model, result.record),
    ):
        console.print(visible(f"{title}: {value}"), soft_wrap=True)
    _show_classes(console, result)
    _show_scores(console, result.record)


def model_facts(model: SoftmaxModel, facts: TrainingRecord) -> list[tuple[str, str]]:
    """What there is to know of a model in a line each: title and value."""
    form, scores = model.preprocessing, model.calibration_scores
    n_parameters = sum(layer.weights.size + layer.biases.size for layer in model.layers)
    lines = [
        ("Input", f"each image as {form}: a vector of {form.n_pixels:,} pixel values"),
        ("Parameters", f"{n_parameters:,}"),
        ("Temperature", f"{model.temperature:.4g}"),
        ("Held out", f"{scores.n_images:,} images" if scores else "no images"),
        ("Penalty l2", None if facts.l2 is None else f"{facts.l2:.4g}"),
        ("Class weights", facts.class_weight),
        ("Seed", None if facts.seed is None else str(facts.seed)),
        ("Training", facts.stop_reason),
        ("Made by", None if facts.made_by is None else f"softmaxce {facts.made_by}"),
    ]
    return [(title, value) for title, value in lines if value is not None]


def _show_classes(console: Console, result: InfoResult) -> None:
    names, counts = result.model.class_names, result.record.class_counts
    heading(console, f"{len(names)} classes")
    view = table()
    view.add_column("class")
    view.add_column("images trained on", justify="right")
    for k, class_name in enumerate(names):
        view.add_row(name(class_name), f"{counts[k]:,}" if counts else "")
    console.print(view)


def _show_scores(console: Console, facts: TrainingRecord) -> None:
    if not facts.scores:
        return
    heading(console, "How good it was when it was trained")
    view = table()
    for title in ("", "images", "accuracy", "cross-entropy", "calibration error"):
        view.add_column(title, justify="left" if title == "" else "right")
    for key, title in _PARTS.items():
        if key in facts.scores:
            scores = facts.scores[key]
            view.add_row(
                title,
                f"{scores['n_images']:,.0f}",
                percent(scores["accuracy"]),
                nats(scores["cross_entropy"]),
                percent(scores["expected_calibration_error"]),
            )
    console.print(view)


def as_json(result: InfoResult) -> str:
    """The result as one JSON object."""
    model, form = result.model, result.model.preprocessing
    return json_text(
        "info",
        {
            "model": result.model_path,
            "format_version": result.format_version,
            "n_bytes": result.n_bytes,
            "sha256": result.sha256,
            "classes": model.class_names,
            "image": {"height": form.height, "width": form.width, "channels": form.channels},
            "layers": [list(layer.weights.shape) for layer in model.layers],
            "temperature": model.temperature,
            "n_held_out": model.calibration_scores.n_images if model.calibration_scores else 0,
            "training": model.training,
        },
    )
