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

from softmaxce.lesson.quiz import answer, is_right
from softmaxce.lesson.step import Step
from softmaxce.lesson.templates import LOGIT, PROBABILITY, class_table
from softmaxce.views.lesson.formatting import (
    TableText,
    contributions_text,
    number,
    sentence,
    sheet_text,
    step_text,
    table_text,
    weights_text,
)
from softmaxce.views.lesson.language import Translate
from softmaxce.views.safe_text import visible

if TYPE_CHECKING:
    from softmaxce.lesson.example import Example
    from softmaxce.lesson.exercises import Sheet
    from softmaxce.lesson.picture import Picture
    from softmaxce.views.pictures import Pixels
    from softmaxce.workflows.explain import Explanation

INDENT = 4
MARGIN = " " * INDENT
GAP = 2
FILE_WIDTH = 80
MAX_WEIGHT_MAPS = 3


def show(console: Console, explanation: Explanation, translate: Translate) -> None:
    """Print the whole lesson."""
    shown = explanation.example.shown
    with console:  # collects the output and writes it at once
        if explanation.picture:
            _show_picture(console, explanation.picture, explanation.steps[0], translate)
        for position, step in enumerate(explanation.steps, 1):
            _show_step(console, step, shown, translate, f"{position:>2}. ")
            if explanation.picture and step.name == "logits":
                _show_maps(console, explanation.picture, explanation.example, translate)
        if explanation.misconceptions:
            console.print()
            _line(console, translate("Common misconceptions"), "bold")
        for step in explanation.misconceptions:
            _show_step(console, step, shown, translate)


def ask(console: Console, explanation: Explanation, translate: Translate) -> None:
    """The quiz: ask for a number of each step, then show the step.

    An empty line is a wrong answer; the end of the input ends the quiz.
    """
    _show_given(console, explanation.example, translate)
    n_asked = n_right = 0
    for position, step in enumerate(explanation.steps, 1):
        if question := step.template.question:
            value = step.numbers[question.answer]
            try:
                right = _answered(f"\n{translate(question.message)} ", value, translate)
            except EOFError:
                console.print()
                break
            n_asked, n_right = n_asked + 1, n_right + right
            verdict = translate("Correct:") if right else translate("The answer is")
            console.print(f"{verdict} {number(value)}", soft_wrap=True)
        _show_step(console, step, explanation.example.shown, translate, f"{position:>2}. ")
    score = translate("{right} of {asked} correct.").format(right=n_right, asked=n_asked)
    console.print(score, soft_wrap=True)


def _answered(prompt: str, value: float, translate: Translate) -> bool:
    """Whether the reader's answer is right, at the first or the second try."""
    tries = 2
    while tries and (typed := input(prompt).strip()):
        if is_right(typed, value):
            return True
        if answer(typed) is None:
            prompt = translate("Type a number, or only Enter to see the answer:") + " "
        else:
            prompt, tries = translate("Not quite. Try once more:") + " ", tries - 1
    return False


def _show_step(
    console: Console,
    step: Step,
    shown: Sequence[int],
    translate: Translate,
    first: str = MARGIN,
) -> None:
    text = step_text(step, shown, translate)
    console.print()
    _line(console, text.title, "bold", first)
    _line(console, text.claim)
    if formula := step.template.formula:
        _line(console, f"    {translate(formula.plain)}", "cyan")
    for line in text.sentences:
        _line(console, line)
    for table in text.tables:
        _table(console, table)
    if text.tables and text.checks:
        console.print()
    for check in text.checks:
        _line(console, f"✓ {check}", "green")


def _line(console: Console, line: str, style: str = "", first: str = MARGIN) -> None:
    """Print an indented paragraph, its first line after `first`, without trailing spaces."""
    for part in Text(line, style).wrap(console, max(20, console.width - INDENT)):
        part.rstrip()
        console.print(Text(first, style).append_text(part), soft_wrap=True)
        first = MARGIN


def _indented(console: Console, content: Text | RichTable) -> None:
    console.print(Padding(content, (0, 0, 0, INDENT), expand=False))


def _show_given(console: Console, example: Example, translate: Translate) -> None:
    """Print what a quiz starts from: the logit or probability of each class, the true class."""
    table = class_table(PROBABILITY if example.source == "probabilities" else LOGIT)
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
        printed = Text(MARGIN)
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


def _show_picture(
    console: Console, picture: Picture, first_step: Step, translate: Translate
) -> None:
    """Print the image itself, or, without colours, describe it in words."""
    from softmaxce.views import pictures  # imports Pillow

    console.print()
    _line(console, visible(picture.path), "bold")
    if pictures.shows_colour(console):
        _half_blocks(console, pictures.image_pixels(picture))
        return
    words = sentence(
        "In words: {height} rows of {width} pixels, mean brightness {mean_brightness} of 255.",
        first_step.numbers,
        translate,
    )
    _line(console, words)


def _show_maps(console: Console, picture: Picture, example: Example, translate: Translate) -> None:
    """Print the winner's contributions and the weights of some classes; without colours, words.

    The classes: the most probable, the true one among them. Patch features have no such weights.
    """
    from softmaxce.views import pictures  # imports Pillow

    order = sorted(range(example.n_classes), key=lambda k: -example.logits[k])
    chosen = list(dict.fromkeys([*order[: MAX_WEIGHT_MAPS - 1], example.label, *order]))
    mapped = [] if picture.model.patches else chosen[:MAX_WEIGHT_MAPS]
    in_colour = pictures.shows_colour(console)
    if in_colour or mapped:
        console.print()
    if in_colour:
        _line(console, contributions_text(example, translate))
        _half_blocks(console, pictures.contribution_pixels(picture, example.winner))
    for k in mapped:
        _line(console, weights_text(picture, k, translate))
        if in_colour:
            _half_blocks(console, pictures.template_pixels(picture, k))


def _half_blocks(console: Console, pixels: Pixels) -> None:
    from softmaxce.views.pictures import half_blocks

    _indented(console, half_blocks(pixels, console.width - INDENT))


def as_text(explanation: Explanation, translate: Translate, _language: str) -> str:
    """The whole lesson as plain text for a file."""
    stream = io.StringIO()
    show(Console(file=stream, width=FILE_WIDTH, color_system=None), explanation, translate)
    return stream.getvalue()


def exercises_as_text(sheet: Sheet, translate: Translate, answers: bool, _language: str) -> str:
    """Exercises, then their worked answers if asked for."""
    stream = io.StringIO()
    console = Console(file=stream, width=FILE_WIDTH, color_system=None)
    for heading, exercises in sheet_text(sheet, translate, answers, "_" * 40).items():
        console.print(f"\n{heading}\n", markup=False)
        for place, (question, steps) in enumerate(exercises, 1):
            lines = [question] * bool(question) + list(map("{}) {}".format, "abcd", steps))
            for n, line in enumerate(lines):
                _line(console, line, first=MARGIN if n else f"{place:>2}. ")
    return stream.getvalue()
