"""The result of `evaluate` as text."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from softmaxce.metrics.confusions import most_confused
from softmaxce.metrics.scores import Scores
from softmaxce.translation import translate
from softmaxce.views.console import PlainConsole, output
from softmaxce.views.descriptions import (
    BASELINE_MEANING,
    CI_MEANING,
    CONFUSION_TITLE,
    coverage_lines,
    groups_line,
    left_out_line,
    overlap_line,
)
from softmaxce.views.formatting import counted, percent, shortened
from softmaxce.views.score_tables import (
    by_recall,
    calibration_table,
    class_table,
    metrics_table,
    reliability_table,
)
from softmaxce.views.text.assessment import show_assessment, show_classes, show_confusions
from softmaxce.workflows.assessment import Assessment
from softmaxce.workflows.evaluate import EvaluateResult

_LEGEND = (
    f"baseline: {BASELINE_MEANING}.",
    f"95 % CI: {CI_MEANING}.",
    "Cross-entropy is in nats, the Brier score is between 0 and 2; for these and the calibration "
    "error, lower is better.",
)
_MAX_CLASSES = 20  # of a confusion matrix
_NAME_WIDTH = 20
_N_IN_WORDS = 5
_ERROR_STYLES = (  # least proportion of the row, style
    (0.25, "bold #ffffff on #a50f15"),
    (0.10, "#ffffff on #cb181d"),
    (0.03, "#1a1a1a on #fc9272"),
    (0.0, "#1a1a1a on #fee0d2"),
)
_CORRECT_STYLE = "bold #1a1a1a on #c7e9c0"


def show(result: EvaluateResult, found: Assessment, command_line: str, details: bool) -> None:
    """Print the result. details: also the calibration and the scores of every class."""
    console, scores, names = output(), result.scored.scores, result.model.class_names
    show_assessment(console, found, command_line)
    console.print_heading(f"Scores on {counted(scores.n_images, 'image')}")
    console.print_table(*metrics_table(scores))
    for line in _LEGEND:
        console.print_wrapped(line, "dim")
    if line := groups_line(result.grouping):
        console.print_wrapped(line)
    if result.scored.overlap is not None and found.verdict.kind != "copies":
        console.print_wrapped(overlap_line("scored", result.scored.overlap))
    if result.coverage is not None:
        console.print_heading(f"Prediction sets (coverage {percent(result.coverage.asked)})")
        for line in coverage_lines(result.coverage):
            console.print(line)
    show_classes(console, names, scores, counted(scores.n_images, "image"))
    _show_confusion(console, names, scores)
    if details:
        _show_calibration(console, result)
        console.print_heading("Scores of each class")
        console.print_class_table(*class_table(names, scores), *by_recall(scores))


def _show_calibration(console: PlainConsole, result: EvaluateResult) -> None:
    scores, uncalibrated = result.scored.scores, result.scored.uncalibrated
    console.print_heading("Calibration")
    console.print_table(*calibration_table(scores, uncalibrated, result.model.temperature))
    console.print()
    console.print_table(*reliability_table(scores.bins))


def _show_confusion(console: PlainConsole, class_names: Sequence[str], scores: Scores) -> None:
    """The matrix, or as many of its most confused classes as the width allows."""
    console.print_heading(CONFUSION_TITLE)
    if not scores.confusions:
        console.print("Every prediction is correct.")
        return
    n_shown = _n_that_fit(console.width, class_names, scores)
    shown = most_confused(scores.confusions, scores.n_classes, n_shown)
    rows: list[Sequence[str | Text]] = []
    for place, (k, counts) in enumerate(zip(shown, scores.confusion_among(shown), strict=True)):
        cells = (_cell(n, scores.per_class[k].support, j == place) for j, n in enumerate(counts))
        rows.append((str(k), shortened(class_names[k], _NAME_WIDTH), *cells))
    console.print_table(("", "true class", *map(str, shown)), rows, left=(1,))
    if left_out := left_out_line(scores, shown):
        console.print(left_out)
    show_confusions(console, class_names, scores, _N_IN_WORDS)


def _n_that_fit(width: int, class_names: Sequence[str], scores: Scores) -> int:
    """How many classes a table of this width has room for."""
    names = [translate("true class"), *(shortened(name, _NAME_WIDTH) for name in class_names)]
    longest = max(map(cell_len, names))
    largest = max(scores.confusions[0].count, *(c.n_correct for c in scores.per_class))
    column = max(1 + len(str(largest)), len(str(len(class_names) - 1)))
    room = width - longest - len(str(len(class_names))) - 2
    return max(2, min(len(class_names), _MAX_CLASSES, room // (column + 2)))


def _cell(count: int, support: int, is_correct: bool) -> Text:
    if not count:
        return Text("·", style="dim")
    if is_correct:
        return Text(f" {count}", _CORRECT_STYLE)
    style = next(style for least, style in _ERROR_STYLES if count >= least * support)
    return Text(f" {count}", style)
