"""Numbers and sentences of the lesson as text: how a number is written, and in which language."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from softmaxce.errors import InputError
from softmaxce.lesson.step import Column, Numbers, Proof, Table
from softmaxce.views.safe_text import visible

if TYPE_CHECKING:
    from softmaxce.lesson.picture import Picture

DECIMALS = 4
ROUNDING = 1e-12  # differences below come from the computer's rounding
SMALLEST_PLAIN = 1e-3
LARGEST_PLAIN = 1e6
CATALOGS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "locale")
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_NAME = re.compile(r"\{(\w+)\}")

Translate = Callable[[str], str]
Quote = Callable[[str], str]


def languages() -> list[str]:
    """The languages of the lesson: English, and each that has a catalog."""
    return ["en", *sorted(os.listdir(CATALOGS))]


def translator(language: str) -> Translate:
    """The function from an English message to its words in `language`.

    Raises InputError for a language without a catalog.
    """
    if language not in languages():
        raise InputError(f"no language '{language}': there are {', '.join(languages())}")
    if language == "en":
        return lambda message: message
    import gettext  # only when a catalog is needed

    return gettext.translation("softmaxce", CATALOGS, [language]).gettext


def default_language() -> str:
    """The language of the environment's locale where it has a catalog, else "en"."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable)
        if value:
            language = re.split("[_.@]", value)[0]
            return language if language in languages() else "en"
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


def sentence(message: str, numbers: Numbers, translate: Translate, quote: Quote = visible) -> str:
    """`message` in the language, with its {names} filled in; names from outside are quoted."""

    def written(match: re.Match[str]) -> str:
        value = numbers[match.group(1)]
        return quote(value) if isinstance(value, str) else number(value)

    return _NAME.sub(written, translate(message))


def cells(
    column: Column,
    numbers: Numbers,
    rows: Sequence[int],
    translate: Translate,
    quote: Quote = visible,
) -> list[str]:
    """The texts of `rows` of a column, numbers with the same count of decimals."""
    values = [numbers[column.values][row] for row in rows]
    if column.kind == "text":
        return [quote(value) for value in values]
    if column.kind == "word":
        return [translate(value) for value in values]
    decimals = max(map(needed_decimals, values), default=0)
    too_big = translate("too big")
    return [
        too_big if column.kind == "power" and math.isinf(value) else number(value, decimals)
        for value in values
    ]


def rows_of(table: Table, numbers: Numbers, shown: Sequence[int]) -> list[int]:
    """The rows of a table that are shown: `shown` where it has a row a class, else all."""
    n_rows = len(numbers[table.columns[0].values])
    return [k for k in shown if k < n_rows] if table.per_class else list(range(n_rows))


def skipped_before(place: int, rows: Sequence[int]) -> int:
    """How many rows are left out before the one at `place` of `rows`."""
    return rows[place] - (rows[place - 1] if place else -1) - 1


def proof_text(proof: Proof, numbers: Numbers, translate: Translate, quote: Quote = visible) -> str:
    """A proof as one line: what was claimed, and the numbers that show it."""
    said = sentence(proof.claim, numbers, translate, quote)
    if isinstance(proof.left, (list, tuple)):
        return f"{said} ({translate('largest difference')}: {number(proof.error)})"
    left = proof.right if proof.right == 0 and proof.relation == "=" else proof.left
    return f"{said}: {number(left)} {proof.relation} {number(proof.right)}"


def template_text(picture: Picture, k: int, translate: Translate) -> str:
    """The template of class k in words, for those who do not see it."""
    from softmaxce.lesson.picture import template_in_words  # only pictures need the model's room

    name = visible(picture.model.class_names[k])
    regions = template_in_words(picture, k)
    if not regions:
        return translate("Weights of class {name}").format(name=name)
    message = translate("Weights of class {name}: most for it {most}, most against it {least}")
    return message.format(name=name, **{key: translate(word) for key, word in regions.items()})
