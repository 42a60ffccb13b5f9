"""The charts of a report."""

from __future__ import annotations

import math
from collections.abc import Sequence

from softmaxce.metrics.calibration import Bin
from softmaxce.metrics.confusions import most_confused
from softmaxce.metrics.scores import Scores
from softmaxce.views.formatting import nats, percent, shortened
from softmaxce.views.report.drawing import (
    Drawing,
    Role,
    dot,
    label,
    rectangle,
    stroke,
)
from softmaxce.views.report.subject import Subject
from softmaxce.workflows.training_record import TrainingRecord

MAX_MATRIX = 100  # classes of a confusion matrix
MAX_RECALLS = 30
MAX_NUMBERED = 14  # classes whose cells have room for numbers
MAX_NAMED = 40  # classes whose rows have room for names
_SIDE = 300.0
_SMALL = 11.0
_NUMBERED_SIDE = 40.0


def all_charts(subject: Subject) -> list[Drawing]:
    """Every chart of the report on the subject."""
    names, scores, record = subject.model.class_names, subject.scored.scores, subject.record
    drawn = [reliability(scores, subject.scored.uncalibrated), recalls(names, scores)]
    if scores.confusions:
        drawn.append(confusion(names, scores))
    if record.objective_history:
        drawn.append(objective_history(record.objective_history))
    path = penalties(record)
    return drawn if path is None else [*drawn, path]


def matrix_classes(scores: Scores) -> list[int]:
    """The classes that the drawn confusion matrix has: at most MAX_MATRIX."""
    n = min(scores.n_classes, MAX_MATRIX)
    return [int(k) for k in most_confused(scores.confusion, n)]


def confusion(class_names: Sequence[str], scores: Scores) -> Drawing:
    """Counts and per cent of the row; a stronger colour is a larger proportion of the row."""
    chosen = matrix_classes(scores)
    n = len(chosen)
    cell = _NUMBERED_SIDE if n <= MAX_NUMBERED else max(6.0, 480.0 / n)
    names = _row_names(class_names, chosen)
    left = 10 + 6.5 * max(map(len, names)) if n <= MAX_NAMED else 8.0
    top = 36.0
    shapes = [label((left, 12), "predicted class", size=_SMALL)]
    for row, i in enumerate(chosen):
        y = top + row * cell
        if n <= MAX_NAMED:
            column_head = (left + (row + 0.5) * cell, top - 6)
            shapes.append(
                label((left - 6, y + cell / 2 + 4), names[row], "end", "ink", size=_SMALL)
            )
            shapes.append(label(column_head, str(i), "middle", size=min(13, 0.6 * cell)))
        support = max(1, scores.per_class[i].support)
        for column, j in enumerate(chosen):
            count = int(scores.confusion[i, j])
            title = f"'{class_names[i]}' predicted as '{class_names[j]}': {count:,}"
            corner = (left + column * cell, y)
            if count:
                shapes += _cell(corner, cell, count, count / support, title, is_correct=i == j)
            elif n <= MAX_NUMBERED:
                shapes.append(rectangle(corner, cell - 1, cell - 1, "line", opacity=0.25))
    right, bottom = left + n * cell, top + n * cell
    frame = ((left, top), (right, top), (right, bottom), (left, bottom), (left, top))
    shapes.append(stroke(frame, "line"))
    title = f"Confusion matrix of {n} classes (rows: true class, columns: predicted class)"
    return Drawing("confusion", title, right + 2, bottom + 2, tuple(shapes))


def _row_names(class_names: Sequence[str], chosen: Sequence[int]) -> list[str]:
    """The names, each with the number of its column unless it is that number."""
    if all(class_name == str(k) for k, class_name in enumerate(class_names)):
        return [class_names[k] for k in chosen]
    return [f"{shortened(class_names[k], 14)}  {k}" for k in chosen]


def _cell(
    corner: tuple[float, float],
    side: float,
    count: int,
    share: float,
    title: str,
    *,
    is_correct: bool,
) -> list[str]:
    opacity = 0.12 + (0.5 * share if is_correct else min(0.6, 4 * share))
    role: Role = "accent" if is_correct else "bad"
    shapes = [rectangle(corner, side - 1, side - 1, role, opacity=opacity, title=title)]
    if side >= _NUMBERED_SIDE:
        x, y = corner[0] + side / 2, corner[1] + side / 2
        of_row = f"{100 * share:.0f} %" if share >= 0.005 else "<1 %"
        shapes.append(label((x, y), f"{count:,}", "middle", "ink", size=12))
        shapes.append(label((x, y + 13), of_row, "middle", "ink", size=10))
    return shapes


