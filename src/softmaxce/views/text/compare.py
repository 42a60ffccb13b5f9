"""The result of `compare` as text."""

from __future__ import annotations

from rich.text import Text

from softmaxce.metrics.comparison import Comparison
from softmaxce.views.console import PlainConsole, output
from softmaxce.views.descriptions import groups_line
from softmaxce.views.formatting import Strong, Word, counted, interval, nats, percent, probability
from softmaxce.views.score_tables import CI
from softmaxce.workflows.compare import CompareResult

_N_SHOWN = 20
_SIGNIFICANT = 0.05


def show(result: CompareResult) -> None:
    """Print the result."""
    console, comparison = output(), result.comparison
    for side, path in zip("AB", result.model_paths, strict=True):
        console.print_data(f"{side}: {path}")
    console.print_heading(f"Both models on the same {counted(comparison.a.n_images, 'image')}")
    _show_scores(console, comparison)
    p = comparison.p_value
    verdict = "is unlikely to be due to" if p < _SIGNIFICANT else "may be due to"
    test = "McNemar's exact test" if result.grouping is None else "Exact sign-flip test over groups"
    console.print(
        f"\nBoth correct: {comparison.both:,}. Only A: {comparison.only_a:,}. "
        f"Only B: {comparison.only_b:,}. Neither: {comparison.neither:,}.\n"
        f"{test}: p = {p:.3g}. The difference in accuracy {verdict} chance."
    )
    if line := groups_line(result.grouping):
        console.print_wrapped(line)
    _show_differences(console, result)


def _show_scores(console: PlainConsole, comparison: Comparison) -> None:
    a, b = comparison.a, comparison.b
    low, high = comparison.cross_entropy_difference_interval
    rows = [
        (
            Word("accuracy"),
            percent(a.accuracy),
            percent(b.accuracy),
            Strong(f"{100 * comparison.accuracy_difference:+.1f} %"),
            interval(comparison.accuracy_difference_interval),
        ),
        (
            Word("cross-entropy"),
            nats(a.cross_entropy),
            nats(b.cross_entropy),
            Strong(f"{comparison.cross_entropy_difference:+.4f}"),
            f"[{low:+.4f}, {high:+.4f}]",
        ),
    ]
    console.print_table(("score", "A", "B", "B − A", CI), rows)


def _show_differences(console: PlainConsole, result: CompareResult) -> None:
    positions = result.comparison.is_different.nonzero()[0]
    if not len(positions):
        console.print_heading("Both models predict the same class for every image")
        return
    console.print_heading("Images with different predictions")
    rows = []
    for position in positions[:_N_SHOWN].tolist():
        label = result.a.model.class_names[result.a.scores.labels[position]]
        cells: list[str | Text] = [result.a.path(position), label]
        for scored in (result.a, result.b):
            predicted = scored.model.class_names[scored.scores.predicted[position]]
            cells += [predicted, probability(float(scored.scores.confidences[position]))]
        rows.append(cells)
    console.print_table(("image", "true class", "A", "p", "B", "p"), rows, left=(0, 1, 2, 4))
    rest = len(positions) - _N_SHOWN
    if rest > 0:
        console.print(f"and {rest:,} more; --format csv lists all of them.")
