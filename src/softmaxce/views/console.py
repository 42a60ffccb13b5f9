"""The two consoles: results on stdout; progress, notes and errors on stderr."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NoReturn

from rich import box
from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from softmaxce.errors import first_and_more
from softmaxce.translation import translate, translate_reason
from softmaxce.views.formatting import Strong, Word, counted
from softmaxce.views.safe_text import visible

MAX_CLASSES = 30  # up to which a table has a row for each class
_N_CLASSES = 20  # rows if there are more
_N_LEFT_OUT = 10  # files that are named
_UNLIMITED = 100_000  # columns
_NO_BREAK = "\ue000"  # stands for a space; Rich breaks lines at U+00A0, too


class PlainConsole(Console):
    """Text is data: Rich's markup, highlighting and emoji codes are off."""

    def __init__(self, *, stderr: bool) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as Rich does, but never truncate a table on a narrow screen.

        A table that does not fit even with its text wrapped is as wide as it needs to be, and so is
        every table in a pipe of unknown width.
        """
        objects = tuple(translate(o) if isinstance(o, str) else o for o in objects)
        width = self.width
        for table in (thing for thing in objects if isinstance(thing, Table)):
            needed = Measurement.get(self, self.options.update(width=_UNLIMITED), table)
            if self.is_of_unknown_width or needed.minimum > width:
                self.width = max(self.width, needed.maximum)
        try:
            super().print(*objects, **options)
        finally:
            self.width = width

    @property
    def is_of_unknown_width(self) -> bool:
        """Whether this is a pipe or a file, with no limit on the width."""
        return not self.is_terminal and "COLUMNS" not in os.environ

    def print_wrapped(self, text: str, style: str = "", indent: int = 0) -> None:
        """Text, which may contain names from outside; all lines but the first are indented."""
        # A number stays with its unit.
        kept = re.sub(r"(?<=\d) (?=(%|s|minutes)\b|%)", _NO_BREAK, visible(translate(text)))
        for position, line in enumerate(Text(kept).wrap(self, self.width - indent)):
            shown = line.plain.rstrip().replace(_NO_BREAK, " ")
            self.print(Text(" " * (indent if position else 0) + shown, style), soft_wrap=True)

    def print_line(self, text: str, style: str = "") -> None:
        """One line, which may contain names from outside and is not wrapped here."""
        self.print_data(translate(text), style)

    def print_data(self, text: str, style: str = "") -> None:
        """One line that is not a message: it is never translated."""
        self.print(Text(visible(text), style), soft_wrap=True)

    def print_heading(self, text: str) -> None:
        """An empty line, then a bold line."""
        self.print()
        self.print_line(text, "bold")

    def print_table(
        self,
        header: Sequence[str],
        rows: Iterable[Sequence[str | Text]],
        *,
        left: Collection[int] = (0,),
        less: Sequence[int] = (),
    ) -> Sequence[str]:
        """A table. left: the columns of text; all others are aligned right, as numbers are. less:
        columns that may be left out on a narrow screen, the least important first. Returns the
        titles of the columns that are shown.

        Strings may contain names from outside; a Strong one is bold, and a Text stays as it is.
        """
        header = list(map(translate, header))
        rows = [[_in_language(cell) for cell in row] for row in rows]
        kept = list(range(len(header)))
        for column in less:
            widest = [max(_width(row[j]) for row in [header, *rows]) for j in kept]
            if sum(widest) + 2 * len(widest) <= self.width or self.is_of_unknown_width:
                break
            kept.remove(column)
        if len(kept) < len(header):
            header, rows = [header[j] for j in kept], [[row[j] for j in kept] for row in rows]
        left = [place for place, j in enumerate(kept) if j in left]
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
        for position, title in enumerate(header):
            justify: JustifyMethod = "left" if position in left else "right"
            table.add_column(visible(title), justify=justify, overflow="fold")
        for row in rows:
            table.add_row(*map(_cell, row))
        self.print(table)
        return header

    def print_class_table(
        self,
        header: Sequence[str],
        rows: Sequence[Sequence[str]],
        values: Sequence[Any],
        which: str,
        *,
        total: Sequence[str] = (),
    ) -> None:
        """A table with a row for each class, or for those with the lowest of many values.

        values: one for each class, None to leave it out; which: what those with the lowest have.
        """
        if len(rows) > MAX_CLASSES:
            with_value = (k for k, value in enumerate(values) if value is not None)
            order = sorted(with_value, key=values.__getitem__)[:_N_CLASSES]
            shown = f"{len(order)} of {len(rows):,} classes with the {which}"
            self.print(f"{shown}; --format json lists all.")
            rows = [rows[k] for k in order]
        self.print_table(header, [*rows, total] if total else rows)

    def on_broken_pipe(self) -> NoReturn:
        """Leave the reaction to the command line; Rich would exit with code 1."""
        raise BrokenPipeError


def _in_language(cell: str | Text) -> str | Text:
    return translate(cell) if isinstance(cell, Word) else cell


def _width(value: str | Text) -> int:
    return cell_len(visible(str(value)))


def _cell(value: str | Text) -> Text:
    if isinstance(value, Text):
        return value
    return Text(visible(value), "bold" if isinstance(value, Strong) else "")


def output() -> PlainConsole:
    """The console for results: stdout."""
    return PlainConsole(stderr=False)


def notes() -> PlainConsole:
    """The console for progress, notes and warnings: stderr."""
    return PlainConsole(stderr=True)


def note(text: str) -> None:
    """One line on stderr."""
    notes().print_data(f"{translate('Note')}: {translate(text)}")


def left_out_note(left_out: Sequence[str]) -> str:
    """The number of files that were left out (at least one), and the first of them."""
    reasons = [*map(translate_reason, left_out[:_N_LEFT_OUT]), *left_out[_N_LEFT_OUT:]]
    named = first_and_more(reasons, _N_LEFT_OUT, separator="; ")
    return f"{counted(len(left_out), 'file')} left out: {named}"