def reliability(scores: Scores, uncalibrated: Scores) -> Drawing:
    """A reliability diagram: accuracy against confidence, and below it the images per bin."""
    is_calibrated = uncalibrated is not scores
    left, top = 44.0, 12.0
    middle, bottom = left + _SIDE / 2, top + _SIDE + 100
    ticks = [f"{20 * k} %" for k in range(6)]
    shapes = _horizontal_lines(left, top, _SIDE, _SIDE, ticks[::-1])
    for k, tick in enumerate(ticks):
        shapes.append(label((left + _SIDE * k / 5, top + _SIDE + 16), tick, "middle", size=_SMALL))
    shapes.append(stroke(((left, top + _SIDE), (left + _SIDE, top)), "soft", dashed=True))
    if is_calibrated:
        shapes += _reliability_marks(uncalibrated.bins, left, top, is_before=True)
    shapes += _reliability_marks(scores.bins, left, top, is_before=False)
    shapes += _histogram(scores.bins, left, bottom)
    shapes.append(label((middle, top + _SIDE + 36), "confidence", "middle"))
    shapes.append(label((middle, bottom + 16), "images by confidence", "middle"))
    shapes.append(label((left + 10, top + 20), "dots: accuracy", size=_SMALL))
    shapes.append(label((left + 10, top + 35), "dashed: calibrated", size=_SMALL))
    if is_calibrated:
        shapes.append(dot((left + 14, top + 46), 4, "second", hollow=True))
        shapes.append(label((left + 24, top + 50), "before calibration", size=_SMALL))
    title = "Reliability diagram: accuracy by confidence"
    return Drawing("reliability", title, left + _SIDE + 24, bottom + 22, tuple(shapes))


def _horizontal_lines(
    left: float, top: float, width: float, height: float, ticks: Sequence[str]
) -> list[str]:
    """Equally spaced lines across a chart, from top to bottom, with their labels."""
    shapes = []
    for k, tick in enumerate(ticks):
        y = top + height * k / (len(ticks) - 1)
        shapes.append(stroke(((left, y), (left + width, y)), "line"))
        shapes.append(label((left - 6, y + 4), tick, "end", size=_SMALL))
    return shapes


def _reliability_marks(
    bins: Sequence[Bin], left: float, top: float, *, is_before: bool
) -> list[str]:
    shapes = []
    for b in bins:
        x, y = left + _SIDE * b.mean_confidence, top + _SIDE * (1 - b.accuracy)
        if b.accuracy_interval is None:
            continue
        if is_before:
            shapes.append(dot((x, y), 4, "second", hollow=True))
            continue
        low, high = (top + _SIDE * (1 - end) for end in b.accuracy_interval)
        words = f"confidence {percent(b.mean_confidence)}, accuracy {percent(b.accuracy)}"
        shapes.append(stroke(((x, high), (x, low)), "accent", 1.5))
        shapes.append(dot((x, y), 4, "accent", title=f"{words}, {b.n_images:,} images"))
    return shapes


def _histogram(bins: Sequence[Bin], left: float, bottom: float) -> list[str]:
    most, height = max(b.n_images for b in bins), 56.0
    shapes = [
        stroke(((left, bottom), (left + _SIDE, bottom)), "line"),
        label((left - 6, bottom - height + 10), f"{most:,}", "end", size=_SMALL),
    ]
    for b in bins:
        tall, width = height * b.n_images / most, _SIDE * (b.high - b.low) - 1
        corner = (left + _SIDE * b.low, bottom - tall)
        title = f"{b.n_images:,} images from {percent(b.low)} to {percent(b.high)}"
        shapes.append(rectangle(corner, width, tall, "accent", opacity=0.6, title=title))
    return shapes


