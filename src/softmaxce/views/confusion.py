"""What was taken for what, on a terminal: a heat table of counts, and the worst in words."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from softmaxce.metrics.confusions import Confusion, most_confused
from softmaxce.metrics.scores import Scores
from softmaxce.views.safe_text import visible
from softmaxce.views.wording import heading, name, table

MAX_TABLE_CLASSES = 20
_NAME_WIDTH = 20
_N_IN_WORDS = 5
_HEAT = (  # least share of the row, the style of a mistake
    (0.25, "bold #ffffff on #a50f15"),
    (0.10, "#ffffff on #cb181d"),
    (0.03, "#1a1a1a on #fc9272"),
    (0.0, "#1a1a1a on #fee0d2"),
)
_RIGHT = "bold #1a1a1a on #c7e9c0"


def in_words(confusion: Confusion, class_names: Sequence[str]) -> str:
    """7 of 40 'shirt' were called 't-shirt'."""
    label, predicted = class_names[confusion.label], class_names[confusion.predicted]
    verb = "was" if confusion.count == 1 else "were"
    return f"{confusion.count:,} of {confusion.support:,} '{label}' {verb} called '{predicted}'"


def show(console: Console, class_names: Sequence[str], scores: Scores) -> None:
    """The confusion matrix, or as much of its confused part as the width allows."""
    if not scores.confusions:
        heading(console, "What was taken for what")
        console.print("Nothing: every answer is right.")
        return
    chosen = most_confused(scores.confusion, _n_that_fit(console.width, class_names, scores))
    heading(console, "What was taken for what (rows: the truth, columns: the answer)")
    console.print(_heat_table(class_names, scores, [int(k) for k in chosen]))
    if len(chosen) < len(class_names):
        n_mistakes = scores.n_images - scores.n_correct
        within = scores.confusion[chosen][:, chosen]
        n_shown = int(within.sum() - within.trace())
        console.print(
            f"The {len(chosen)} most confused of {len(class_names)} classes, with {n_shown:,} of "
            f"the {n_mistakes:,} mistakes; the other {n_mistakes - n_shown:,} are not shown."
        )
    _show_words(console, class_names, scores)


def _show_words(console: Console, class_names: Sequence[str], scores: Scores) -> None:
    heading(console, "Most often confused")
    for confusion in scores.confusions[:_N_IN_WORDS]:
        console.print(visible(in_words(confusion, class_names)), soft_wrap=True)
    rest = scores.confusions[_N_IN_WORDS:]
    if rest:
        n_images = sum(confusion.count for confusion in rest)
        pairs = "1 other pair" if len(rest) == 1 else f"{len(rest):,} other pairs"
        console.print(f"and {n_images:,} in {pairs} of classes", soft_wrap=True)


def _n_that_fit(width: int, class_names: Sequence[str], scores: Scores) -> int:
    """How many classes a heat table of this width has room for."""
    names = min(_NAME_WIDTH, max(len(visible(class_name)) for class_name in class_names))
    digits = max(len(str(scores.confusion.max())), len(str(len(class_names) - 1)))
    room = width - names - len(str(len(class_names))) - 4
    return max(2, min(len(class_names), MAX_TABLE_CLASSES, room // (digits + 2)))


def _heat_table(class_names: Sequence[str], scores: Scores, chosen: list[int]) -> Table:
    view = table()
    view.padding = (0, 1, 0, 0)
    view.add_column("", justify="right")
    view.add_column("truth", max_width=_NAME_WIDTH)
    for k in chosen:
        view.add_column(str(k), justify="right")
    for i in chosen:
        support = max(1, scores.per_class[i].support)
        cells = [_cell(int(scores.confusion[i, j]), support, i == j) for j in chosen]
        view.add_row(str(i), name(class_names[i]), *cells)
    return view


def _cell(count: int, support: int, is_right: bool) -> Text:
    if not count:
        return Text("·", style="dim")
    style = _RIGHT if is_right else next(s for least, s in _HEAT if count / support >= least)
    return Text(f" {count}", style=style)
