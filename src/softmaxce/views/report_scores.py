"""The sections of a report that are made of numbers."""

from __future__ import annotations

from collections.abc import Sequence

from softmaxce.metrics.confusions import most_confused
from softmaxce.metrics.intervals import wilson_interval
from softmaxce.metrics.scores import Scores
from softmaxce.views import charts
from softmaxce.views.confusion import in_words
from softmaxce.views.drawing import Drawing
from softmaxce.views.markup import (
    Html,
    beside,
    bold,
    bullets,
    definitions,
    figure,
    folded,
    paragraph,
    section,
    table,
)
from softmaxce.views.report_subject import Subject
from softmaxce.views.scores import metric_interval, metric_value, shown_metrics
from softmaxce.views.wording import interval, nats, percent

MAX_MATRIX = 100
MAX_TABLE_MATRIX = 30
MAX_CLASS_CHART = 30
_N_IN_WORDS = 8
_N_PAIRS = 100
_TOP_3 = "truth in the top 3"
_MEANINGS = (
    ("accuracy", "the share of images that were recognised"),
    (_TOP_3, "the true class was among the three most probable"),
    ("balanced accuracy", "the mean share recognised of each class, rare classes counting alike"),
    ("macro F1", "the mean F1 of the classes (below)"),
    (
        "cross-entropy",
        "−log of the probability that the true class got, on average, in nats; "
        "lower is better, 0 is perfect",
    ),
    (
        "Brier score",
        "the squared distance of the probabilities from the truth, 0 to 2; lower is better",
    ),
    (
        "calibration error",
        "how far the probability of an answer lies from how often such answers are right; "
        "lower is better; its interval has luck's share taken off, and may lie below the value",
    ),
    ("95 % interval", "where the value would lie for endlessly many such images"),
    (
        "without looking",
        "always giving the most frequent answers; of cross-entropy and Brier score, giving every "
        "class the same probability; of the calibration error, luck alone",
    ),
)


def scores_section(subject: Subject) -> Html:
    """Every score with its interval and its baseline; the parts of the data beside each other."""
    scores = subject.scored.scores
    rows = [
        (
            title,
            bold(metric_value(metric, metric.value)),
            metric_interval(metric),
            "" if metric.baseline is None else metric_value(metric, metric.baseline),
        )
        for title, metric in shown_metrics(scores)
    ]
    header = ("score", "value", "95 % interval", "without looking")
    scores_table = table(f"Scores on {scores.n_images:,} {subject.part}", header, rows)
    content = [
        beside(scores_table, Html("<h3>What they mean</h3>" + definitions(_meanings(scores))))
    ]
    if len(subject.parts) > 1:
        content.append(_parts_table(subject))
    return section("Scores", *content)


def _meanings(scores: Scores) -> list[tuple[str, str]]:
    """What the scores mean; of top-k accuracies only where there is one."""
    return [(title, words) for title, words in _MEANINGS if title != _TOP_3 or scores.n_classes > 3]


def _parts_table(subject: Subject) -> Html:
    rows = [
        (
            part,
            f"{scores.n_images:,}",
            bold(percent(scores.accuracy)),
            interval(scores.accuracy_interval),
            bold(nats(scores.cross_entropy)),
            percent(scores.majority_baseline),
            nats(scores.chance_cross_entropy),
        )
        for part, scores in subject.parts.items()
    ]
    header = ("part", "images", "accuracy", "95 %", "cross-entropy", "majority", "ln K")
    return table("The parts of the data", header, rows)


def confusion_section(subject: Subject) -> Html:
    """The matrix as a picture and as a table, and its worst cells in words."""
    scores, names = subject.scored.scores, subject.model.class_names
    title = "What was taken for what"
    if not scores.confusions:
        return section(title, paragraph("Nothing: every answer is right."))
    chosen = _chosen(scores)
    is_numbered = len(chosen) <= charts.MAX_NUMBERED
    numbers = "Count, and per cent of the row. " if is_numbered else ""
    caption = (
        f"Rows: the truth. Columns: the answer, in the same order. {numbers}"
        "Blue is right, red is wrong; the stronger, the larger the share of the row."
    )
    worst = scores.confusions[:_N_IN_WORDS]
    rest = len(scores.confusions) - len(worst)
    words = [bullets(in_words(confusion, names) for confusion in worst)]
    if rest:
        n_images = sum(confusion.count for confusion in scores.confusions[_N_IN_WORDS:])
        words.append(paragraph(f"And {n_images:,} images in {rest:,} rarer pairs.", "soft"))
    picture = figure(charts.confusion(names, scores, chosen), caption, is_wide=True)
    return section(
        title,
        beside(picture, Html("<h3>Most often confused</h3>" + "".join(words))),
        *_left_out(scores, chosen),
        _confusion_twin(names, scores),
    )


