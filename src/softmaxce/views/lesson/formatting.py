"""A step as text: numbers written for people, sentences in the reader's language, table cells."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from softmaxce.lesson.step import Check, Column, Numbers, Step, Table
from softmaxce.views.lesson.language import Translate
from softmaxce.views.safe_text import visible

if TYPE_CHECKING:
    from softmaxce.lesson.example import Example
    from softmaxce.lesson.exercises import Sheet
    from softmaxce.lesson.picture import Picture

DECIMALS = 4
ROUNDING = 1e-12  # smaller differences are rounding errors
SMALLEST_PLAIN = 1e-3
LARGEST_PLAIN = 1e6
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_NAME = re.compile(r"\{(\w+)\}")

Quote = Callable[[str], str]


@dataclass(frozen=True)
class TableText:
    """A table as text. rows: one cell per column, or a single cell that counts omitted rows."""

    headings: list[str]
    is_text: list[bool]
    rows: list[list[str]]


@dataclass(frozen=True)
class StepText:
    """A step as text, in the reader's language."""

    title: str
    claim: str
    sentences: list[str]
    tables: list[TableText]
    checks: list[str]


def step_text(
    step: Step, shown: Sequence[int], translate: Translate, quote: Quote = visible
) -> StepText:
    """All the text of a step. shown: the classes in its tables; quote: makes a name harmless."""
    return StepText(
        title=translate(step.template.title),
        claim=sentence(step.template.claim, step.numbers, translate, quote),
        sentences=[sentence(s, step.numbers, translate, quote) for s in step.sentences],
        tables=[table_text(t, step.numbers, shown, translate, quote) for t in step.tables],
        checks=[_check_text(check, step.numbers, translate, quote) for check in step.checks],
    )


def number(value: float, decimals: int | None = None) -> str:
    """`value` for people: 0.475, −2, 4.54×10⁻⁵, ∞. `decimals` fixes their number."""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if _needs_power(abs(value)):
        mantissa, exponent = f"{value:.2e}".split("e")
        mantissa = mantissa.rstrip("0").rstrip(".")
        return f"{mantissa}×10{str(int(exponent)).translate(_SUPERSCRIPTS)}".replace("-", "−")
    shown = decimals if decimals is not None else needed_decimals(value)
    return f"{value:.{shown}f}".replace("-", "−")


def _needs_power(size: float) -> bool:
    """Whether four decimals would hide a number of this size, or it would have too many digits."""
    if size >= LARGEST_PLAIN:
        return True
    return 0 < size < SMALLEST_PLAIN and abs(size - round(size, DECIMALS)) > ROUNDING


def needed_decimals(value: float) -> int:
    """Decimals to show: 0 for whole numbers, 4 for 1.00001, else as many as needed up to 4."""
    if not math.isfinite(value) or _needs_power(abs(value)):
        return 0
    if abs(value - round(value)) <= ROUNDING:
        return 0
    stripped = f"{value:.{DECIMALS}f}".rstrip("0")
    decimals = len(stripped.partition(".")[2])
    return decimals or DECIMALS  # 0.99999 is written 1.0000: the zeros show that it is rounded


def sentence(message: str, numbers: Numbers, translate: Translate, quote: Quote = visible) -> str:
    """`message` in the language, with its {names} filled in; names from outside are quoted."""

    def written(match: re.Match[str]) -> str:
        value = numbers[match.group(1)]
        return quote(value) if isinstance(value, str) else number(value)

    return _NAME.sub(written, translate(message))


def table_text(
    table: Table,
    numbers: Numbers,
    shown: Sequence[int],
    translate: Translate,
    quote: Quote = visible,
) -> TableText:
    """The headings and cells of a table, long ones reduced to the classes in `shown`."""
    n_rows = len(numbers[table.columns[0].values])
    kept = [k for k in shown if k < n_rows] if table.per_class else list(range(n_rows))
    columns = [_cells(column, numbers, kept, translate, quote) for column in table.columns]
    rows = []
    for previous, k, row in zip([-1, *kept], kept, zip(*columns, strict=True), strict=False):
        if k - previous > 1:
            rows.append([translate("… {n} more").format(n=k - previous - 1)])
        rows.append(list(row))
    headings = [translate(column.heading) for column in table.columns]
    return TableText(headings, [column.is_text for column in table.columns], rows)


def _cells(
    column: Column, numbers: Numbers, rows: Sequence[int], translate: Translate, quote: Quote
) -> list[str]:
    """The cells of a column, its numbers with the same number of decimals."""
    values = [numbers[column.values][row] for row in rows]
    if column.kind == "text":
        return [quote(value) for value in values]
    if column.kind == "word":
        return [translate(value) for value in values]
    decimals = max(map(needed_decimals, values), default=0)
    too_large = translate("too large")
    return [
        too_large if column.kind == "power" and math.isinf(value) else number(value, decimals)
        for value in values
    ]


def _check_text(check: Check, numbers: Numbers, translate: Translate, quote: Quote) -> str:
    """A check as one line: what was checked, and the numbers that were compared."""
    message = sentence(check.message, numbers, translate, quote)
    if check.is_of_vectors:
        return f"{message} ({translate('largest difference')}: {number(check.error)})"
    left = check.right if check.right == 0 and check.relation == "=" else check.left
    return f"{message}: {number(left)} {check.relation} {number(check.right)}"


def contributions_text(example: Example, translate: Translate) -> str:
    """The caption of the map of contributions."""
    message = translate("Contributions to class {winner}: orange raises the logit, blue lowers it.")
    return sentence(message, example.named("winner"), str)


def weights_text(picture: Picture, k: int, translate: Translate) -> str:
    """Where the weights of class k are highest and lowest, for those who do not see them."""
    from softmaxce.lesson.picture import extreme_regions  # imports the model

    name = visible(picture.model.class_names[k])
    regions = extreme_regions(picture, k)
    if not regions:
        return translate("Weights of class {name}").format(name=name)
    message = translate("Weights of class {name}: highest {most}, lowest {least}")
    return message.format(name=name, **{key: translate(word) for key, word in regions.items()})


def sheet_text(
    sheet: Sheet, translate: Translate, answers: bool, blank: str = ""
) -> dict[str, list[tuple[str, list[str]]]]:
    """The sections of a sheet: heading → the question and the steps of each exercise.

    blank: for a step that is left out. The answers do not repeat the questions.
    """
    sections: dict[str, list[tuple[str, list[str]]]] = {translate("Exercises"): []}
    if answers:
        sections[translate("Answers")] = []
    for exercise in sheet.exercises:
        numbers = exercise.numbers
        parts = [(exercise.question, sheet.steps(exercise)), ("", exercise.working)]
        for section, (question, steps) in zip(sections.values(), parts, strict=False):
            said = [sentence(m, numbers, translate) if m else blank for m in steps]
            section.append((question and sentence(question, numbers, translate), said))
    return sections
