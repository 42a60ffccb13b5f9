"""The drawings of a report: confusions, reliability, objective, penalties, classes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from softmaxce.metrics.calibration import Bin
from softmaxce.metrics.intervals import wilson_interval
from softmaxce.metrics.scores import Scores
from softmaxce.views.drawing import Dot, Drawing, Label, Rectangle, Role, Shape, Stroke, shortened
from softmaxce.views.wording import nats, percent

MAX_NUMBERED = 14  # classes whose cells have room for numbers
MAX_NAMED = 40  # classes whose rows have room for names
_SIDE = 300.0
_SMALL = 11.0
_NUMBERED_SIDE = 40.0


def confusion(class_names: Sequence[str], scores: Scores, chosen: Sequence[int]) -> Drawing:
    """Counts and per cent of each row; the stronger the colour, the larger the share."""
    n = len(chosen)
    cell = _NUMBERED_SIDE if n <= MAX_NUMBERED else max(6.0, 480.0 / n)
    is_named = n <= MAX_NAMED
    names = _row_names(class_names, chosen)
    left = 10 + 6.5 * max(map(len, names)) if is_named else 8.0
    top = 36.0
    shapes: list[Shape] = [Label(left, 12, "called", size=_SMALL)]
    for row, i in enumerate(chosen):
        y = top + row * cell
        support = max(1, scores.per_class[i].support)
        if is_named:
            shapes.append(Label(left - 6, y + cell / 2 + 4, names[row], "end", "ink", _SMALL))
            shapes.append(
                Label(
                    left + (row + 0.5) * cell, top - 6, str(i), "middle", size=min(13, 0.6 * cell)
                )
            )
        for column, j in enumerate(chosen):
            count = int(scores.confusion[i, j])
            if count or n <= MAX_NUMBERED:
                x = left + column * cell
                title = f"'{class_names[i]}' called '{class_names[j]}': {count:,}"
                shapes += _cell(x, y, cell, count, count / support, i == j, title)
    frame = ((left, top), (left + n * cell, top), (left + n * cell, top + n * cell))
    shapes.append(Stroke((*frame, (left, top + n * cell), (left, top)), "line"))
    title = f"Confusion matrix of {n} classes: rows are the truth, columns the answers"
    return Drawing("confusion", title, left + n * cell + 2, top + n * cell + 2, tuple(shapes))


def _row_names(class_names: Sequence[str], chosen: Sequence[int]) -> list[str]:
    """The names with the numbers that head the columns, unless they are these numbers."""
    if all(class_name == str(k) for k, class_name in enumerate(class_names)):
        return [class_names[k] for k in chosen]
    return [f"{shortened(class_names[k], 14)}  {k}" for k in chosen]


def _cell(
    x: float, y: float, side: float, count: int, share: float, is_right: bool, title: str
) -> list[Shape]:
    strength = 0.12 + 0.5 * share if is_right else 0.12 + min(0.6, 4 * share)
    role: Role = "accent" if is_right else "bad"
    box = Rectangle(x, y, side - 1, side - 1, role, strength, title)
    if not count:
        return [Rectangle(x, y, side - 1, side - 1, "line", 0.25)]
    if side < _NUMBERED_SIDE:
        return [box]
    return [
        box,
        Label(x + side / 2, y + side / 2, f"{count:,}", "middle", "ink", 12),
        Label(x + side / 2, y + side / 2 + 13, _whole_percent(share), "middle", "ink", 10),
    ]


def _whole_percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.005 else "<1 %"


def reliability(after: Sequence[Bin], before: Sequence[Bin] | None) -> Drawing:
    """How often answers were right by how probable they were said to be; below, how many."""
    left, top = 44.0, 12.0
    shapes = _percent_axes(left, top)
    shapes.append(Stroke(((left, top + _SIDE), (left + _SIDE, top)), "soft", 1, True))
    for bins, is_before in ((before, True), (after, False)):
        if bins:
            shapes += _reliability_marks(bins, left, top, is_before)
    shapes += _histogram(after, left, top + _SIDE + 44)
    bottom = top + _SIDE + 44 + 56
    shapes.append(Label(left + _SIDE / 2, top + _SIDE + 36, "probability of the answer", "middle"))
    shapes.append(Label(left + _SIDE / 2, bottom + 16, "how many answers", "middle"))
    shapes.append(Label(left + 10, top + 20, "dots: share that was right", size=_SMALL))
    shapes.append(Label(left + 10, top + 35, "dashes: what was said", size=_SMALL))
    if before:
        shapes.append(Dot(left + 14, top + 46, 4, "second", True))
        shapes.append(Label(left + 24, top + 50, "before calibration", size=_SMALL))
    title = "Reliability diagram: share of right answers by their probability"
    return Drawing("reliability", title, left + _SIDE + 24, bottom + 22, tuple(shapes))


def _percent_axes(left: float, top: float) -> list[Shape]:
    shapes: list[Shape] = []
    for tenth in range(0, 11, 2):
        x, y = left + _SIDE * tenth / 10, top + _SIDE * (1 - tenth / 10)
        shapes.append(Stroke(((left, y), (left + _SIDE, y)), "line"))
        shapes.append(Label(left - 6, y + 4, f"{10 * tenth} %", "end", size=_SMALL))
        shapes.append(Label(x, top + _SIDE + 16, f"{10 * tenth} %", "middle", size=_SMALL))
    return shapes


def _reliability_marks(
    bins: Sequence[Bin], left: float, top: float, is_before: bool
) -> list[Shape]:
    shapes: list[Shape] = []
    for group in bins:
        if not group.n_images:
            continue
        x = left + _SIDE * group.mean_confidence
        y = top + _SIDE * (1 - group.accuracy)
        if is_before:
            shapes.append(Dot(x, y, 4, "second", True))
            continue
        low, high = wilson_interval(group.n_correct, group.n_images)
        whisker = ((x, top + _SIDE * (1 - high)), (x, top + _SIDE * (1 - low)))
        title = f"said {percent(group.mean_confidence)}, right {percent(group.accuracy)}"
        shapes.append(Stroke(whisker, "accent", 1.5))
        shapes.append(Dot(x, y, 4, "accent", title=f"{title}, {group.n_images:,} images"))
    return shapes


def _histogram(bins: Sequence[Bin], left: float, top: float) -> list[Shape]:
    most, height = max(group.n_images for group in bins), 56.0
    shapes: list[Shape] = [
        Stroke(((left, top + height), (left + _SIDE, top + height)), "line"),
        Label(left - 6, top + 10, f"{most:,}", "end", size=_SMALL),
    ]
    for group in bins:
        tall = height * group.n_images / most
        x = left + _SIDE * group.low
        width = _SIDE * (group.high - group.low) - 1
        title = f"{group.n_images:,} answers from {percent(group.low)} to {percent(group.high)}"
        shapes.append(Rectangle(x, top + height - tall, width, tall, "accent", 0.6, title))
    return shapes


def objective_history(stages: Sequence[tuple[str, Sequence[float]]]) -> Drawing:
    """The objective at each iteration, on a logarithmic scale; a line for each fit."""
    left, top, width, height = 58.0, 26.0, 380.0, 190.0
    logs = [math.log10(max(v, 1e-12)) for _, values in stages for v in values]
    low, high = min(logs), max(logs)
    span = (high - low) or 1.0
    n_steps = max(1, len(logs) - 1)
    shapes: list[Shape] = []
    for k in range(5):
        y = top + height * k / 4
        shapes.append(Stroke(((left, y), (left + width, y)), "line"))
        shapes.append(
            Label(left - 6, y + 4, f"{10 ** (high - span * k / 4):.3g}", "end", size=_SMALL)
        )
    position = 0
    for number, (stage, values) in enumerate(stages):
        points = tuple(
            (
                left + width * (position + i) / n_steps,
                top + height * (high - math.log10(max(value, 1e-12))) / span,
            )
            for i, value in enumerate(values)
        )
        shapes.append(Stroke(points, "accent" if number % 2 == 0 else "second", 2))
        if len(values) > 0.08 * len(logs):
            shapes.append(Label(points[0][0], top - 8, stage, size=10))
        position += len(values)
    shapes.append(Label(left + width / 2, top + height + 20, "iterations, fit after fit", "middle"))
    title = "The objective (loss and penalty, in nats) at each iteration"
    return Drawing("course", title, left + width + 12, top + height + 28, tuple(shapes))


def penalties(path: Sequence[tuple[float, float]], chosen: float) -> Drawing:
    """The held-out loss of each penalty that was tried."""
    left, top, width, height = 58.0, 26.0, 300.0, 170.0
    xs = [math.log10(l2) for l2, _ in path]
    losses = [loss for _, loss in path]
    x_span = (max(xs) - min(xs)) or 1.0
    low, span = min(losses), (max(losses) - min(losses)) or 1.0
    points = [
        (left + 20 + (width - 40) * (x - min(xs)) / x_span, top + height * (1 - (y - low) / span))
        for x, y in zip(xs, losses, strict=True)
    ]
    shapes: list[Shape] = []
    for k in range(4):
        y = top + height * k / 3
        shapes.append(Stroke(((left, y), (left + width, y)), "line"))
        shapes.append(Label(left - 6, y + 4, f"{low + span * (1 - k / 3):.3f}", "end", size=_SMALL))
    shapes.append(Stroke(tuple(sorted(points)), "accent", 2))
    for (x, y), (l2, loss) in zip(points, path, strict=True):
        is_chosen = l2 == chosen
        shapes.append(Dot(x, y, 6 if is_chosen else 4, "second" if is_chosen else "accent"))
        shapes.append(Label(x, top + height + 18, f"{l2:g}", "middle", size=10))
        if is_chosen:
            shapes.append(Label(x, y - 12, f"{nats(loss)}", "middle", "ink", _SMALL))
    shapes.append(Label(left + width / 2, top + height + 36, "penalty l2", "middle"))
    title = "The held-out cross-entropy for each penalty that was tried"
    return Drawing("penalties", title, left + width + 12, top + height + 44, tuple(shapes))


def recalls(class_names: Sequence[str], scores: Scores, chosen: Sequence[int]) -> Drawing:
    """Each class's recall with its 95 % interval, a row for each."""
    shown = [k for k in chosen if scores.per_class[k].support]
    left = 16 + 7 * max(len(shortened(class_names[k], 18)) for k in shown)
    width, top, step = 360.0, 8.0, 22.0
    bottom = top + step * len(shown)
    shapes: list[Shape] = []
    for fifth in range(6):
        x = left + width * fifth / 5
        shapes.append(Stroke(((x, top), (x, bottom)), "line"))
        shapes.append(Label(x, bottom + 16, f"{20 * fifth} %", "middle", size=_SMALL))
    for row, k in enumerate(shown):
        of_class, y = scores.per_class[k], top + step * (row + 0.5)
        low, high = wilson_interval(of_class.n_correct, of_class.support)
        name = shortened(class_names[k], 18)
        shapes.append(Label(left - 8, y + 4, name, "end", "ink", 12))
        shapes.append(Stroke(((left + width * low, y), (left + width * high, y)), "accent", 2))
        title = f"{of_class.n_correct:,} of {of_class.support:,}, {percent(of_class.recall)}"
        shapes.append(Dot(left + width * of_class.recall, y, 4.5, "accent", title=title))
    title = "The share of each class's images that was recognised, with its 95 % interval"
    return Drawing("classes", title, left + width + 24, bottom + 24, tuple(shapes))
