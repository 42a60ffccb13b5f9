"""The lesson for the terminal: short sentences, one small table a step, readable at 60 columns."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from softmaxce.lesson.step import Step, Table
from softmaxce.views.lesson_words import Translate, cells, proof_text, sentence
from softmaxce.views.safe_text import visible

INDENT = 3


def show_steps(
    console: Console, steps: Sequence[Step], shown: Sequence[int], translate: Translate
) -> None:
    """Print `steps`; tables with a row a class keep the classes `shown`."""
    for position, step in enumerate(steps, 1):
        show_step(console, position, step, shown, translate)


def show_step(
    console: Console, position: int, step: Step, shown: Sequence[int], translate: Translate
) -> None:
    """Print one step: title, claim, formula, explanation, tables, proofs."""
    console.print()
    console.print(Text(f"{position:>2}. {translate(step.title)}", style="bold"))
    _paragraph(console, sentence(step.claim, step.numbers, translate))
    if step.formula:
        _paragraph(console, f"   {step.formula.plain}", "cyan")
    for message in step.sentences:
        _paragraph(console, sentence(message, step.numbers, translate))
    for table in step.tables:
        show_table(console, table, step, shown, translate)
    for proof in step.proofs:
        _paragraph(console, "✓ " + proof_text(proof, step.numbers, translate), "green")


def _paragraph(console: Console, line: str, style: str = "") -> None:
    console.print(Padding(Text(visible(line), style=style), (0, 0, 0, INDENT + 1), expand=False))


def show_table(
    console: Console, table: Table, step: Step, shown: Sequence[int], translate: Translate
) -> None:
    """Print a table without lines: headings, then rows; left-out rows are counted."""
    n_rows = len(step.numbers[table.columns[0].values])
    rows = list(shown) if table.per_class else list(range(n_rows))
    grid = RichTable(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="underline")
    for column in table.columns:
        is_text = column.kind in ("text", "word")
        grid.add_column(
            Text(translate(column.heading)),
            justify="left" if is_text else "right",
            overflow="fold",
        )
    texts = [cells(column, step.numbers, rows, translate) for column in table.columns]
    for place, row in enumerate(rows):
        skipped = row - (rows[place - 1] if place else -1) - 1
        if skipped:
            grid.add_row(Text(translate("… {n} more").format(n=skipped), style="dim"))
        grid.add_row(*(Text(visible(column[place])) for column in texts))
    console.print()
    console.print(Padding(grid, (0, 0, 0, INDENT + 1), expand=False))
    console.print()
