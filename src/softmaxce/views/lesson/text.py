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

from softmaxce.language import Translate
from softmaxce.lesson.step import Step
from softmaxce.views.lesson.formatting import (
    PartText,
    TableText,
    contributions_text,
    sentence,
    sheet_text,
    step_text,
    weights_text,
)
from softmaxce.views.lesson.strip import STAGES, strip_table
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
MORE = "More about each step, and nine other misconceptions: add --more."


def show(console: Console, explanation: Explanation, translate: Translate) -> None:
    """Print the whole lesson."""
    shown, more = explanation.example.shown, explanation.more
    console.size = console.size  # asked for once, not for every line
    with console:  # collects the output and writes it at once
        if explanation.picture:
            _show_picture(console, explanation.picture, explanation.steps[0], translate)
            console.print()
        _show_strip(console, explanation.example, translate)
        for position, step in enumerate(explanation.steps, 1):
            show_step(console, step, shown, translate, f"{position:>2}. ", more=more)
            if explanation.picture and step.name == "logits":
                _show_maps(console, explanation, translate)
        for step in explanation.misconceptions:
            show_step(console, step, shown, translate, more=more)
        if not more:
            console.print()
            print_line(console, translate(MORE), "dim")


def _show_strip(console: Console, example: Example, translate: Translate) -> None:
    print_line(console, translate(STAGES[example.source]), "bold")
    print_table(console, strip_table(example, translate))


def show_step(
    console: Console,
    step: Step,
    shown: Sequence[int],
    translate: Translate,
    first: str = MARGIN,
    *,
    more: bool,
) -> None:
    text = step_text(step, shown, translate, more=more)
    console.print()
    _show_title(console, step, text.title, translate, first)
    print_line(console, text.claim)
    _show_part(console, text)
    _show_part(console, text.more)


def _show_title(console: Console, step: Step, title: str, translate: Translate, first: str) -> None:
    """Print a title, and its formula on the same line where there is room."""
    formula = translate(step.template.formula.plain) if step.template.formula else ""
    if cell_len(first + title + formula) + INDENT > console.width:
        print_line(console, title, "bold", first)
        if formula:
            print_line(console, f"    {formula}", "cyan")
        return
    line = Text(first).append(title, "bold").append(MARGIN + formula, "cyan")
    line.rstrip()
    console.print(line, soft_wrap=True)


def _show_part(console: Console, part: PartText) -> None:
    for line in part.sentences:
        print_line(console, line)
    for table in part.tables:
        print_table(console, table)
    for check in part.checks:
        print_line(console, f"✓ {check}", "green")


def print_line(console: Console, line: str, style: str = "", first: str = MARGIN) -> None:
    """Print an indented paragraph, its first line after `first`, without trailing spaces."""
    text, width = Text(line, style), max(20, console.width - INDENT)
    lines: list[Text] = []
    for part in text.wrap(console, width) if cell_len(line) > width else [text]:
        part.rstrip()
        lines.append(Text(MARGIN if lines else first, style).append_text(part))
    console.print(Text("\n").join(lines), soft_wrap=True)


def _indented(console: Console, content: Text | RichTable) -> None:
    console.print(Padding(content, (0, 0, 0, INDENT), expand=False))


def print_table(console: Console, table: TableText) -> None:
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
    printed_lines = []
    for place, line in enumerate(lines):
        printed = Text(MARGIN)
        for cell, width, left in zip(line, widths, is_text, strict=False):
            space = " " * (width - cell_len(cell))
            printed.append("" if left else space)
            printed.append(cell, "underline" if place == 0 else "")
            printed.append((space if left else "") + " " * GAP)
        printed.rstrip()
        printed_lines.append(printed)
    console.print(Text("\n").join(printed_lines), soft_wrap=True)


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
    print_line(console, visible(picture.path), "bold")
    if pictures.shows_colour(console):
        _half_blocks(console, pictures.image_pixels(picture))
        return
    words = sentence(
        "In words: {height} rows of {width} pixels, mean brightness {mean_brightness} of 255.",
        first_step.numbers,
        translate,
    )
    print_line(console, words)


def _show_maps(console: Console, explanation: Explanation, translate: Translate) -> None:
    """Print the winner's contributions and the weights of some classes; without colours, words.

    The classes: the winner and the true one, or all in the tables. Patch features have no weights
    of pixels.
    """
    from softmaxce.views import pictures  # imports Pillow

    picture, example = explanation.picture, explanation.example
    assert picture is not None
    chosen = list(dict.fromkeys([example.winner, example.label]))
    if explanation.more:
        chosen = list(dict.fromkeys([*chosen, *example.shown]))
    mapped = [] if picture.model.patches else chosen
    in_colour = pictures.shows_colour(console)
    if in_colour or mapped:
        console.print()
    if in_colour:
        print_line(console, contributions_text(example, translate))
        _half_blocks(console, pictures.contribution_pixels(picture, example.winner))
    for k in mapped:
        print_line(console, weights_text(picture, k, translate))
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
                print_line(console, line, first=MARGIN if n else f"{place:>2}. ")
    return stream.getvalue()
