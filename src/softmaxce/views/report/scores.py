"""The sections of a report about scores, calibration and training."""

from __future__ import annotations

from softmaxce.views.descriptions import (
    BASELINE_MEANING,
    CI_MEANING,
    calibration_images,
    calibration_line,
    coverage_lines,
    cross_validation_line,
    groups_line,
)
from softmaxce.views.formatting import Word, change, counted, nats, percent
from softmaxce.views.report import charts
from softmaxce.views.report.markup import (
    Html,
    beside,
    bullets,
    definitions,
    figure,
    folded,
    heading,
    paragraph,
    section,
    sentences,
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
    (
        "calibration error",
        "the mean absolute difference between confidence and accuracy; lower is better",
    ),
    (CI, CI_MEANING),
    ("baseline", BASELINE_MEANING),
)
_CLASS_MEANINGS = (
    ("precision", "the proportion of images predicted as the class that belong to it"),
    ("recall", "the proportion of the class's images that are predicted as that class"),
    ("F1", "the harmonic mean of precision and recall"),
)


def scores_section(subject: Subject) -> Html:
    """Every score with its interval and its baseline; for a training run, the splits."""
    scores, validated = subject.scored.scores, subject.cross_validation
    n_images = counted(scores.n_images, subject.images.removesuffix("s"))
    meanings = [entry for entry in _MEANINGS if entry[0] != _TOP_3 or scores.n_classes > 3]
    caption = (
        "Scores of each split. majority: the accuracy of always predicting the most frequent "
        "class; balanced: the mean recall of the classes"
    )
    return section(
        "Scores",
        table(f"Scores on {n_images}", *metrics_table(scores)),
        paragraph(groups_line(subject.grouping)) if subject.grouping else None,
        paragraph(cross_validation_line(validated)) if validated else None,
        folded("What these scores mean", definitions(meanings)),
        table(caption, *splits_table(subject.splits)) if len(subject.splits) > 1 else None,
    )


def class_section(subject: Subject) -> Html:
    """Precision, recall and F1 of each class."""
    names, scores = subject.model.class_names, subject.scored.scores
    classes = table("Scores of each class", *class_table(names, scores, all_intervals=True))
    shown = f"At most {charts.MAX_RECALLS} classes, those with the lowest recall."
    is_cut = len(names) > charts.MAX_RECALLS
    caption = sentences(f"Recall with its {CI}.", shown if is_cut else "")
    return section(
        "Scores of each class",
        figure(charts.recalls(names, scores), caption, is_wide=True),
        folded("What precision, recall and F1 mean", definitions(_CLASS_MEANINGS)),
        folded("All classes as a table", classes) if is_cut else classes,
    )


def calibration_section(subject: Subject) -> Html:
    """Calibration before and after, the reliability diagram and its bins."""
    scores, before = subject.scored.scores, subject.scored.uncalibrated
    caption = (
        f"The accuracy of predictions with similar confidence, and its {CI}. Points on the dashed "
        "line are calibrated; points below it are overconfident, points above it underconfident."
    )
    heads, rows = calibration_table(scores, before, subject.model.temperature)
    coverage, has_effect = None, len(rows) > 1
    if subject.coverage is not None:
        requested = f"Requested coverage: {percent(subject.coverage.asked)}."
        lines = bullets([requested, *coverage_lines(subject.coverage)])
        coverage = Html(f"{heading('Prediction sets')}\n{lines}")
    return section(
        "Calibration",
        paragraph(sentences(*_calibration_words(subject, has_effect=has_effect))),
        table("Before and after calibration" if has_effect else "Without calibration", heads, rows),
        beside(
            figure(charts.reliability(scores, before if has_effect else scores), caption),
            table("Predictions by confidence", *reliability_table(scores.bins)),
        ),
        coverage,
    )


def _calibration_words(subject: Subject, *, has_effect: bool) -> tuple[str, ...]:
    scores, before = subject.scored.scores, subject.scored.uncalibrated
    temperature, chance = subject.model.temperature, scores.expected_ece_if_calibrated
    means = (
        f"The mean confidence is {percent(scores.mean_confidence)}, the accuracy "
        f"{percent(scores.accuracy)}."
    )
    if temperature == 1:
        return means, "The model is not calibrated: its temperature is 1."
    if not has_effect:
        return means, f"Calibration has no effect: the temperature is {temperature:.2f}."
    errors = (before.expected_calibration_error, scores.expected_calibration_error)
    effect = (
        f"Calibration divides the logits by a temperature of {temperature:.4g}, fitted on the "
        f"{calibration_images(subject.model)}; it changes no prediction. Calibration error on "
        "these images: "
        f"{change(*map(percent, errors))}; a calibrated model would show about {percent(chance)} "
        "by chance."
    )
    return means, effect, calibration_line(scores, before)


def training_section(subject: Subject) -> Html | None:
    """The objective at each iteration, and the penalties tried, if recorded."""
    record = subject.record
    if not record.objective_history:
        return None
    segments = (
        "Each segment is a fit with one penalty that starts from the weights of the previous fit; "
        "a smaller penalty allows a lower objective. The last segment, 'fit', uses the chosen "
        "penalty."
    )
    objective = "The objective: mean cross-entropy plus penalty."
    caption: str = sentences(objective, segments if record.l2_path else "")
    rows = [
        (Word(stage), f"{len(values):,}", nats(values[0]), nats(values[-1]))
        for stage, values in record.objective_history
    ]
    header = ("fit", "iterations", "initial objective", "final objective")
    twin = folded("As a table", table("Fits, in order", header, rows))
    halves = [Html(figure(charts.objective_history(record.objective_history), caption) + twin)]
    path = charts.penalties(record)
    if path is not None:
        caption = (
            f"The penalty with the lowest validation cross-entropy was chosen: {record.l2:.3g}. A "
            "smaller penalty fits the training images more closely; if the validation "
            "cross-entropy rises as the penalty falls, the model is overfitting."
        )
        columns = [
            ("l2", *(f"{l2:.3g}" for l2, _ in record.l2_path)),
            ("validation cross-entropy", *(nats(loss) for _, loss in record.l2_path)),
        ]
        if record.l2_path_training:
            columns.append(("training cross-entropy", *map(nats, record.l2_path_training)))
        header, *tried = zip(*columns, strict=True)
        twin = table("Penalties tried", header, tried)
        halves.insert(0, Html(figure(path, caption) + folded("As a table", twin)))
    return section("Training", beside(*halves))
