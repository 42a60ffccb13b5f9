"""The lesson for the terminal: short sentences and small tables, readable at 60 columns."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from softmaxce.lesson.step import Column, Step, Table
from softmaxce.views.lesson.formatting import (
    StepText,
    TableText,
    contributions_text,
    sentence,
    step_text,
    table_text,
    weights_text,
)
from softmaxce.views.lesson.language import Translate
from softmaxce.views.safe_text import visible

if TYPE_CHECKING:
    from softmaxce.lesson.exercises import Exercise
    from softmaxce.workflows.explain import Explanation

INDENT = 4
GAP = 2
FILE_WIDTH = 80
MAX_WEIGHT_MAPS = 3


def show(console: Console, explanation: Explanation, translate: Translate) -> None:
    """Print the whole lesson."""
    shown = explanation.example.shown
    with console:  # collects the output and writes it at once
        show_picture(console, explanation, translate)
        for position, step in enumerate(explanation.steps, 1):
            show_step(console, position, step, shown, translate)
            if step.name == "logits":
                show_maps(console, explanation, translate)
        if explanation.misconceptions:
            console.print()
            _line(console, translate("Common misconceptions"), "bold")
        for step in explanation.misconceptions:
            text = step_text(step, shown, translate)
            console.print()
            _line(console, text.title, "bold")
            _body(console, step, text, translate)


def show_step(
    console: Console, position: int, step: Step, shown: Sequence[int], translate: Translate
) -> None:
    """Print one step under its number."""
    text = step_text(step, shown, translate)
    console.print()
    console.print(Text(f"{position:>2}. {text.title}", style="bold"))
    _body(console, step, text, translate)


def _body(console: Console, step: Step, text: StepText, translate: Translate) -> None:
    _line(console, text.claim)
    if step.formula:
        _line(console, f"    {translate(step.formula.plain)}", "cyan")
    for line in text.sentences:
        _line(console, line)
    for table in text.tables:
        _table(console, table)
    if text.tables and text.checks:
        console.print()
    for check in text.checks:
        _line(console, f"✓ {check}", "green")


def _line(console: Console, line: str, style: str = "") -> None:
    _wrapped(console, Text(line, style=style))


def _wrapped(console: Console, text: Text, first: str = " " * INDENT) -> None:
    """Print an indented paragraph, its first line after `first`, without trailing spaces."""
    for line in text.wrap(console, max(20, console.width - INDENT)):
        line.rstrip()
        console.print(Text(first).append_text(line), soft_wrap=True)
        first = " " * INDENT


def _indented(console: Console, content: Text | RichTable) -> None:
    console.print(Padding(content, (0, 0, 0, INDENT), expand=False))


def show_given(console: Console, explanation: Explanation, translate: Translate) -> None:
    """Print what a quiz starts from: the logit or probability of each class, the true class."""
    example = explanation.example
    is_logits = example.source != "probabilities"
    heading = "logit z" if is_logits else "probability p"
    values = Column(heading, "logits" if is_logits else "probabilities")
    table = Table((Column("class", "classes", "text"), values))
    numbers = example.named("classes", "logits", "probabilities", "true_class")
    _table(console, table_text(table, numbers, example.shown, translate))
    console.print()
    _line(console, sentence("The true class is {true_class}.", numbers, translate))


def _table(console: Console, table: TableText) -> None:
    """Print a table without rules."""
    lines = [table.headings, *table.rows]
    columns = zip(*(line for line in lines if len(line) == len(table.headings)), strict=True)
    widths = [max(map(cell_len, column)) for column in columns]
    console.print()
    if sum(widths) + GAP * len(widths) + INDENT <= console.width:
        _aligned(console, lines, widths, table.is_text)
    else:
        _folded(console, lines, table.is_text)


def _aligned(
    console: Console, lines: Sequence[Sequence[str]], widths: Sequence[int], is_text: Sequence[bool]
) -> None:
    """A table that fits: text to the left, numbers to the right. Much faster than Rich's own."""
    for place, line in enumerate(lines):
        printed = Text(" " * INDENT)
        for cell, width, left in zip(line, widths, is_text, strict=False):
            space = " " * (width - cell_len(cell))
            printed.append("" if left else space)
            printed.append(cell, "underline" if place == 0 else "")
            printed.append((space if left else "") + " " * GAP)
        printed.rstrip()
        console.print(printed, soft_wrap=True)


def _folded(console: Console, lines: Sequence[Sequence[str]], is_text: Sequence[bool]) -> None:
    """A table that is too wide: Rich folds its cells."""
    grid = RichTable(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="underline")
    for heading, left in zip(lines[0], is_text, strict=True):
        grid.add_column(Text(heading), justify="left" if left else "right", overflow="fold")
    for line in lines[1:]:
        grid.add_row(*map(Text, line))
    _indented(console, grid)


def show_picture(console: Console, explanation: Explanation, translate: Translate) -> None:
    """Print the image itself, or, without colours, describe it in words."""
    picture = explanation.picture
    if picture is None:
        return
    from softmaxce.views import pictures  # imports Pillow

    console.print()
    _line(console, visible(picture.path), "bold")
    if pictures.shows_colour(console):
        pixels = pictures.image_pixels(picture)
        _indented(console, pictures.half_blocks(pixels, console.width - INDENT))
        return
    in_words = sentence(
        "In words: {height} rows of {width} pixels, mean brightness {mean_brightness} of 255.",
        explanation.steps[0].numbers,
        translate,
    )
    _line(console, in_words)


def show_maps(console: Console, explanation: Explanation, translate: Translate) -> None:
    """Print the winner's contributions and the weights of some classes; without colours, words."""
    picture, example = explanation.picture, explanation.example
    if picture is None:
        return
    from softmaxce.views import pictures  # imports Pillow

    in_colour = pictures.shows_colour(console)
    width = console.width - INDENT
    console.print()
    if in_colour:
        _line(console, contributions_text(example, translate))
        pixels = pictures.contribution_pixels(picture, example.winner)
        _indented(console, pictures.half_blocks(pixels, width))
    for k in _most_relevant(explanation):
        _line(console, weights_text(picture, k, translate))
        if in_colour:
            pixels = pictures.template_pixels(picture, k)
            _indented(console, pictures.half_blocks(pixels, width))


def _most_relevant(explanation: Explanation) -> list[int]:
    """The classes whose weights are shown: the most probable, the true one among them."""
    example = explanation.example
    order = sorted(range(example.n_classes), key=lambda k: -example.logits[k])
    chosen = dict.fromkeys([*order[: MAX_WEIGHT_MAPS - 1], example.label, *order])
    return list(chosen)[:MAX_WEIGHT_MAPS]


def as_text(explanation: Explanation, translate: Translate, _language: str) -> str:
    """The whole lesson as plain text for a file."""
    stream = io.StringIO()
    show(Console(file=stream, width=FILE_WIDTH, color_system=None), explanation, translate)
    return stream.getvalue()


def exercises_as_text(exercises: Sequence[Exercise], translate: Translate, answers: bool) -> str:
    """Exercises, then their worked answers if asked for."""
    stream = io.StringIO()
    console = Console(file=stream, width=FILE_WIDTH, color_system=None)
    parts = [("Exercises", "question"), ("Answers", "working")]
    for heading, part in parts if answers else parts[:1]:
        console.print(f"\n{translate(heading)}\n", markup=False)
        for place, exercise in enumerate(exercises, 1):
            text = sentence(getattr(exercise, part), exercise.numbers, translate)
            _wrapped(console, Text(text), f"{place:>{INDENT - 2}}. ")
    return stream.getvalue()
