"""The sections of a report about scores, calibration and training."""

from __future__ import annotations

from collections.abc import Sequence

from softmaxce.metrics.scores import Scores
from softmaxce.views.descriptions import (
    BASELINE_MEANING,
    CI_MEANING,
    CONFUSION_TITLE,
    MOST_CONFUSED_TITLE,
    calibration_line,
    confusion_lines,
    coverage_lines,
    left_out_line,
)
from softmaxce.views.formatting import Strong, change, nats, percent
from softmaxce.views.report import charts
from softmaxce.views.report.markup import (
    Html,
    beside,
    bullets,
    definitions,
    figure,
    folded,
    paragraph,
    section,
    table,
)
from softmaxce.views.report.subject import Subject
from softmaxce.views.score_tables import (
    CI,
    calibration_table,
    class_table,
    metrics_table,
    reliability_table,
    splits_table,
)

MAX_TABLE_MATRIX = 30
_N_IN_WORDS = 8
_N_PAIRS = 100
_TOP_3 = "top-3 accuracy"
_MEANINGS = (
    ("accuracy", "the proportion of images that are classified correctly"),
    (_TOP_3, "the proportion whose true class is among the three most probable"),
    ("balanced accuracy", "the mean recall of the classes, so that rare classes count equally"),
    ("macro F1", "the mean F1 of the classes (see below)"),
    ("cross-entropy", "the mean of −log p(true class), in nats; lower is better, 0 is perfect"),
    (
        "Brier score",
        "the mean squared distance of the probabilities from the one-hot label, 0 to 2; lower is "
        "better",
    ),
    ("calibration error", "the mean difference of confidence and accuracy; lower is better"),
    (CI, CI_MEANING),
    ("baseline", BASELINE_MEANING),
)


def scores_section(subject: Subject) -> Html:
    """Every score with its interval and its baseline; for a training run, the splits."""
    scores = subject.scored.scores
    meanings = [entry for entry in _MEANINGS if entry[0] != _TOP_3 or scores.n_classes > 3]
    caption = (
        "Scores of each split. majority: the accuracy of always predicting the most frequent "
        "class; uniform: the cross-entropy of a uniform prediction"
    )
    return section(
        "Scores",
        beside(
            table(f"Scores on {scores.n_images:,} {subject.images}", *metrics_table(scores)),
            Html("<h3>Meaning</h3>" + definitions(meanings)),
        ),
        table(caption, *splits_table(subject.splits)) if len(subject.splits) > 1 else None,
    )


def confusion_section(subject: Subject) -> Html:
    """The matrix as a picture and as a table, and its largest errors in words."""
    scores, names = subject.scored.scores, subject.model.class_names
    if not scores.confusions:
        return section("Confusion matrix", paragraph("Every prediction is correct."))
    shown = charts.matrix_classes(scores)
    numbers = "Counts and per cent of the row. " if len(shown) <= charts.MAX_NUMBERED else ""
    caption = (
        f"{CONFUSION_TITLE}. {numbers}Blue is correct, red is wrong; a stronger colour is a larger "
        "proportion of the row."
    )
    lines = bullets(confusion_lines(names, scores, _N_IN_WORDS))
    left_out = left_out_line(scores, shown)
    return section(
        "Confusion matrix",
        beside(
            figure(charts.confusion(names, scores), caption, is_wide=True),
            Html(f"<h3>{MOST_CONFUSED_TITLE}</h3>{lines}"),
        ),
        paragraph(left_out, "soft") if left_out else None,
        _confusion_table(names, scores),
    )


def _confusion_table(names: Sequence[str], scores: Scores) -> Html:
    rows: list[Sequence[str]] = []
    if scores.n_classes <= MAX_TABLE_MATRIX:
        for name, of_class, row in zip(names, scores.per_class, scores.confusion, strict=True):
            support = max(1, of_class.support)
            rows.append((name, *(f"{n:,} ({percent(n / support)})" if n else "·" for n in row)))
        content = table("Counts, and per cent of the row", ("true class", *names), rows)
        return folded("The matrix as a table", content)
    pairs = scores.confusions[:_N_PAIRS]
    rows += [(names[c.label], names[c.predicted], f"{c.count:,}", percent(c.share)) for c in pairs]
    caption = f"The {len(pairs)} most frequent of {len(scores.confusions):,} confusions"
    header = ("true class", "predicted", "images", "of the class")
    return folded(caption, table(caption, header, rows))


