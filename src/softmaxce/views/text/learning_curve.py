"""The learning curve as text: a table with bars, and what more images would give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from softmaxce.views.console import output
from softmaxce.views.formatting import Strong, interval, nats, percent
from softmaxce.views.score_tables import CI

if TYPE_CHECKING:
    from softmaxce.workflows.learning_curve import LearningCurve

_BAR_WIDTH = 24
_N_CLASSES = 3


def show(curve: LearningCurve) -> None:
    """Print the scores at each size, then the prediction."""
    console = output()
    console.print_heading("More images?")
    highest = max(1 - size.accuracy for size in curve.sizes) or 1.0
    rows = [
        (
            f"{size.n_images:,}",
            Strong(percent(size.accuracy)),
            interval(size.accuracy_interval),
            nats(size.cross_entropy),
            "█" * round(_BAR_WIDTH * (1 - size.accuracy) / highest),
        )
        for size in curve.sizes
    ]
    header = ("training images", "accuracy", CI, "cross-entropy", "errors")
    console.print_table(header, rows, left=(4,), less=(4, 3))
    low, high = (f"{100 * bound:+.1f}".replace("-", "−") for bound in curve.gain_interval)
    line = f"With twice as many images, accuracy would change by {low} to {high} points (95 % CI)."
    if not curve.is_clear:
        line = f"Twice as many images: no clear gain in accuracy ({low} to {high} points, 95 % CI)."
    console.print_wrapped(line)
    if curve.classes:
        grown = [
            f"{c.name} ({percent(c.recall_before)} → {percent(c.recall)})"
            for c in curve.classes[:_N_CLASSES]
        ]
        console.print_wrapped(
            f"Recall has clearly grown from a quarter to all of the images: {', '.join(grown)}."
        )
    console.print_wrapped(
        "Each model is scored on images that it was not trained on: the validation images, and, "
        "below the full size, the other half of the training images.",
        "dim",
    )
