"""Numbers as people type them: 0.2, −2, 1/3, ln 5, 40 %, and lists such as [0.2, 0.3]."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

_ASCII = str.maketrans({chr(ord(c) + 0xFEE0): c for c in "-%/.,;()[]"} | {"−": "-", "–": "-"})
_DECIMAL_COMMA = re.compile(r"([-+−]?(?:\d{1,3}(?:\.\d{3})+|\d*)),(\d+)")  # 0,2 or 1.234,5
_LN = re.compile(r"([-+]?)ln\s*(?:\((.+)\)|([^/()]+))", re.IGNORECASE)
_ENDS = r"[^\s,;()\[\]{}]+"
_ITEM = re.compile(
    rf"[-+]?(?:ln|log)\s*(?:\([^()]*\)|{_ENDS})|{_ENDS}(?:\s*/\s*{_ENDS})?(?:\s*%)?", re.I
)


def number(text: str, *, percent: bool = False) -> float:
    """The finite number in `text`; a percentage only where `percent`. Raises ValueError."""
    plain = text.translate(_ASCII).strip()
    is_percentage = plain.endswith("%")
    try:
        value = _value(plain.removesuffix("%")) / (100 if is_percentage else 1)
    except (ValueError, ZeroDivisionError):
        remedy = "; write a decimal point" if re.fullmatch(r"[-+]?\d*,\d+", plain) else ""
        remedy = "; write ln for the natural logarithm" if "log" in plain.lower() else remedy
        raise ValueError(f"'{text}' is not a number{remedy}") from None
    if not math.isfinite(value):
        is_large = any(map(str.isdigit, text))
        raise ValueError(f"'{text}' is too large" if is_large else f"'{text}' is not finite")
    if is_percentage and not percent:
        raise ValueError(f"'{text}' is a percentage, for probabilities only; write {value:g}")
    return value


def _value(text: str) -> float:
    if "_" in text:  # which Python would ignore
        raise ValueError
    if match := _LN.fullmatch(text):
        size = math.log(_fraction(match[2] or match[3]))
        return -size if match[1] == "-" else size
    return _fraction(text)


def _fraction(text: str) -> float:
    above, slash, below = text.partition("/")
    return float(above) / float(below if slash else 1)


def with_points(words: Sequence[str]) -> list[str]:
    """The words, with a decimal point instead of a decimal comma: 0,2 and 1.234,5."""
    matches = map(_DECIMAL_COMMA.fullmatch, words)
    return [
        f"{match[1].replace('.', '')}.{match[2]}" if match else word
        for word, match in zip(words, matches, strict=True)
    ]


def split_numbers(text: str) -> list[str]:
    """The items of a list, with or without brackets: "[0.2; ln 5, 1 / 3]" has three.

    Beside semicolons, a comma between digits is a decimal comma, which `number` refuses.
    """
    plain = text.translate(_ASCII)
    if ";" in plain:
        plain = re.sub(r"(?<=\d),(?=\d)", "·", plain)
    return [item.replace("·", ",") for item in _ITEM.findall(plain)]
