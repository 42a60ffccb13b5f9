"""The shapes of the lesson: what a step says (its script) and what it became (a Step).

A script is plain data: sentences, tables and proofs that refer to numbers by name. `play` fills it
with the numbers of one example and checks each proof. The page takes the same scripts and fills
them with numbers of its own, so that nothing is said twice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from softmaxce.errors import SoftmaxceError

Numbers = Mapping[str, Any]


class ProofError(SoftmaxceError):
    """A proof of the lesson failed: the numbers shown would be wrong."""


@dataclass(frozen=True)
class Sentence:
    """A message with {names} of numbers, said when the number `when` is true ("" = always)."""

    message: str
    when: str = ""


@dataclass(frozen=True)
class Column:
    """A heading and the name of the vector below it.

    kind: "number"; "text" for names from outside; "word" for messages; "power" for numbers of
    which an infinite one is only too big for a float.
    """

    heading: str
    values: str
    kind: str = "number"


@dataclass(frozen=True)
class Table:
    """Columns of one length; `per_class`: one row a class, which views shorten when long."""

    columns: tuple[Column, ...]
    per_class: bool = True
    when: str = ""


@dataclass(frozen=True)
class Claim:
    """What a proof has to show: left relation right, each a number, a vector or the name of one.

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
    """One formula as plain text and as LaTeX."""

    plain: str
    latex: str


@dataclass(frozen=True)
class Question:
    """What the quiz asks before it reveals a step, and the name of the number that answers it."""

    message: str
    answer: str


@dataclass(frozen=True)
class Script:
    """A step before it has numbers."""

    name: str
    title: str
    claim: str
    formula: Formula | None = None
    sentences: tuple[Sentence, ...] = ()
    tables: tuple[Table, ...] = ()
    claims: tuple[Claim, ...] = ()
    question: Question | None = None


@dataclass(frozen=True)
class Proof:
    """A proof that held. left, right: numbers or vectors; error: their largest difference."""

    claim: str
    left: Any
    right: Any
    relation: str
    tolerance: float
    error: float


@dataclass(frozen=True)
class Step:
    """A step with its numbers and its proofs, all of which held.

    claim, title, sentences and headings are keys of the catalogs, with {names} of `numbers`.
    """

    name: str
    title: str
    claim: str
    formula: Formula | None
    sentences: tuple[str, ...]
    numbers: Numbers
    tables: tuple[Table, ...]
    proofs: tuple[Proof, ...]
    question: Question | None


def play(script: Script, numbers: Numbers) -> Step:
    """`script` with `numbers`. Raises ProofError if a proof fails."""
    holds = _holds(numbers)
    return Step(
        name=script.name,
        title=script.title,
        claim=script.claim,
        formula=script.formula,
        sentences=tuple(s.message for s in script.sentences if holds(s.when)),
        numbers=numbers,
        tables=tuple(t for t in script.tables if holds(t.when)),
        proofs=tuple(_proved(c, script.name, numbers) for c in script.claims if holds(c.when)),
        question=script.question,
    )


def _holds(numbers: Numbers) -> Any:
    return lambda when: not when or bool(numbers[when])


def _proved(claim: Claim, step: str, numbers: Numbers) -> Proof:
    left, right, tolerance = (
        numbers[value] if isinstance(value, str) else value
        for value in (claim.left, claim.right, claim.tolerance)
    )
    error = largest_difference(left, right)
    if claim.relation == "<":
        proved = left < right
    elif claim.relation == "≤":
        proved = left <= right or error <= tolerance
    else:
        proved = error <= tolerance
    if not proved:  # a nan fails each of the three
        raise ProofError(
            f"lesson step '{step}': '{claim.message}' fails: "
            f"{left} {claim.relation} {right} (off by {error}, allowed {tolerance})"
        )
    return Proof(claim.message, left, right, claim.relation, tolerance, error)


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