def _chosen(scores: Scores) -> list[int]:
    n_wanted = min(scores.n_classes, MAX_MATRIX)
    return [int(k) for k in most_confused(scores.confusion, n_wanted)]


def _left_out(scores: Scores, chosen: Sequence[int]) -> list[Html]:
    if len(chosen) == scores.n_classes:
        return []
    within = scores.confusion[chosen][:, chosen]
    n_shown, n_mistakes = int(within.sum() - within.trace()), scores.n_images - scores.n_correct
    return [
        paragraph(
            f"The {len(chosen)} most confused of {scores.n_classes} classes, with {n_shown:,} of "
            f"the {n_mistakes:,} mistakes.",
            "soft",
        )
    ]


def _confusion_twin(names: Sequence[str], scores: Scores) -> Html:
    if scores.n_classes <= MAX_TABLE_MATRIX:
        rows = []
        for i, row in enumerate(scores.confusion):
            support = max(1, int(row.sum()))
            cells = [f"{n:,} ({percent(n / support)})" if n else "·" for n in row.tolist()]
            rows.append((names[i], *cells))
        content = table("Counts, and per cent of the row", ("truth", *names), rows)
        return folded("The matrix as a table", content)
    pairs = scores.confusions[:_N_PAIRS]
    rows = [
        (names[c.label], names[c.predicted], f"{c.count:,}", percent(c.count / c.support))
        for c in pairs
    ]
    caption = f"The {len(pairs)} most frequent of {len(scores.confusions):,} confusions"
    return folded(caption, table(caption, ("truth", "answer", "images", "of the class"), rows))


def class_section(subject: Subject) -> Html:
    """Each class's scores."""
    names, scores = subject.model.class_names, subject.scored.scores
    rows = []
    for class_name, of_class, f1_interval in zip(
        names, scores.per_class, scores.f1_intervals, strict=True
    ):
        occurs = of_class.support or of_class.n_predicted
        rows.append(
            (
                class_name,
                f"{of_class.support:,}",
                percent(of_class.precision) if of_class.n_predicted else "·",
                interval(of_class.precision_interval) if of_class.precision_interval else "",
                bold(percent(of_class.recall)) if of_class.support else "·",
                interval(of_class.recall_interval) if of_class.recall_interval else "",
                f"{of_class.f1:.3f}" if occurs else "·",
                f"[{f1_interval[0]:.3f}, {f1_interval[1]:.3f}]" if occurs else "",
            )
        )
    header = ("class", "images", "precision", "95 %", "recall", "95 %", "F1", "95 %")
    content = table("Scores of each class", header, rows)
    chosen = _weakest(scores)
    caption = "Recall: of the images of a class, the share that was called so."
    if len(chosen) < len([c for c in scores.per_class if c.support]):
        caption += f" The {len(chosen)} classes with the lowest."
    return section(
        "Each class",
        paragraph(
            "Precision: when it says the class, how often that is so. Recall: of the images of the "
            "class, how many it finds. F1: the harmonic mean of both.",
            "soft",
        ),
        figure(charts.recalls(names, scores, chosen), caption, is_wide=True),
        content if len(names) <= MAX_CLASS_CHART else folded("All classes as a table", content),
    )


def _weakest(scores: Scores) -> list[int]:
    """The classes with the lowest recall where there are many; else all, in their order."""
    present = [k for k, of_class in enumerate(scores.per_class) if of_class.support]
    if len(present) <= MAX_CLASS_CHART:
        return present
    return sorted(present, key=lambda k: scores.per_class[k].recall)[:MAX_CLASS_CHART]


