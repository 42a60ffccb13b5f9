"""The result of `evaluate` as text."""

from __future__ import annotations

from softmaxce.views.console import PlainConsole, output
from softmaxce.views.descriptions import (
    BASELINE_MEANING,
    CI_MEANING,
    calibration_line,
    coverage_lines,
    overlap_line,
)
from softmaxce.views.formatting import percent
from softmaxce.views.score_tables import (
    CI,
    calibration_table,
    class_table,
    metrics_table,
    reliability_table,
)
from softmaxce.views.text.confusion import show_confusion
from softmaxce.workflows.evaluate import EvaluateResult

_LEGEND = (
    f"baseline: {BASELINE_MEANING}.\n{CI}: {CI_MEANING}.\n"
    "Cross-entropy is in nats, the Brier score is between 0 and 2; for these and the calibration "
    "error, lower is better."
)


def show(result: EvaluateResult) -> None:
    """Print the result."""
    console, scores = output(), result.scored.scores
    console.print_heading(f"Scores on {scores.n_images:,} images")
    console.print_table(*metrics_table(scores))
    console.print(_LEGEND, style="dim")
    _show_calibration(console, result)
    if result.scored.overlap is not None:
        console.print(overlap_line("scored", result.scored.overlap))
    if result.coverage is not None:
        console.print_heading(f"Prediction sets (coverage {percent(result.coverage.asked)})")
        for line in coverage_lines(result.coverage):
            console.print(line)
    console.print_heading("Scores of each class")
    console.print_table(*class_table(result.class_names, scores))
    show_confusion(console, result.class_names, scores)


def _show_calibration(console: PlainConsole, result: EvaluateResult) -> None:
    scores, uncalibrated = result.scored.scores, result.scored.uncalibrated
    console.print_heading("Calibration")
    console.print_table(*calibration_table(scores, uncalibrated, result.model.temperature))
    worse = calibration_line(scores, uncalibrated)
    if worse:
        console.print(worse)
    console.print()
    console.print_table(*reliability_table(scores.bins))
