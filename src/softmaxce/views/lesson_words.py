"""Numbers and sentences of the lesson as text: how a number is written, and in which language."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from softmaxce.lesson.step import Column, Numbers, Step

DECIMALS = 4
ROUNDING = 1e-12  # differences below come from the computer's rounding
SMALLEST_PLAIN = 1e-3
LARGEST_PLAIN = 1e6
CATALOGS = Path(__file__).parent.parent / "locale"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_NAME = re.compile(r"\{(\w+)\}")

Translate = Callable[[str], str]


def translator(language: str) -> Translate:
    """The function from an English message to its words in `language`."""
    if language == "en":
        return lambda message: message
    import gettext  # only when a catalog is needed

    return gettext.translation("softmaxce", CATALOGS, [language]).gettext


def default_language() -> str:
    """ "ko" where the locale of the environment is Korean, else "en"."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable)
        if value:
            return "ko" if value.startswith("ko") else "en"
    return "en"


def number(value: float, decimals: int | None = None) -> str:
    """`value` for people: 0.475, −2, 4.54×10⁻⁵, ∞. `decimals` fixes how many stand there."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    if _needs_power(size):
        mantissa, exponent = f"{value:.2e}".split("e")
        mantissa = mantissa.rstrip("0").rstrip(".")
        return f"{mantissa}×10{str(int(exponent)).translate(_SUPERSCRIPTS)}".replace("-", "−")
    shown = decimals if decimals is not None else needed_decimals(value)
    return f"{value:.{shown}f}".replace("-", "−")


def _needs_power(size: float) -> bool:
    """Whether four decimals would hide a number of this size, or its digits would not end."""
    if size >= LARGEST_PLAIN:
        return True
    return 0 < size < SMALLEST_PLAIN and abs(size - round(size, DECIMALS)) > ROUNDING


def needed_decimals(value: float) -> int:
    """Decimals to show of `value`: none of a whole number, four of 1.00001, else no last zeros."""
    if not math.isfinite(value) or _needs_power(abs(value)):
        return 0
    if abs(value - round(value)) <= ROUNDING:
        return 0
    stripped = f"{value:.{DECIMALS}f}".rstrip("0")
    decimals = len(stripped.partition(".")[2])
    return decimals or DECIMALS  # 0.99999 is written 1.0000: the zeros say that it is rounded


def sentence(message: str, numbers: Numbers, translate: Translate) -> str:
    """`message` in the language, with its {names} filled in from `numbers`."""

    def written(match: re.Match[str]) -> str:
        value = numbers[match.group(1)]
        return number(value) if not isinstance(value, str) else value

    return _NAME.sub(written, translate(message))


def cells(column: Column, numbers: Numbers, rows: Sequence[int], translate: Translate) -> list[str]:
    """The texts of `rows` of a column, numbers with the same count of decimals."""
    values = [numbers[column.values][row] for row in rows]
    if column.kind == "text":
        return values
    if column.kind == "word":
        return [translate(value) for value in values]
    decimals = max(map(needed_decimals, values), default=0)
    return [
        translate("too big")
        if column.kind == "power" and math.isinf(value)
        else number(value, decimals)
        for value in values
    ]


def proof_text(proof: Any, numbers: Mapping[str, Any], translate: Translate) -> str:
    """A proof as one line: what was claimed, and the numbers that show it."""
    said = sentence(proof.claim, numbers, translate)
    if isinstance(proof.left, (list, tuple)):
        return f"{said} ({translate('largest difference')}: {number(proof.error)})"
    left = proof.right if proof.right == 0 and proof.relation == "=" else proof.left
    return f"{said}: {number(left)} {proof.relation} {number(proof.right)}"


def step_json(step: Step, translate: Translate) -> dict[str, Any]:
    """A step in the types of JSON: words, numbers, proofs."""
    return {
        "name": step.name,
        "title": translate(step.title),
        "claim": sentence(step.claim, step.numbers, translate),
        "formula": step.formula.plain if step.formula else None,
        "explanation": [sentence(s, step.numbers, translate) for s in step.sentences],
        "numbers": dict(step.numbers),
        "proofs": [
            {
                "claim": sentence(proof.claim, step.numbers, translate),
                "left": proof.left,
                "relation": proof.relation,
                "right": proof.right,
                "tolerance": proof.tolerance,
                "error": proof.error,
                "holds": True,
            }
            for proof in step.proofs
        ],
    }
