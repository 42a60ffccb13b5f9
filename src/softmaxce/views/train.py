"""The outcome of `train`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Console

from softmaxce.views import scores as scores_view
from softmaxce.views.console import output
from softmaxce.views.machine import json_text
from softmaxce.views.overlap import overlap_json, overlap_line
from softmaxce.views.safe_text import visible
from softmaxce.views.wording import command, heading, nats, percent, sparkline
from softmaxce.workflows.train import TrainResult


def show(result: TrainResult) -> None:
    """Print the result as tables."""
    console = output()
    _show_setting(console, result)
    parts = {"training": result.train, "held out": result.validation, "test": result.test}
    scored = {part: scores for part, scores in parts.items() if scores is not None}
    scores_view.show_overview(console, scored)
    part, scores = list(scored.items())[-1]
    heading(console, f"Each class ({part} images)")
    console.print(scores_view.per_class(result.model.class_names, scores))
    console.print()
    for part, copies in result.overlaps.items():
        _line(console, overlap_line(part, copies))
    _show_ending(console, result)


def _show_setting(console: Console, result: TrainResult) -> None:
    names = result.model.class_names
    shown = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    _line(console, f"{len(names)} classes: {shown}")
    form = result.model.preprocessing
    reason = result.scored["train"].images.preprocessing_reason
    _line(console, f"Each image as {form}: a vector of {form.n_pixels:,} pixel values")
    _line(console, f"({reason})")
    if result.validation_folder is not None:
        _line(console, f"Held out: the images in {result.validation_folder}")
    elif result.validation is None:
        _line(console, "Held out: none; the set is too small, so every image was trained on")
    else:
        _line(console, f"Held out: {result.validation.n_images:,} images of {result.folders.train}")
    if result.folders.test is not None:
        _line(console, f"Test: the images in {result.folders.test}")


def _show_ending(console: Console, result: TrainResult) -> None:
    fit, seconds = result.fit, result.seconds
    _line(console, f"Training {fit.stop_message}.")
    chosen = "chosen by the held-out loss" if fit.l2_path else "as given"
    _line(console, f"Penalty l2 = {fit.l2:.3g}, {chosen}.")
    if result.objective_history:
        stage, values = max(result.objective_history, key=lambda fit: fit[1][0] - fit[1][-1])
        _line(
            console,
            f"Loss and penalty in the fit that fell furthest ({stage}): "
            f"{nats(values[0])} {sparkline(values)} {nats(values[-1])}",
        )
    console.print(_temperature_line(result))
    _line(
        console,
        f"Time: {seconds['decode']:.1f} s reading, {seconds['fit']:.1f} s fitting, "
        f"{seconds['total']:.1f} s in all.",
    )
    _line(console, f"Model: {result.model_path}")
    model = [] if result.model_path == "model.npz" else ["-m", result.model_path]
    image = f"./{result.example}" if result.example.startswith("-") else result.example
    _line(console, f"Next:  {command('softmaxce', 'predict', image, *model)}")


def _temperature_line(result: TrainResult) -> str:
    held_out = result.scored.get("validation")
    if held_out is None or not result.is_calibrated:
        return "Temperature 1: the probabilities are as trained, not calibrated."
    before, after = held_out.uncalibrated, held_out.scores
    return (
        f"Temperature {result.model.temperature:.3g}: on the held-out images it takes the loss "
        f"from {nats(before.cross_entropy)} to {nats(after.cross_entropy)}, the calibration error "
        f"from {percent(before.expected_calibration_error)} "
        f"to {percent(after.expected_calibration_error)}."
    )


def _line(console: Console, text: str) -> None:
    console.print(visible(text), soft_wrap=True)


def as_json(result: TrainResult) -> str:
    """The result as one JSON object."""
    form, fit = result.model.preprocessing, result.fit
    return json_text(
        "train",
        {
            "model": result.model_path,
            "classes": result.model.class_names,
            "n_train": result.train.n_images,
            "n_validation": result.validation.n_images if result.validation else 0,
            "image": asdict(form),
            "l2": fit.l2,
            "l2_path": [
                {"l2": step.l2, "validation_cross_entropy": step.validation_cross_entropy}
                for step in fit.l2_path
            ],
            "stop_reason": fit.stop_message,
            "converged": fit.converged,
            "n_iterations": fit.n_iterations,
            "objective": fit.objective,
            "gradient_norm": fit.gradient_norm,
            "train": scores_view.summary_json(result.train),
            "validation": result.validation and scores_view.summary_json(result.validation),
            "test": result.test and scores_view.summary_json(result.test),
            "duplicates": {name: overlap_json(found) for name, found in result.overlaps.items()},
            "left_out": result.left_out,
            "temperature": result.model.temperature,
            "calibration": _calibration_json(result),
            "course": [
                {"stage": stage, "objectives": objectives}
                for stage, objectives in result.objective_history
            ],
            "seconds": result.seconds,
        },
    )


def _calibration_json(result: TrainResult) -> dict[str, Any] | None:
    held_out = result.scored.get("validation")
    if held_out is None or not result.is_calibrated:
        return None
    return scores_view.calibration_json(
        held_out.scores, held_out.uncalibrated, result.model.temperature
    )
