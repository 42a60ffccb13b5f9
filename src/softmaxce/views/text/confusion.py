"""The confusion matrix on a terminal: a table of counts in colour, and the worst in words."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from softmaxce.metrics.confusions import most_confused
from softmaxce.metrics.scores import Scores
from softmaxce.views.console import PlainConsole
from softmaxce.views.descriptions import (
    CONFUSION_TITLE,
    MOST_CONFUSED_TITLE,
    confusion_lines,
    left_out_line,
)
from softmaxce.views.formatting import shortened

MAX_TABLE_CLASSES = 20
_NAME_WIDTH = 20
_N_IN_WORDS = 5
_ERROR_STYLES = (  # least proportion of the row, style
    (0.25, "bold #ffffff on #a50f15"),
    (0.10, "#ffffff on #cb181d"),
    (0.03, "#1a1a1a on #fc9272"),
    (0.0, "#1a1a1a on #fee0d2"),
)
_CORRECT_STYLE = "bold #1a1a1a on #c7e9c0"


def show_confusion(console: PlainConsole, class_names: Sequence[str], scores: Scores) -> None:
    """The matrix, or as many of its most confused classes as the width allows."""
    console.print_heading(CONFUSION_TITLE)
    if not scores.confusions:
        console.print("Every prediction is correct.")
        return
    n = _n_that_fit(console.width, class_names, scores)
    shown = [int(k) for k in most_confused(scores.confusion, n)]
    rows: list[list[str | Text]] = []
    for i in shown:
        name = shortened(class_names[i], _NAME_WIDTH)
        rows.append([str(i), name, *(_cell(scores, i, j) for j in shown)])
    console.print_table(("", "true class", *map(str, shown)), rows, left=(1,))
    left_out = left_out_line(scores, shown)
    if left_out:
        console.print(left_out)
    console.print_heading(MOST_CONFUSED_TITLE)
    for line in confusion_lines(class_names, scores, _N_IN_WORDS):
        console.print_line(line)


def _n_that_fit(width: int, class_names: Sequence[str], scores: Scores) -> int:
    """How many classes a table of this width has room for."""
    longest = max(len("true class"), *(len(shortened(name, _NAME_WIDTH)) for name in class_names))
    column = max(1 + len(str(scores.confusion.max())), len(str(len(class_names) - 1)))
    room = width - longest - len(str(len(class_names))) - 2
    return max(2, min(len(class_names), MAX_TABLE_CLASSES, room // (column + 2)))


def _cell(scores: Scores, label: int, predicted: int) -> Text:
    count, support = int(scores.confusion[label, predicted]), scores.per_class[label].support
    if not count:
        return Text("·", style="dim")
    if label == predicted:
        return Text(f" {count}", _CORRECT_STYLE)
    style = next(style for least, style in _ERROR_STYLES if count >= least * support)
    return Text(f" {count}", style)
