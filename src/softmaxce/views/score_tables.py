"""Scores as rows of text: built once, printed on the terminal and written into the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from softmaxce.metrics.calibration import Bin
from softmaxce.metrics.intervals import Interval
from softmaxce.metrics.scores import Scores
from softmaxce.views.formatting import Strong, Word, interval, nats, percent, shortened

SPLIT_TITLES = {
    "train": "training",
    "validation": "validation",
    "cross_validation": "cross-validated",
    "test": "test",
}
CI = "95 % CI"
N_WORST = 10
_BAR_WIDTH = 15
_NOT_DEFINED = "·"
# Column titles, and rows of as many cells; the first cell names the row.
TextTable = tuple[Sequence[str], Sequence[Sequence[str]]]
_METRIC_TITLES = {
    "accuracy": "accuracy",
    "top_2_accuracy": "top-2 accuracy",
    "top_3_accuracy": "top-3 accuracy",
    "top_5_accuracy": "top-5 accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "cross_entropy": "cross-entropy",
    "brier_score": "Brier score",
    "expected_calibration_error": "calibration error",
}


def splits_table(splits: Mapping[str, Scores]) -> TextTable:
    """The scores of each split ("train", …)."""
    header = ("split", "images", "accuracy", CI, "majority", "balanced", "cross-entropy")
    rows = [
        (
            Word(SPLIT_TITLES[split]),
            f"{scores.n_images:,}",
            Strong(percent(scores.accuracy)),
            interval(scores.accuracy_interval),
            percent(scores.majority_baseline),
            percent(scores.class_averages["balanced_accuracy"]),
            Strong(nats(scores.cross_entropy)),
        )
        for split, scores in splits.items()
    ]
    return header, rows


def recorded_scores_table(recorded: Mapping[str, Mapping[str, float]]) -> TextTable:
    """The scores of each split that a model file keeps; see TrainingRecord."""
    rows = [
        (
            Word(title),
            f"{scores['n_images']:,.0f}",
            percent(scores["accuracy"]),
            nats(scores["cross_entropy"]),
            percent(scores["expected_calibration_error"]),
        )
        for split, title in SPLIT_TITLES.items()
        if (scores := recorded.get(split))
    ]
    return ("split", "images", "accuracy", "cross-entropy", "calibration error"), rows


def metrics_table(scores: Scores) -> TextTable:
    """The metrics that people are shown, each with its confidence interval and its baseline."""
    rows = []
    for metric in scores.metrics:
        if metric.name in _METRIC_TITLES:
            in_words = nats if metric.name in ("cross_entropy", "brier_score") else percent
            low, high = (in_words(bound).removesuffix(" %") for bound in metric.interval)
            title, value = Word(_METRIC_TITLES[metric.name]), Strong(in_words(metric.value))
            rows.append((title, value, f"[{low}, {high}]", in_words(metric.baseline)))
    return ("score", "value", CI, "baseline"), rows


def calibration_table(scores: Scores, uncalibrated: Scores, temperature: float) -> TextTable:
    """The losses before and after calibration; one row if both print the same."""
    both = [("uncalibrated", 1.0, uncalibrated), ("calibrated", temperature, scores)]
    rows = [
        (
            Word(title),
            f"{temperature_of_row:.4g}",
            nats(scored.cross_entropy),
            nats(scored.brier_score),
            Strong(percent(scored.expected_calibration_error)),
        )
        for title, temperature_of_row, scored in both
    ]
    header = ("", "temperature", "cross-entropy", "Brier score", "calibration error")
    return header, rows if rows[0][1:] != rows[1][1:] else rows[:1]


def reliability_table(bins: Iterable[Bin]) -> TextTable:
    """The bins of the reliability diagram that contain images."""
    rows = [
        (
            f"{100 * b.low:.0f} – {100 * b.high:.0f} %",
            percent(b.mean_confidence),
            f"{b.n_images:,}",
            Strong(percent(b.accuracy)),
            interval(b.accuracy_interval),
        )
        for b in bins
        if b.n_images
    ]
    return ("confidence", "mean", "images", "accuracy", CI), rows


def by_recall(scores: Scores) -> tuple[Sequence[Any], str]:
    """A value for each class with images that is lowest for the worst, and what the worst have.

    If the recalls are equal, the lower F1 and then the larger number of images is worse.
    """
    values = [(c.recall, c.f1, -c.support) if c.support else None for c in scores.per_class]
    return values, "lowest recall"


def worst_classes(class_names: Sequence[str], scores: Scores) -> TextTable:
    """The recall of each class with images, or of the N_WORST with the lowest, as a bar in which a
    mark shows the recall of a random choice."""
    values, _ = by_recall(scores)
    order = [k for k, value in enumerate(values) if value is not None]
    if len(order) > N_WORST:
        order = sorted(order, key=values.__getitem__)[:N_WORST]
    rows = []
    for k in order:
        c = scores.per_class[k]
        bar = _bar(c.recall, 1 / scores.n_classes)
        precision = percent(c.precision) if c.n_predicted else _NOT_DEFINED
        recall = Strong(percent(c.recall)), bar, interval(c.recall_interval)
        rows.append((shortened(class_names[k], 30), *recall, precision, f"{c.support:,}"))
    return ("class", "recall", "", CI, "precision", "images"), rows


def _bar(proportion: float, mark: float) -> str:
    cells = ["█" if (i + 0.5) / _BAR_WIDTH <= proportion else "·" for i in range(_BAR_WIDTH)]
    cells.insert(round(mark * _BAR_WIDTH), "|")
    return "".join(cells)


def class_table(
    class_names: Sequence[str], scores: Scores, *, all_intervals: bool = False
) -> TextTable:
    """Precision, recall, F1 and support of each class; all_intervals: of precision and F1 too."""
    f1_intervals: Sequence[Interval | None] = [None] * scores.n_classes
    header: Sequence[str] = ("class", "precision", "recall", CI, "F1", "images")
    if all_intervals:
        f1_intervals = scores.f1_intervals
        header = ("class", "precision", CI, "recall", CI, "F1", CI, "images")
    rows = []
    for class_name, c, f1_interval in zip(class_names, scores.per_class, f1_intervals, strict=True):
        occurs = c.support or c.n_predicted
        cells = [class_name, percent(c.precision) if c.n_predicted else _NOT_DEFINED]
        cells += [interval(c.precision_interval)] * all_intervals
        cells.append(Strong(percent(c.recall)) if c.support else _NOT_DEFINED)
        cells += [interval(c.recall_interval), f"{c.f1:.3f}" if occurs else _NOT_DEFINED]
        if f1_interval is not None:
            cells.append(f"[{f1_interval[0]:.3f}, {f1_interval[1]:.3f}]" if occurs else "")
        rows.append([*cells, f"{c.support:,}"])
    return header, rows
