"""The charts of a report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len

from softmaxce.metrics.calibration import Bin
from softmaxce.metrics.confusions import most_confused
from softmaxce.metrics.scores import Scores
from softmaxce.translation import translate
from softmaxce.views.formatting import counted, percent, shortened
from softmaxce.views.report.drawing import Drawing, Point, Role, dot, label, rectangle, stroke
from softmaxce.views.report.subject import Subject
from softmaxce.workflows.training_record import TrainingRecord

MAX_MATRIX = 100  # classes of a confusion matrix that is a picture
MAX_RECALLS = 30
MAX_NUMBERED = 14  # classes whose cells have room for numbers
MAX_NAMED = 40  # classes whose rows have room for names
_SMALL = 11.0
_NUMBERED_SIDE = 40.0


class _Area(NamedTuple):
    """The inside of the axes of a chart; x and y run from 0 to 1, to the right and upwards."""

    left: float
    top: float
    width: float
    height: float

    def at(self, x: float, y: float, right: float = 0, down: float = 0) -> Point:
        """The point (x, y) in the units of the drawing, moved to the right and down."""
        return self.left + self.width * x + right, self.top + self.height * (1 - y) + down

    def grid(self, ticks: Sequence[str]) -> list[str]:
        """Equally spaced horizontal lines, from top to bottom, with their labels."""
        shapes = []
        for k, tick in enumerate(ticks):
            y = 1 - k / (len(ticks) - 1)
            shapes.append(stroke((self.at(0, y), self.at(1, y)), "line"))
            shapes.append(label(self.at(0, y, -6, 4), tick, "end", size=_SMALL))
        return shapes


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


def matrix_classes(scores: Scores, n: int) -> NDArray[np.int64]:
    """At most n classes for a confusion matrix, those that are confused most."""
    return most_confused(scores.confusions, scores.n_classes, min(scores.n_classes, n))


def confusion(class_names: Sequence[str], scores: Scores) -> Drawing:
    """Counts and per cent of the row; a stronger colour is a larger proportion of the row."""
    shown = matrix_classes(scores, MAX_MATRIX)
    counts, chosen, n = scores.confusion_among(shown), shown.tolist(), len(shown)
    cell = _NUMBERED_SIDE if n <= MAX_NUMBERED else max(6.0, 480.0 / n)
    names = [shortened(class_names[k], 14) for k in chosen]
    margin = 12 + 6.5 * max(map(cell_len, names)) if n <= MAX_NAMED else 8.0
    left, top = margin, margin + 18
    shapes = [label((left, 12), translate("predicted class"), size=_SMALL)]
    for row, i in enumerate(chosen):
        x, y = left + row * cell, top + row * cell
        if n <= MAX_NAMED:
            place = (left - 6, y + cell / 2 + 4)
            shapes.append(label(place, names[row], "end", "ink", size=_SMALL))
            place = (x + cell / 2 + 4, top - 6)
            shapes.append(label(place, names[row], "up", "ink", size=_SMALL))
        support = max(1, scores.per_class[i].support)
        for column, j in enumerate(chosen):
            count, corner = int(counts[row, column]), (left + column * cell, y)
            if count:
                title = f"'{class_names[i]}' predicted as '{class_names[j]}': {count:,}"
                shapes += _cell(corner, cell, count, count / support, title, is_correct=i == j)
            elif n <= MAX_NUMBERED:
                shapes.append(rectangle(corner, cell - 1, cell - 1, "line", opacity=0.25))
    right, bottom = left + n * cell, top + n * cell
    frame = ((left, top), (right, top), (right, bottom), (left, bottom), (left, top))
    shapes.append(stroke(frame, "line"))
    title = f"Confusion matrix of {n} classes (rows: true class, columns: predicted class)"
    return Drawing("confusion", title, right + 2, bottom + 2, shapes)


def strength(share: float) -> float:
    """How strong the colour of a proportion is, 0 to 1: small ones differ, large ones too."""
    return math.sqrt(share)


def rounded(share: float) -> str:
    """0.214 → '21 %'; what would print as 0 is '<1 %'."""
    return f"{100 * share:.0f} %" if share >= 0.005 else "<1 %"


def _cell(
    corner: tuple[float, float],
    side: float,
    count: int,
    share: float,
    title: str,
    *,
    is_correct: bool,
) -> list[str]:
    opacity = 0.55 * strength(share)
    role: Role = "accent" if is_correct else "bad"
    shapes = [rectangle(corner, side - 1, side - 1, role, opacity=opacity, title=title)]
    if side >= _NUMBERED_SIDE:
        x, y = corner[0] + side / 2, corner[1] + side / 2
        shapes.append(label((x, y), f"{count:,}", "middle", "ink", size=12))
        shapes.append(label((x, y + 13), rounded(share), "middle", "ink", size=10))
    return shapes


def reliability(scores: Scores, uncalibrated: Scores) -> Drawing:
    """A reliability diagram: accuracy against confidence, and below it the images per bin."""
    area, below = _Area(44, 12, 300, 300), _Area(44, 356, 300, 56)
    ticks = [f"{20 * k} %" for k in range(6)]
    shapes = area.grid(ticks[::-1])
    for k, tick in enumerate(ticks):
        shapes.append(label(area.at(k / 5, 0, 0, 16), tick, "middle", size=_SMALL))
    shapes += [
        stroke((area.at(0, 0), area.at(1, 1)), "soft", dashed=True),
        label(area.at(0.5, 0, 0, 36), translate("confidence"), "middle"),
        label(below.at(0.5, 0, 0, 16), translate("images by confidence"), "middle"),
        label(area.at(0, 1, 10, 20), translate("dots: accuracy"), size=_SMALL),
        label(area.at(0, 1, 10, 35), translate("dashed: calibrated"), size=_SMALL),
    ]
    if uncalibrated is not scores:
        shapes.append(label(area.at(0, 1, 24, 50), translate("before calibration"), size=_SMALL))
        places = [area.at(b.mean_confidence, b.accuracy) for b in uncalibrated.bins if b.n_images]
        for place in (area.at(0, 1, 14, 46), *places):
            shapes.append(dot(place, 4, "second", hollow=True))
    for b in scores.bins:
        if b.accuracy_interval is not None:
            x, (low, high) = b.mean_confidence, b.accuracy_interval
            n_images = counted(b.n_images, "image")
            title = f"confidence {percent(x)}, accuracy {percent(b.accuracy)}, {n_images}"
            shapes.append(stroke((area.at(x, high), area.at(x, low)), "accent", 1.5))
            shapes.append(dot(area.at(x, b.accuracy), 4, "accent", title=title))
    shapes += _histogram(scores.bins, below)
    title = "Reliability diagram: accuracy by confidence"
    return Drawing("reliability", title, 368, 434, shapes)


def _histogram(bins: Sequence[Bin], area: _Area) -> list[str]:
    most = max(b.n_images for b in bins)
    shapes = [
        stroke((area.at(0, 0), area.at(1, 0)), "line"),
        label(area.at(0, 1, -6, 10), f"{most:,}", "end", size=_SMALL),
    ]
    for b in bins:
        share, width = b.n_images / most, area.width * (b.high - b.low) - 1
        corner, height = area.at(b.low, share), area.height * share
        title = f"{counted(b.n_images, 'image')} from {percent(b.low)} to {percent(b.high)}"
        shapes.append(rectangle(corner, width, height, "accent", opacity=0.6, title=title))
    return shapes


def objective_history(stages: Sequence[tuple[str, Sequence[float]]]) -> Drawing:
    """The objective at each iteration, on a logarithmic scale; a line for each fit."""
    area = _Area(58, 44, 380, 190)
    logs = [[math.log10(max(value, 1e-12)) for value in values] for _, values in stages]
    every = [value for of_stage in logs for value in of_stage]
    high, span = max(every), (max(every) - min(every)) or 1.0
    shapes = area.grid([f"{10 ** (high - span * k / 4):.3g}" for k in range(5)])
    shapes.append(label((6, 14), translate("objective (nats, logarithmic)"), size=_SMALL))
    n_before, last, free_from = 0, max(1, len(every) - 1), 0.0
    for number, ((stage, _), of_stage) in enumerate(zip(stages, logs, strict=True)):
        points = tuple(
            area.at((n_before + i) / last, 1 - (high - value) / span)
            for i, value in enumerate(of_stage)
        )
        shapes.append(stroke(points, "accent" if number % 2 == 0 else "second", 2))
        x, y = area.at(n_before / last, 1, 0, -8)
        if x >= free_from:
            words = translate(stage)
            shapes.append(label((x, y), words, size=10))
            free_from = x + 6 * cell_len(words)
        n_before += len(of_stage)
    shapes.append(label(area.at(0.5, 0, 0, 20), translate("iterations of all fits"), "middle"))
    title = "The objective (cross-entropy and penalty, in nats) at each iteration"
    return Drawing("objective", title, 450, 262, shapes)


def penalties(record: TrainingRecord) -> Drawing | None:
    """Training and validation cross-entropy for each penalty, if several were tried."""
    path, of_training = record.l2_path, record.l2_path_training
    losses = [loss for _, loss in path] + list(of_training)
    if len(path) < 2 or not all(map(math.isfinite, losses)):
        return None
    area, inner = _Area(58, 44, 380, 190), _Area(78, 44, 340, 190)
    logs = [math.log10(l2) for l2, _ in path]
    x_span, span = (max(logs) - min(logs)) or 1.0, (max(losses) - min(losses)) or 1.0
    xs = [(x - min(logs)) / x_span for x in logs]
    shapes = area.grid([f"{min(losses) + span * (1 - k / 4):.3f}" for k in range(5)])
    step = 1 + len(path) // 9  # there is room for so many numbers
    for x, (l2, _) in list(zip(xs, path, strict=True))[::step]:
        shapes.append(label(inner.at(x, 0, 0, 18), f"{l2:.2g}", "middle", size=_SMALL))
    series: list[tuple[str, Role, Sequence[float]]] = [
        ("validation images", "second", losses[: len(path)]),
        ("training images", "accent", of_training),
    ]
    for number, (title, role, of_series) in enumerate(series):
        ys = [(loss - min(losses)) / span for loss in of_series]
        points = [inner.at(x, y) for x, y in zip(xs, ys, strict=False)]
        if points:
            shapes.append(stroke(tuple(sorted(points)), role, 2))
            points.append(area.at(0, 1, 130 * number + 120, -28))
            shapes.append(
                label(area.at(0, 1, 130 * number + 128, -24), translate(title), size=_SMALL)
            )
        shapes += [dot(point, 4, role) for point in points]
    for x, (l2, _) in zip(xs, path, strict=True):
        if l2 == record.l2:
            words = translate(f"chosen: {l2:.3g}")
            shapes.append(stroke((inner.at(x, 0), inner.at(x, 1)), "ink", dashed=True))
            shapes.append(label(inner.at(x, 1, 0, -6), words, "middle", "ink", size=_SMALL))
    shapes.append(label((6, 14), translate("cross-entropy (nats)"), size=_SMALL))
    shapes.append(label(area.at(0.5, 0, 0, 38), translate("penalty l2 (logarithmic)"), "middle"))
    title = "Training and validation cross-entropy for each penalty tried"
    return Drawing("penalties", title, 460, 276, shapes)


def recalls(class_names: Sequence[str], scores: Scores) -> Drawing:
    """The recall of each class with its 95 % confidence interval; the lowest if there are many."""
    chosen = [k for k, of_class in enumerate(scores.per_class) if of_class.support]
    if len(chosen) > MAX_RECALLS:
        chosen = sorted(chosen, key=lambda k: scores.per_class[k].recall)[:MAX_RECALLS]
    names = [shortened(class_names[k], 18) for k in chosen]
    area = _Area(16 + 7 * max(map(cell_len, names)), 8, 360, 22 * len(names))
    shapes = []
    for fifth in range(6):
        shapes.append(stroke((area.at(fifth / 5, 1), area.at(fifth / 5, 0)), "line"))
        place = area.at(fifth / 5, 0, 0, 16)
        shapes.append(label(place, f"{20 * fifth} %", "middle", size=_SMALL))
    for row, (name, k) in enumerate(zip(names, chosen, strict=True)):
        of_class, y = scores.per_class[k], 1 - (row + 0.5) / len(names)
        low, high = of_class.recall_interval or (0.0, 1.0)
        shapes.append(label(area.at(0, y, -8, 4), name, "end", "ink", size=12))
        shapes.append(stroke((area.at(low, y), area.at(high, y)), "accent", 2))
        title = f"{of_class.n_correct:,} of {of_class.support:,}, {percent(of_class.recall)}"
        shapes.append(dot(area.at(of_class.recall, y), 4.5, "accent", title=title))
    title = f"The recall of each class with its {'95 %'} confidence interval"
    return Drawing("classes", title, area.left + 384, area.top + area.height + 24, shapes)
