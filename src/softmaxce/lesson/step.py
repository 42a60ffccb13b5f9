"""The types of the lesson: what a step says (its template), and a step with its numbers.

A template is plain data: sentences, tables and checks that refer to numbers by name. `render` adds
the numbers of one example and carries out the checks. The page renders the same templates with
numbers of its own, so that every message is written once. All are named tuples: Python would take
eight times as long to make dataclasses of them, whenever the program starts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from softmaxce.errors import SoftmaxceError

Numbers = Mapping[str, Any]
ALWAYS = ""  # the condition of what is always shown


class CheckError(SoftmaxceError):
    """A check of the lesson failed: the numbers shown would be wrong."""


class LazyNumbers(Mapping[str, Any]):
    """Numbers, and `others`, which are computed when one of them is needed."""

    def __init__(self, known: dict[str, Any], others: Callable[[], dict[str, Any]]) -> None:
        self._known, self._others = known, others

    @cached_property
    def _all(self) -> dict[str, Any]:
        return self._known | self._others()

    def __getitem__(self, name: str) -> Any:
        return self._known[name] if name in self._known else self._all[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


class Column(NamedTuple):
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


class Table(NamedTuple):
    """Columns of one length; `per_class`: one row per class, which views shorten when long."""

    columns: tuple[Column, ...]
    per_class: bool = True
    when: str = ALWAYS


class Check(NamedTuple):
    """A comparison, left relation right: of two numbers or two vectors, in a template their names.

    relation: "=" and "≤" within the tolerance (absolute up to 1, relative above), "<" exactly.
    tolerance: a number; in a template it may be the name of one. written: a message for the left
    side, such as the sum whose value it is, so that a reader can check it.
    """

    message: str
    left: Any
    right: Any
    relation: str = "="
    tolerance: Any = 1e-12
    when: str = ALWAYS
    written: str = ""

    @property
    def is_of_vectors(self) -> bool:
        """Whether it compares two vectors."""
        return isinstance(self.left, (list, tuple))

    @property
    def error(self) -> float:
        """The largest |left − right| / max(1, |right|); ∞ − ∞ counts as 0."""
        left, right = (self.left, self.right) if self.is_of_vectors else ([self.left], [self.right])
        return max(_difference(a, b) for a, b in zip(left, right, strict=True))

    @property
    def passes(self) -> bool:
        """Whether the comparison holds; NaN fails every comparison."""
        if self.relation == "<":
            return bool(self.left < self.right)
        is_less = self.relation == "≤" and self.left <= self.right
        return is_less or bool(self.error <= self.tolerance)


class Formula(NamedTuple):
    """One formula as plain text and as LaTeX; tests derive one from the other."""

    plain: str
    latex: str


class Part(NamedTuple):
    """Text whose messages hold {names} of numbers.

    sentences: each with the name of the number that must be true for it to be shown, or ALWAYS.
    """

    sentences: Mapping[str, str] = {}
    tables: tuple[Table, ...] = ()
    checks: tuple[Check, ...] = ()


class StepTemplate(NamedTuple):
    """A step without numbers.

    `claim`: the step's main statement. sentences, tables, checks: as in a Part. `more`: what is
    shown only on request.
    """

    name: str
    title: str
    claim: str
    formula: Formula | None = None
    sentences: Mapping[str, str] = {}
    tables: tuple[Table, ...] = ()
    checks: tuple[Check, ...] = ()
    more: Part = Part()


class RenderedPart(NamedTuple):
    """What the numbers call for of a part. All its checks passed."""

    sentences: tuple[str, ...]
    tables: tuple[Table, ...]
    checks: tuple[Check, ...]


class Step(NamedTuple):
    """A template, its numbers, and the parts of it that they call for."""

    template: StepTemplate
    numbers: Numbers
    shown: RenderedPart
    more: RenderedPart

    @property
    def name(self) -> str:
        """The template's name."""
        return self.template.name


def render(template: StepTemplate, numbers: Numbers) -> Step:
    """`template` with `numbers`. Raises CheckError if a check fails."""
    shown, more = (_rendered(part, template.name, numbers) for part in (template, template.more))
    return Step(template, numbers, shown, more)


def _rendered(part: Part | StepTemplate, name: str, numbers: Numbers) -> RenderedPart:
    def applies(when: str) -> bool:
        return when == ALWAYS or bool(numbers[when])

    def value(of: Any) -> Any:
        return numbers[of] if isinstance(of, str) else of

    checks = tuple(
        c._replace(left=value(c.left), right=value(c.right), tolerance=value(c.tolerance))
        for c in part.checks
        if applies(c.when)
    )
    for check in checks:
        if not check.passes:
            raise CheckError(
                f"lesson step '{name}': check failed: {check.message}: {check.left} "
                f"{check.relation} {check.right} (difference {check.error}, allowed "
                f"{check.tolerance})"
            )
    return RenderedPart(
        tuple(message for message, when in part.sentences.items() if applies(when)),
        tuple(table for table in part.tables if applies(table.when)),
        checks,
    )


def _difference(a: float, b: float) -> float:
    if a == b:
        return 0.0
    if math.isinf(a) or math.isinf(b):
        return math.inf
    return abs(a - b) / max(1.0, abs(b))