def class_section(subject: Subject) -> Html:
    """Precision, recall and F1 of each class."""
    names, scores = subject.model.class_names, subject.scored.scores
    classes = table("Scores of each class", *class_table(names, scores, all_intervals=True))
    caption = f"Recall with its {CI}."
    if len(names) > charts.MAX_RECALLS:
        caption += f" At most {charts.MAX_RECALLS} classes, those with the lowest recall."
    return section(
        "Scores of each class",
        paragraph(
            "Precision: the proportion of the images predicted as the class that belong to it. "
            "Recall: the proportion of the images of the class that are predicted as it. F1: the "
            "harmonic mean of both.",
            "soft",
        ),
        figure(charts.recalls(names, scores), caption, is_wide=True),
        classes if len(names) <= charts.MAX_RECALLS else folded("All classes as a table", classes),
    )


def calibration_section(subject: Subject) -> Html:
    """Calibration before and after, the reliability diagram and its bins."""
    scores, before = subject.scored.scores, subject.scored.uncalibrated
    caption = (
        f"The accuracy of predictions with similar confidence, and its {CI}. On the dashed line "
        "the model is calibrated; below it is overconfident, above it underconfident."
    )
    is_calibrated = subject.model.temperature != 1
    title = "Before and after calibration" if is_calibrated else "Without calibration"
    calibration, coverage = calibration_table(scores, before, subject.model.temperature), None
    if subject.coverage is not None:
        requested = f"Requested coverage: {percent(subject.coverage.asked)}."
        lines = bullets([requested, *coverage_lines(subject.coverage)])
        coverage = Html(f"<h3>Prediction sets</h3>\n{lines}")
    return section(
        "Calibration",
        paragraph(_calibration_words(subject)),
        table(title, *calibration),
        beside(
            figure(charts.reliability(scores, before), caption),
            table("Predictions by confidence", *reliability_table(scores.bins)),
        ),
        coverage,
    )


def _calibration_words(subject: Subject) -> str:
    scores, temperature = subject.scored.scores, subject.model.temperature
    words = (
        f"The mean confidence is {percent(scores.mean_confidence)}, the accuracy "
        f"{percent(scores.accuracy)}. "
    )
    if temperature == 1:
        return words + "The model is not calibrated: its temperature is 1."
    before = subject.scored.uncalibrated
    errors = (before.expected_calibration_error, scores.expected_calibration_error)
    words += (
        f"Calibration divides the logits by a temperature of {temperature:.3g}, fitted on the "
        "validation images; it changes no prediction. Calibration error on these images: "
        f"{change(*map(percent, errors))}; a calibrated model would show about "
        f"{percent(scores.expected_ece_if_calibrated)} by chance. "
    )
    return words + calibration_line(scores, before)


def training_section(subject: Subject) -> Html | None:
    """The objective at each iteration, and the penalties that were tried, if recorded."""
    record = subject.record
    if not record.objective_history:
        return None
    caption = "The objective: mean cross-entropy plus penalty."
    if record.l2_path:
        caption += (
            " Each segment is a fit with one penalty that starts from the weights of the previous "
            "fit; a smaller penalty allows a lower objective. The last segment, 'fit', uses the "
            "chosen penalty."
        )
    rows = [
        (stage, f"{len(values):,}", nats(values[0]), nats(values[-1]))
        for stage, values in record.objective_history
    ]
    header = ("fit", "iterations", "first objective", "last objective")
    twin = folded("As a table", table("The fits in their order", header, rows))
    halves = [Html(figure(charts.objective_history(record.objective_history), caption) + twin)]
    path = charts.penalties(record)
    if path is not None:
        caption = f"The lowest validation cross-entropy chooses the penalty: {record.l2:.3g}."
        tried = [
            (f"{l2:.3g}", Strong(nats(loss)) if l2 == record.l2 else nats(loss))
            for l2, loss in record.l2_path
        ]
        twin = table("Penalties that were tried", ("l2", "validation cross-entropy"), tried)
        halves.append(Html(figure(path, caption) + folded("As a table", twin)))
    return section("Training", beside(*halves))
