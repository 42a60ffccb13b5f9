"""A step as text: numbers written for people, sentences in the reader's language, table cells."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from softmaxce.language import Translate
from softmaxce.lesson.example import MAX_ROWS
from softmaxce.lesson.step import Check, Column, Numbers, RenderedPart, Step, Table
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
MAX_TERMS = 4  # classes that a sentence goes through
MAX_EXTRA = 14  # with the four decimals, or two digits of a mantissa, more than a float holds
_NAME = re.compile(r"\{(\w+)\}")
_REPEATED = re.compile(r"<<(.+?)\|(, | \+ )>>")
_FIELD = re.compile(f"{_REPEATED.pattern}|{_NAME.pattern}")

Quote = Callable[[str], str]


class TableText(NamedTuple):
    """A table as text. rows: one cell per column, or a single cell that counts omitted rows."""

    headings: list[str]
    is_text: list[bool]
    rows: list[list[str]]


class PartText(NamedTuple):
    """A part of a step as text, in the reader's language."""

    sentences: list[str]
    tables: list[TableText]
    checks: list[str]


class StepText(NamedTuple):
    """A step as text, in the reader's language."""

    title: str
    claim: str
    sentences: list[str]
    tables: list[TableText]
    checks: list[str]
    more: PartText


def step_text(
    step: Step,
    shown: Sequence[int],
    translate: Translate,
    quote: Quote = visible,
    *,
    more: bool = True,
) -> StepText:
    """The text of a step. shown: the classes in its tables; quote: makes a name harmless; more:
    whether to include what is shown only on request."""

    def part(of: RenderedPart) -> PartText:
        return PartText(
            [sentence(s, step.numbers, translate, quote) for s in of.sentences],
            [table_text(t, step.numbers, shown, translate, quote) for t in of.tables],
            [_check_text(check, step.numbers, translate, quote) for check in of.checks],
        )

    return StepText(
        translate(step.template.title),
        sentence(step.template.claim, step.numbers, translate, quote),
        *part(step.shown),
        more=part(step.more) if more else PartText([], [], []),
    )


def number(value: float, decimals: int | None = None, extra: int = 0) -> str:
    """`value` for people: 0.475, −2, 1,000, 4.54×10⁻⁵, ∞.

    decimals fixes their number; extra: how many digits more than usual.
    """
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    value = value if abs(value) > ROUNDING else 0.0  # never −0
    if _needs_power(abs(value)):
        mantissa, exponent = f"{value:.{2 + extra}e}".split("e")
        mantissa = mantissa.rstrip("0").rstrip(".")
        return f"{mantissa}×10{str(int(exponent)).translate(_SUPERSCRIPTS)}".replace("-", "−")
    shown = decimals if decimals is not None else needed_decimals(value, DECIMALS + extra)
    return f"{value:,.{shown}f}".replace("-", "−")


def _needs_power(size: float) -> bool:
    """Whether four decimals would hide a number of this size, or it would have too many digits."""
    if size >= LARGEST_PLAIN:
        return True
    return 0 < size < SMALLEST_PLAIN and abs(size - round(size, DECIMALS)) > ROUNDING


def needed_decimals(value: float, most: int = DECIMALS) -> int:
    """Decimals to show: 0 for whole numbers, 4 for 1.00001, else as many as needed up to 4."""
    if not math.isfinite(value) or _needs_power(abs(value)):
        return 0
    if abs(value - round(value)) <= ROUNDING:
        return 0
    stripped = f"{value:.{most}f}".rstrip("0")
    decimals = len(stripped.partition(".")[2])
    return decimals or most  # 0.99999 is written 1.0000: the zeros show that it is rounded


def extra_digits(values: Sequence[float]) -> int:
    """How many digits more than usual tell different values apart: rounding errors do not count."""
    different: list[float] = []
    for value in sorted(values):
        if not different or _differ(different[-1], value):
            different.append(value)
    for extra in range(MAX_EXTRA):
        if len({_without_zeros(number(v, extra=extra)) for v in different}) == len(different):
            return extra
    return MAX_EXTRA


def _without_zeros(written: str) -> str:
    return written.rstrip("0").rstrip(".") if "." in written else written


def _differ(a: float, b: float) -> bool:
    return a != b and not abs(a - b) <= ROUNDING * max(abs(a), abs(b))


def sentence(message: str, numbers: Numbers, translate: Translate, quote: Quote = visible) -> str:
    """`message` in the language, with its {names} filled in; names from outside are quoted.

    <<…|separator>> is repeated for each class, or a few of many. Single numbers of a message that
    differ never look the same.
    """
    text = translate(message)
    single = [numbers[name] for name in _NAME.findall(_REPEATED.sub("", text))]
    extra = extra_digits([value for value in single if not isinstance(value, str)])

    def written(match: re.Match[str]) -> str:
        pattern, separator, name = match.groups()
        if pattern:
            return _repeated(pattern, separator, numbers, quote)
        value = numbers[name]
        if isinstance(value, str):
            return quote(value)
        return _added(number(value, extra=extra), text[: match.start()])

    return _FIELD.sub(written, text)


def _repeated(pattern: str, separator: str, numbers: Numbers, quote: Quote) -> str:
    """The pattern filled in for each of a few classes, the true one among them."""
    values = [numbers[name] for name in _NAME.findall(pattern)]
    n_classes = max(len(value) for value in values if _is_vector(value))
    kept = list(range(n_classes))
    if n_classes > MAX_TERMS:
        kept = sorted({0, 1, numbers["label"], n_classes - 1})

    def filled(k: int) -> str:
        before = separator if k else ""

        def written(match: re.Match[str]) -> str:
            value = numbers[match.group(1)]
            value = value[k] if _is_vector(value) else value
            if isinstance(value, str):
                return quote(value)
            return _added(number(value), before + pattern[: match.start()])

        return _NAME.sub(written, pattern)

    parts = []
    for previous, k in zip([-1, *kept], kept, strict=False):
        parts += ["…"] * (k - previous > 1) + [filled(k)]
    return separator.join(parts)


def _added(written: str, before: str) -> str:
    """A negative number in brackets, if it follows a plus sign."""
    return f"({written})" if written[0] == "−" and before.endswith("+ ") else written


def _is_vector(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def table_text(
    table: Table,
    numbers: Numbers,
    shown: Sequence[int],
    translate: Translate,
    quote: Quote = visible,
) -> TableText:
    """The headings and cells of a table, long ones reduced to the classes in `shown`."""
    n_rows = len(numbers[table.columns[0].values])
    kept = shown if table.per_class and n_rows > MAX_ROWS else range(n_rows)
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
    left, right, relation = check.left, check.right, check.relation
    if check.written:
        used = [numbers[name] for name in _NAME.findall(check.written)]
        values = [v for value in (*used, right) for v in (value if _is_vector(value) else [value])]
        relation = "≈" if any(map(_is_rounded, values)) else "="
        said = sentence(check.written, numbers, translate, quote)
        return f"{message}: {said} {relation} {number(right)}"
    if relation == "=" or (relation == "≤" and left > right):
        left = right  # equal but for rounding
    extra = extra_digits([left, right])
    return f"{message}: {number(left, extra=extra)} {relation} {number(right, extra=extra)}"


def _is_rounded(value: float) -> bool:
    """Whether `number` leaves digits of it out."""
    shown = float(f"{value:.2e}") if _needs_power(abs(value)) else round(value, DECIMALS)
    return _differ(shown, value)


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
