"""The types of the lesson: what a step says (its template), and a step with its numbers.

A template is plain data: sentences, tables and checks that refer to numbers by name. `render` adds
the numbers of one example and carries out the checks. The page renders the same templates with
numbers of its own, so that every message is written once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from softmaxce.errors import SoftmaxceError

Numbers = Mapping[str, Any]


class CheckError(SoftmaxceError):
    """A check of the lesson failed: the numbers shown would be wrong."""


@dataclass(frozen=True)
class Sentence:
    """A message with {names} of numbers, shown when the number `when` is true ("" = always)."""

    message: str
    when: str = ""


@dataclass(frozen=True)
class Column:
    """A heading and the name of the vector below it.

    kind: "number"; "text" for names from outside; "word" for messages; "power" for numbers that
    are infinite only because they exceed the largest float.
    """

    heading: str
    values: str
    kind: str = "number"

    @property
    def is_text(self) -> bool:
        """Whether the cells are words, which are aligned to the left."""
        return self.kind in ("text", "word")


@dataclass(frozen=True)
class Table:
    """Columns of one length; `per_class`: one row per class, which views shorten when long."""

    columns: tuple[Column, ...]
    per_class: bool = True
    when: str = ""


@dataclass(frozen=True)
class Check:
    """A comparison to carry out: left relation right, each a number, a vector or the name of one.

    relation: "=" and "≤" within the tolerance (absolute up to 1, relative above), "<" exactly.
    tolerance: a number or the name of one.
    """

    message: str
    left: str | float
    right: str | float
    relation: str = "="
    tolerance: str | float = 1e-12
    when: str = ""


@dataclass(frozen=True)
class Formula:
    """One formula as plain text and as LaTeX; tests derive one from the other."""

    plain: str
    latex: str


@dataclass(frozen=True)
class Question:
    """What the quiz asks before it shows a step, and the name of the number that answers it."""

    message: str
    answer: str


@dataclass(frozen=True)
class StepTemplate:
    """A step without numbers. claim: the step's main statement."""

    name: str
    title: str
    claim: str
    formula: Formula | None = None
    sentences: tuple[Sentence, ...] = ()
    tables: tuple[Table, ...] = ()
    checks: tuple[Check, ...] = ()
    question: Question | None = None


@dataclass(frozen=True)
class CheckResult:
    """A check that passed. left, right: numbers or vectors; error: their largest difference."""

    message: str
    left: Any
    right: Any
    relation: str
    tolerance: float
    error: float


@dataclass(frozen=True)
class Step:
    """A step with its numbers and its checks, all of which passed.

    title, claim, sentences and headings are messages with {names} of `numbers`, still untranslated.
    """

    name: str
    title: str
    claim: str
    formula: Formula | None
    sentences: tuple[str, ...]
    numbers: Numbers
    tables: tuple[Table, ...]
    checks: tuple[CheckResult, ...]
    question: Question | None


def render(template: StepTemplate, numbers: Numbers) -> Step:
    """`template` with `numbers`. Raises CheckError if a check fails."""

    def applies(part: Sentence | Table | Check) -> bool:
        return not part.when or bool(numbers[part.when])

    return Step(
        name=template.name,
        title=template.title,
        claim=template.claim,
        formula=template.formula,
        sentences=tuple(s.message for s in template.sentences if applies(s)),
        numbers=numbers,
        tables=tuple(t for t in template.tables if applies(t)),
        checks=tuple(
            _carried_out(check, template.name, numbers)
            for check in filter(applies, template.checks)
        ),
        question=template.question,
    )


def _carried_out(check: Check, step: str, numbers: Numbers) -> CheckResult:
    left, right, tolerance = (
        numbers[value] if isinstance(value, str) else value
        for value in (check.left, check.right, check.tolerance)
    )
    error = largest_difference(left, right)
    if check.relation == "<":
        passed = left < right
    else:
        passed = error <= tolerance or (check.relation == "≤" and left <= right)
    if not passed:  # NaN fails every comparison
        raise CheckError(
            f"lesson step '{step}': check failed: {check.message}: "
            f"{left} {check.relation} {right} (difference {error}, allowed {tolerance})"
        )
    return CheckResult(check.message, left, right, check.relation, tolerance, error)


def largest_difference(left: Any, right: Any) -> float:
    """The largest |left − right| / max(1, |right|) of two numbers or vectors; ∞ − ∞ counts as 0."""
    pairs = zip(_as_vector(left), _as_vector(right), strict=True)
    return max((_difference(a, b) for a, b in pairs), default=0.0)


def _as_vector(value: Any) -> Sequence[float]:
    return value if isinstance(value, (list, tuple)) else [value]


def _difference(a: float, b: float) -> float:
    if a == b:
        return 0.0
    if math.isinf(a) or math.isinf(b):
        return math.inf
    return abs(a - b) / max(1.0, abs(b))
