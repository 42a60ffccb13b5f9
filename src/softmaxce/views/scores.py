"""Scores as tables and as JSON: shared by training and evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from softmaxce.metrics.calibration import Bin
from softmaxce.metrics.intervals import wilson_interval
from softmaxce.metrics.scores import LOSSES, Metric, Scores
from softmaxce.views.wording import heading, interval, name, nats, percent, table

_TITLES = {
    "accuracy": "accuracy",
    "top_2_accuracy": "truth in the top 2",
    "top_3_accuracy": "truth in the top 3",
    "top_5_accuracy": "truth in the top 5",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "cross_entropy": "cross-entropy",
    "brier_score": "Brier score",
    "expected_calibration_error": "calibration error",
}
LEGEND = (
    "without looking: of shares, what always giving the most frequent answers\n"
    "reaches; of losses, what giving every class the same probability costs (ln K in\n"
    "cross-entropy); of the calibration error, what luck alone does to a perfectly\n"
    "calibrated model. Cross-entropy in nats, Brier score from 0 to 2; of these and\n"
    "of the calibration error, lower is better. 95 %: where the value would lie for\n"
    "endlessly many such images; of the calibration error less luck's share of it."
)


def overview(parts: Mapping[str, Scores]) -> Table:
    """One row for each part of the data, beside the baselines that need no pictures."""
    view = table()
    for title in ("", "images", "accuracy", "95 % interval", "majority", "loss", "guessing"):
        view.add_column(title, justify="left" if title == "" else "right")
    for part, scores in parts.items():
        view.add_row(
            part,
            f"{scores.n_images:,}",
            Text(percent(scores.accuracy), style="bold"),
            interval(scores.accuracy_interval),
            percent(scores.majority_baseline),
            Text(nats(scores.cross_entropy), style="bold"),
            nats(scores.chance_cross_entropy),
        )
    return view


def show_overview(console: Console, parts: Mapping[str, Scores]) -> None:
    """The overview under its heading, with a legend."""
    heading(console, "How good it is")
    console.print(overview(parts))
    console.print(_OVERVIEW_LEGEND + (_CAVEAT if "held out" in parts else ""), style="dim")


_OVERVIEW_LEGEND = (
    "majority: the accuracy of always answering the most frequent class.\n"
    "loss: the cross-entropy in nats, 0 when perfect.\n"
    "guessing: the loss of giving every class the same probability, ln K."
)
_CAVEAT = (
    "\nThe held-out images also chose the penalty and the temperature, and so look a\n"
    "little too good; 'evaluate' judges on images of their own."
)


def shown_metrics(scores: Scores) -> list[tuple[str, Metric]]:
    """The metrics that people are shown, with their titles; JSON has all of them."""
    return [(_TITLES[m.name], m) for m in scores.metrics if m.name in _TITLES]


def metric_value(metric: Metric, value: float) -> str:
    """A value of the metric as people read it: shares in per cent, losses in their own units."""
    is_loss = metric.name in LOSSES and metric.name != "expected_calibration_error"
    return nats(value) if is_loss else percent(value)


def metric_interval(metric: Metric) -> str:
    """Its interval, or nothing."""
    if metric.interval is None:
        return ""
    low, high = (metric_value(metric, end).removesuffix(" %") for end in metric.interval)
    return f"[{low}, {high}]"


def show_metrics(console: Console, scores: Scores) -> None:
    """Every score with its interval, beside what it would be without a look at the images."""
    heading(console, f"How good it is, on {scores.n_images:,} images")
    view = table()
    for title in ("score", "value", "95 % interval", "without looking"):
        view.add_column(title, justify="left" if title == "score" else "right")
    for title, metric in shown_metrics(scores):
        baseline = "" if metric.baseline is None else metric_value(metric, metric.baseline)
        value = Text(metric_value(metric, metric.value), style="bold")
        view.add_row(title, value, metric_interval(metric), baseline)
    console.print(view)
    console.print(LEGEND, style="dim")


def show_calibration(
    console: Console, scores: Scores, uncalibrated: Scores, temperature: float
) -> None:
    """How far its probabilities can be believed, before and after calibration."""
    heading(console, "Do its probabilities mean what they say?")
    view = table()
    for title in ("", "temperature", "cross-entropy", "Brier score", "calibration error"):
        view.add_column(title, justify="left" if title == "" else "right")
    rows = [("as trained", 1.0, uncalibrated), ("calibrated", temperature, scores)]
    for title, of_row, scored in rows if temperature != 1 else rows[:1]:
        view.add_row(
            title,
            f"{of_row:.3f}",
            nats(scored.cross_entropy),
            nats(scored.brier_score),
            percent(scored.expected_calibration_error),
        )
    console.print(view)
    console.print()
    console.print(reliability(scores.bins))


def reliability(bins: Sequence[Bin]) -> Table:
    """The answers by their probability, and how many of them were right."""
    view = table()
    for title in ("probability", "images", "on average", "right", "95 % interval"):
        view.add_column(title, justify="left" if title == "probability" else "right")
    for group in bins:
        if group.n_images:
            view.add_row(
                f"{100 * group.low:.0f} – {100 * group.high:.0f} %",
                f"{group.n_images:,}",
                percent(group.mean_confidence),
                percent(group.accuracy),
                interval(wilson_interval(group.n_correct, group.n_images)),
            )
    return view


def per_class(class_names: Sequence[str], scores: Scores) -> Table:
    """Precision, recall, F1 and support of each class."""
    view = table()
    view.add_column("class")
    for title in ("precision", "recall", "95 % of recall", "F1", "images"):
        view.add_column(title, justify="right")
    for class_name, of_class in zip(class_names, scores.per_class, strict=True):
        bounds = of_class.recall_interval
        view.add_row(
            name(class_name),
            percent(of_class.precision) if of_class.n_predicted else "·",
            percent(of_class.recall) if of_class.support else "·",
            interval(bounds) if bounds else "",
            f"{of_class.f1:.3f}" if of_class.support or of_class.n_predicted else "·",
            f"{of_class.support:,}",
        )
    return view


def summary_json(scores: Scores) -> dict[str, Any]:
    """The numbers of `overview`, and the others that cost next to nothing."""
    return {
        "n_images": scores.n_images,
        "cross_entropy": scores.cross_entropy,
        "accuracy": scores.accuracy,
        "accuracy_interval": scores.accuracy_interval,
        "majority_baseline": scores.majority_baseline,
        "chance_cross_entropy": scores.chance_cross_entropy,
        "brier_score": scores.brier_score,
        "expected_calibration_error": scores.expected_calibration_error,
    }


def details_json(class_names: Sequence[str], scores: Scores) -> dict[str, Any]:
    """Every score, the confusion matrix and each class's numbers."""
    return {
        **{metric.name: metric.value for metric in scores.metrics},
        "intervals": {metric.name: metric.interval for metric in scores.metrics},
        "baselines": {metric.name: metric.baseline for metric in scores.metrics},
        "confusion_matrix": {"classes": class_names, "counts": scores.confusion},
        "confusions": [
            {
                "label": class_names[confusion.label],
                "predicted": class_names[confusion.predicted],
                "count": confusion.count,
                "support": confusion.support,
            }
            for confusion in scores.confusions
        ],
        "per_class": {
            class_name: {
                "precision": of_class.precision,
                "recall": of_class.recall,
                "f1": of_class.f1,
                "support": of_class.support,
            }
            for class_name, of_class in zip(class_names, scores.per_class, strict=True)
        },
        "per_class_intervals": {
            class_name: {
                "precision": of_class.precision_interval,
                "recall": of_class.recall_interval,
                "f1": f1_interval,
            }
            for class_name, of_class, f1_interval in zip(
                class_names, scores.per_class, scores.f1_intervals, strict=True
            )
        },
    }


def calibration_json(scores: Scores, uncalibrated: Scores, temperature: float) -> dict[str, Any]:
    """Both calibrations, with the bins of the error."""
    return {
        "temperature": temperature,
        "before": _calibration_of(uncalibrated),
        "after": _calibration_of(scores),
    }


def _calibration_of(scores: Scores) -> dict[str, Any]:
    return {
        "cross_entropy": scores.cross_entropy,
        "brier_score": scores.brier_score,
        "expected_calibration_error": scores.expected_calibration_error,
        "bins": [
            {
                "low": group.low,
                "high": group.high,
                "n_images": group.n_images,
                "accuracy": group.accuracy if group.n_images else None,
                "mean_confidence": group.mean_confidence if group.n_images else None,
            }
            for group in scores.bins
        ],
    }