def objective_history(stages: Sequence[tuple[str, Sequence[float]]]) -> Drawing:
    """The objective at each iteration, on a logarithmic scale; a line for each fit."""
    left, top, width, height = 58.0, 26.0, 380.0, 190.0
    logs = [[math.log10(max(value, 1e-12)) for value in values] for _, values in stages]
    every = [value for of_stage in logs for value in of_stage]
    low, high = min(every), max(every)
    span = (high - low) or 1.0
    ticks = [f"{10 ** (high - span * k / 4):.3g}" for k in range(5)]
    shapes = _horizontal_lines(left, top, width, height, ticks)
    step = width / max(1, len(every) - 1)
    n_before = 0
    for number, ((stage, _), of_stage) in enumerate(zip(stages, logs, strict=True)):
        points = tuple(
            (left + step * (n_before + i), top + height * (high - value) / span)
            for i, value in enumerate(of_stage)
        )
        shapes.append(stroke(points, "accent" if number % 2 == 0 else "second", 2))
        if len(of_stage) > 0.08 * len(every):
            shapes.append(label((points[0][0], top - 8), stage, size=10))
        n_before += len(of_stage)
    below = (left + width / 2, top + height + 20)
    shapes.append(label(below, "iterations of all fits", "middle"))
    title = "The objective (cross-entropy and penalty, in nats) at each iteration"
    return Drawing("objective", title, left + width + 12, top + height + 28, tuple(shapes))


def penalties(record: TrainingRecord) -> Drawing | None:
    """The validation cross-entropy for each penalty that was tried, if there were several."""
    path = record.l2_path
    if len(path) < 2:
        return None
    left, top, width, height = 58.0, 26.0, 300.0, 170.0
    xs, losses = [math.log10(l2) for l2, _ in path], [loss for _, loss in path]
    x_span = (max(xs) - min(xs)) or 1.0
    low, span = min(losses), (max(losses) - min(losses)) or 1.0
    points = [
        (left + 20 + (width - 40) * (x - min(xs)) / x_span, top + height * (1 - (y - low) / span))
        for x, y in zip(xs, losses, strict=True)
    ]
    ticks = [f"{low + span * (1 - k / 3):.3f}" for k in range(4)]
    shapes = _horizontal_lines(left, top, width, height, ticks)
    shapes.append(stroke(tuple(sorted(points)), "accent", 2))
    for (x, y), (l2, loss) in zip(points, path, strict=True):
        shapes.append(label((x, top + height + 18), f"{l2:.3g}", "middle", size=10))
        if l2 == record.l2:
            shapes.append(dot((x, y), 6, "second"))
            shapes.append(label((x, y - 12), nats(loss), "middle", "ink", size=_SMALL))
        else:
            shapes.append(dot((x, y), 4, "accent"))
    shapes.append(label((left + width / 2, top + height + 36), "penalty l2", "middle"))
    title = "The validation cross-entropy for each penalty that was tried"
    return Drawing("penalties", title, left + width + 12, top + height + 44, tuple(shapes))


def recalls(class_names: Sequence[str], scores: Scores) -> Drawing:
    """The recall of each class with its 95 % confidence interval; the lowest if there are many."""
    chosen = [k for k, of_class in enumerate(scores.per_class) if of_class.support]
    if len(chosen) > MAX_RECALLS:
        chosen = sorted(chosen, key=lambda k: scores.per_class[k].recall)[:MAX_RECALLS]
    names = [shortened(class_names[k], 18) for k in chosen]
    left, width, top, step = 16 + 7 * max(map(len, names)), 360.0, 8.0, 22.0
    bottom = top + step * len(names)
    shapes = []
    for fifth in range(6):
        x = left + width * fifth / 5
        shapes.append(stroke(((x, top), (x, bottom)), "line"))
        shapes.append(label((x, bottom + 16), f"{20 * fifth} %", "middle", size=_SMALL))
    for row, (name, k) in enumerate(zip(names, chosen, strict=True)):
        of_class, y = scores.per_class[k], top + step * (row + 0.5)
        low, high = of_class.recall_interval or (0.0, 1.0)
        shapes.append(label((left - 8, y + 4), name, "end", "ink", size=12))
        shapes.append(stroke(((left + width * low, y), (left + width * high, y)), "accent", 2))
        title = f"{of_class.n_correct:,} of {of_class.support:,}, {percent(of_class.recall)}"
        shapes.append(dot((left + width * of_class.recall, y), 4.5, "accent", title=title))
    title = "The recall of each class with its 95 % confidence interval"
    return Drawing("classes", title, left + width + 24, bottom + 24, tuple(shapes))
