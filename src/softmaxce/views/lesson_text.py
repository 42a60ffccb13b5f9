"""The lesson for the terminal: short sentences, one small table a step, readable at 60 columns."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from softmaxce.lesson.step import Column, Numbers, Step, Table
from softmaxce.views.lesson_words import (
    Translate,
    cells,
    proof_text,
    rows_of,
    sentence,
    skipped_before,
    template_text,
)
from softmaxce.views.safe_text import visible

if TYPE_CHECKING:
    from softmaxce.lesson.exercises import Exercise
    from softmaxce.workflows.explain import Explanation

INDENT = 4
GAP = 2
FILE_WIDTH = 80
MAX_TEMPLATES = 3


def show(console: Console, explanation: Explanation, translate: Translate) -> None:
    """Print the whole lesson."""
    shown = explanation.example.shown
    with console:  # gathers what is printed and writes it at once
        show_picture(console, explanation, translate)
        for position, step in enumerate(explanation.steps, 1):
            show_step(console, position, step, shown, translate)
            if step.name == "logits":
                show_maps(console, explanation, translate)
        show_corrections(console, explanation, translate)


def show_step(
    console: Console, position: int, step: Step, shown: Sequence[int], translate: Translate
) -> None:
    """Print one step under its number."""
    console.print()
    console.print(Text(f"{position:>2}. {translate(step.title)}", style="bold"))
    _body(console, step, shown, translate)


def show_corrections(console: Console, explanation: Explanation, translate: Translate) -> None:
    """Print the corrections, each under the belief it answers."""
    if explanation.corrections:
        console.print()
        console.print(Text(f"    {translate('What people get wrong')}", style="bold"))
    for step in explanation.corrections:
        console.print()
        _line(console, translate(step.title), "bold")
        _body(console, step, explanation.example.shown, translate)


def _body(console: Console, step: Step, shown: Sequence[int], translate: Translate) -> None:
    _line(console, sentence(step.claim, step.numbers, translate))
    if step.formula:
        _line(console, f"    {translate(step.formula.plain)}", "cyan")
    for message in step.sentences:
        _line(console, sentence(message, step.numbers, translate))
    for table in step.tables:
        _table(console, table, step.numbers, shown, translate)
    if step.tables and step.proofs:
        console.print()
    for proof in step.proofs:
        _line(console, "✓ " + proof_text(proof, step.numbers, translate), "green")


def _line(console: Console, line: str, style: str = "") -> None:
    _wrapped(console, Text(line, style=style))


def _indented(console: Console, content: Text | RichTable) -> None:
    console.print(Padding(content, (0, 0, 0, INDENT), expand=False))


def show_given(console: Console, explanation: Explanation, translate: Translate) -> None:
    """Print what a quiz starts from: each class's logit or probability, and the true class."""
    example = explanation.example
    is_logits = example.source != "probabilities"
    numbers = {
        "classes": example.class_names,
        "values": example.logits if is_logits else example.probabilities,
        "true_class": example.name(example.label),
    }
    heading = Column("logit z" if is_logits else "probability p", "values")
    table = Table((Column("class", "classes", "text"), heading))
    _table(console, table, numbers, example.shown, translate)
    console.print()
    _line(console, sentence("The true class is {true_class}.", numbers, translate))


def _table(
    console: Console, table: Table, numbers: Numbers, shown: Sequence[int], translate: Translate
) -> None:
    """Print a table without lines: headings, then rows; left-out rows are counted."""
    rows = rows_of(table, numbers, shown)
    columns = [
        [translate(column.heading), *cells(column, numbers, rows, translate)]
        for column in table.columns
    ]
    lines = [[column[place] for column in columns] for place in range(len(rows) + 1)]
    for place in reversed(range(len(rows))):
        skipped = skipped_before(place, rows)
        if skipped:
            lines.insert(place + 1, [translate("… {n} more").format(n=skipped)])
    is_text = [column.kind in ("text", "word") for column in table.columns]
    console.print()
    widths = [max(map(cell_len, column)) for column in columns]
    if sum(widths) + GAP * len(widths) + INDENT <= console.width:
        _aligned(console, lines, widths, is_text)
    else:
        _folded(console, lines, is_text)


def _aligned(
    console: Console, lines: Sequence[Sequence[str]], widths: Sequence[int], is_text: Sequence[bool]
) -> None:
    """A table that fits: words to the left, numbers to the right. Far faster than Rich's own."""
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
    """Print the image itself, or where there are no colours what is in it, in words."""
    picture = explanation.picture
    if picture is None:
        return
    from softmaxce.views import pictures  # Pillow, only for pictures

    console.print()
    _line(console, visible(picture.path), "bold")
    if pictures.shows_colour(console):
        pixels = pictures.image_pixels(picture)
        _indented(console, pictures.half_blocks(pixels, console.width - INDENT))
        return
    message = translate(
        "In words: {height} rows of {width} pixels, mean brightness {mean_brightness} of 255."
    )
    _line(console, sentence(message, explanation.steps[0].numbers, str))


def show_maps(console: Console, explanation: Explanation, translate: Translate) -> None:
    """Print the winner's contribution map and some class templates; without colours, in words."""
    picture, example = explanation.picture, explanation.example
    if picture is None:
        return
    from softmaxce.views import pictures

    in_colour = pictures.shows_colour(console)
    width = console.width - INDENT
    console.print()
    if in_colour:
        message = translate("Contributions to class {name}: orange pushes up, blue pushes down.")
        _line(console, sentence(message, {"name": example.name(example.winner)}, str))
        pixels = pictures.contribution_pixels(picture, example.winner)
        _indented(console, pictures.half_blocks(pixels, width))
    for k in _templates(explanation):
        _line(console, template_text(picture, k, translate))
        if in_colour:
            pixels = pictures.template_pixels(picture, k)
            _indented(console, pictures.half_blocks(pixels, width))


def _templates(explanation: Explanation) -> list[int]:
    """The classes whose templates are shown: the most probable, the true one among them."""
    example = explanation.example
    order = sorted(range(example.n_classes), key=lambda k: -example.logits[k])
    return list(dict.fromkeys([*order[: MAX_TEMPLATES - 1], example.label, *order]))[:MAX_TEMPLATES]


def as_text(explanation: Explanation, translate: Translate) -> str:
    """The whole lesson as plain text for a file."""
    stream = io.StringIO()
    show(Console(file=stream, width=FILE_WIDTH, color_system=None), explanation, translate)
    return stream.getvalue()


def exercises_text(exercises: Sequence[Exercise], translate: Translate, answers: bool) -> str:
    """Exercises, then their worked answers if wanted."""
    stream = io.StringIO()
    console = Console(file=stream, width=FILE_WIDTH, color_system=None)
    parts = [("Exercises", "question"), ("Answers", "working")]
    for heading, part in parts if answers else parts[:1]:
        console.print(f"\n{translate(heading)}\n", markup=False)
        for place, exercise in enumerate(exercises, 1):
            said = sentence(getattr(exercise, part), exercise.numbers, translate)
            first = f"{place:>{INDENT - 2}}. "
            _wrapped(console, Text(said), first)
    return stream.getvalue()


def _wrapped(console: Console, text: Text, first: str = " " * INDENT) -> None:
    """Print a paragraph, indented, its first line after `first`, no spaces at the ends."""
    for line in text.wrap(console, max(20, console.width - INDENT)):
        line.rstrip()
        console.print(Text(first).append_text(line), soft_wrap=True)
        first = " " * INDENT