def probability_section(subject: Subject) -> Html:
    """Calibration before and after, the reliability diagram and its bins."""
    scores, before = subject.scored.scores, subject.scored.uncalibrated
    temperature = subject.model.temperature
    calibrations = [("as trained", 1.0, before), ("calibrated", temperature, scores)]
    rows = [
        (
            title,
            f"{of_row:.4g}",
            nats(scored.cross_entropy),
            nats(scored.brier_score),
            bold(percent(scored.expected_calibration_error)),
        )
        for title, of_row, scored in (calibrations if temperature != 1 else calibrations[:1])
    ]
    header = ("", "temperature", "cross-entropy", "Brier score", "calibration error")
    caption = (
        "Each dot: answers of about the same probability, and the share of them that was right, "
        "with its 95 % interval. On the dashed line the probability means what it says; below it "
        "the model is too sure, above it not sure enough."
    )
    promises = [Html("<h3>Prediction sets</h3>"), bullets(subject.promises)]
    return section(
        "Do its probabilities mean what they say?",
        paragraph(_calibration_words(subject)),
        beside(figure(_reliability(subject), caption), _bins_table(scores)),
        table("Before and after calibration", header, rows),
        *(promises if subject.promises else []),
    )


def _calibration_words(subject: Subject) -> str:
    scores, temperature = subject.scored.scores, subject.model.temperature
    said = float(scores.confidences.mean())
    words = (
        f"Its answers come with a probability of {percent(said)} on average, and "
        f"{percent(scores.accuracy)} of them are right. "
    )
    if temperature == 1:
        return words + "The model was not calibrated: its temperature is 1."
    before = subject.scored.uncalibrated
    return words + (
        f"Calibration divides the logits by a temperature of {temperature:.3g}, which was fitted "
        "on the held-out images and changes no answer. Here it takes the calibration error from "
        f"{percent(before.expected_calibration_error)} to "
        f"{percent(scores.expected_calibration_error)}; luck alone makes about "
        f"{percent(scores.expected_ece_if_calibrated)}."
    )


def _bins_table(scores: Scores) -> Html:
    rows = [
        (
            f"{100 * group.low:.0f} to {100 * group.high:.0f} %",
            f"{group.n_images:,}",
            percent(group.mean_confidence),
            bold(percent(group.accuracy)),
            interval(wilson_interval(group.n_correct, group.n_images)),
        )
        for group in scores.bins
        if group.n_images
    ]
    header = ("probability", "answers", "said", "right", "95 %")
    return table("Answers by their probability; said: its mean", header, rows)


def _reliability(subject: Subject) -> Drawing:
    is_calibrated = subject.model.temperature != 1
    before = subject.scored.uncalibrated.bins if is_calibrated else None
    return charts.reliability(subject.scored.scores.bins, before)


def fit_section(subject: Subject) -> Html | None:
    """The solver's path and the penalties that were tried, where the model kept them."""
    facts = subject.training
    if not facts.objective_history:
        return None
    content = [
        figure(
            charts.objective_history(facts.objective_history),
            "What training minimises: the mean cross-entropy plus the penalty. Each piece is a fit "
            "with one penalty and starts from the weights of the one before it; a smaller penalty "
            "lets the objective fall further. The last, 'fit', is the one with the penalty that "
            "was kept.",
        )
    ]
    rows = [
        (stage, f"{len(values):,}", nats(values[0]), nats(values[-1]))
        for stage, values in facts.objective_history
    ]
    header = ("fit", "steps", "objective at its start", "at its end")
    content.append(folded("As a table", table("The fits, in their order", header, rows)))
    if len(facts.l2_path) > 1 and facts.l2 is not None:
        tried = [(f"{l2:g}", nats(loss)) for l2, loss in facts.l2_path]
        caption = f"The penalty with the lowest held-out loss was kept: {facts.l2:g}."
        path = figure(charts.penalties(facts.l2_path, facts.l2), caption)
        twin = table("Penalties that were tried", ("l2", "held-out cross-entropy"), tried)
        content += [path, folded("As a table", twin)]
    halves = [Html("".join(content[:2])), Html("".join(content[2:]))]
    return section("How it was fitted", beside(*(half for half in halves if half)))


def drawings(subject: Subject) -> list[Drawing]:
    """Every drawing of the report."""
    names, scores, facts = subject.model.class_names, subject.scored.scores, subject.training
    made = [_reliability(subject), charts.recalls(names, scores, _weakest(scores))]
    if scores.confusions:
        made.append(charts.confusion(names, scores, _chosen(scores)))
    if facts.objective_history:
        made.append(charts.objective_history(facts.objective_history))
    if len(facts.l2_path) > 1 and facts.l2 is not None:
        made.append(charts.penalties(facts.l2_path, facts.l2))
    return made


def plots(subject: Subject) -> dict[str, bytes]:
    """File name → PNG."""
    from softmaxce.views.drawing_png import as_png

    return {f"{drawing.name}.png": as_png(drawing) for drawing in drawings(subject)}
