"""The lesson for the terminal: short sentences and small tables, readable at 60 columns."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
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
    StepText,
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
        stages = translate(STAGES[explanation.example.source])
        strip = table_lines(console, strip_table(explanation.example, translate))
        print_lines(console, paragraph(console, stages, "bold"), strip)
        for position, step in enumerate(explanation.steps, 1):
            show_step(console, step, shown, translate, f"{position:>2}. ", more=more)
            if explanation.picture and step.name == "logits":
                _show_maps(console, explanation, translate)
        for step in explanation.misconceptions:
            show_step(console, step, shown, translate, more=more)
        if not more:
            print_lines(console, [Text()], paragraph(console, translate(MORE), "dim"))


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
    title = _title(console, step, text.title, translate, first)
    claim = paragraph(console, text.claim)
    parts = _part(console, text), _part(console, text.more)
    print_lines(console, [Text()], title, claim, *parts)


def print_lines(console: Console, *parts: Iterable[Text]) -> None:
    """Print the lines of all parts at once: Rich takes longer for a print than for a line."""
    console.print(*chain(*parts), sep="\n", soft_wrap=True)


def _title(
    console: Console, step: Step, title: str, translate: Translate, first: str
) -> Iterator[Text]:
    """A title, and its formula on the same line where there is room."""
    formula = translate(step.template.formula.plain) if step.template.formula else ""
    if cell_len(first + title + formula) + INDENT > console.width:
        yield from paragraph(console, title, "bold", first)
        if formula:
            yield from paragraph(console, f"    {formula}", "cyan")
        return
    line = Text(first).append(title, "bold").append(MARGIN + formula, "cyan")
    line.rstrip()
    yield line


def _part(console: Console, part: PartText | StepText) -> Iterator[Text]:
    for line in part.sentences:
        yield from paragraph(console, line)
    for table in part.tables:
        yield from table_lines(console, table)
    for check in part.checks:
        yield from paragraph(console, f"✓ {check}", "green")


def paragraph(console: Console, line: str, style: str = "", first: str = MARGIN) -> Iterator[Text]:
    """An indented paragraph, its first line after `first`, without trailing spaces."""
    width = max(20, console.width - INDENT)
    parts = Text(line).wrap(console, width) if cell_len(line) > width else [line]
    for place, part in enumerate(parts):
        yield Text(f"{MARGIN if place else first}{part}".rstrip(), style)


def table_lines(console: Console, table: TableText) -> Iterator[Text]:
    """An empty line, and a table without rules."""
    lines = [table.headings, *table.rows]
    columns = zip(*(line for line in lines if len(line) == len(table.headings)), strict=True)
    widths = [max(map(cell_len, column)) for column in columns]
    yield Text()
    if sum(widths) + GAP * len(widths) + INDENT <= console.width:
        yield from _aligned(lines, widths, table.is_text)
    else:
        yield from _folded(console, lines, table.is_text)


def _aligned(
    lines: Sequence[Sequence[str]], widths: Sequence[int], is_text: Sequence[bool]
) -> Iterator[Text]:
    """A table that fits: text to the left, numbers to the right. Much faster than Rich's own."""
    for place, line in enumerate(lines):
        printed = Text(MARGIN)
        for cell, width, left in zip(line, widths, is_text, strict=False):
            space = " " * (width - cell_len(cell))
            printed.append("" if left else space)
            printed.append(cell, "" if place else "underline")
            printed.append((space if left else "") + " " * GAP)
        printed.rstrip()
        yield printed


def _folded(
    console: Console, lines: Sequence[Sequence[str]], is_text: Sequence[bool]
) -> Iterator[Text]:
    """A table that is too wide: Rich folds its cells."""
    grid = RichTable(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="underline")
    for heading, left in zip(lines[0], is_text, strict=True):
        grid.add_column(Text(heading), justify="left" if left else "right", overflow="fold")
    for line in lines[1:]:
        grid.add_row(*map(Text, line))
    options = console.options.update(width=console.width - INDENT)
    for segments in console.render_lines(grid, options, pad=False):
        yield Text.assemble(MARGIN, *((s.text, s.style or "") for s in segments))


def _show_picture(
    console: Console, picture: Picture, first_step: Step, translate: Translate
) -> None:
    """Print the image itself, or, without colours, describe it in words."""
    from softmaxce.views import pictures  # imports Pillow

    print_lines(console, [Text()], paragraph(console, visible(picture.path), "bold"))
    if pictures.shows_colour(console):
        _half_blocks(console, pictures.image_pixels(picture))
        return
    words = sentence(
        "In words: {height} rows of {width} pixels, mean brightness {mean_brightness} of 255.",
        first_step.numbers,
        translate,
    )
    print_lines(console, paragraph(console, words))


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
        print_lines(console, paragraph(console, contributions_text(example, translate)))
        _half_blocks(console, pictures.contribution_pixels(picture, example.winner))
    for k in mapped:
        print_lines(console, paragraph(console, weights_text(picture, k, translate)))
        if in_colour:
            _half_blocks(console, pictures.template_pixels(picture, k))


def _half_blocks(console: Console, pixels: Pixels) -> None:
    from softmaxce.views.pictures import half_blocks

    blocks = half_blocks(pixels, console.width - INDENT)
    console.print(Padding(blocks, (0, 0, 0, INDENT), expand=False))


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
                start = MARGIN if n else f"{place:>2}. "
                print_lines(console, paragraph(console, line, first=start))
    return stream.getvalue()
