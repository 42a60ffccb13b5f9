"""What a typed answer means, and whether it is correct."""

from __future__ import annotations

import math

from softmaxce.typed_numbers import number

TOLERANCE = 0.0051  # half a hundredth, and half of the fourth decimal
_INFINITE = ("∞", "inf", "infinity", "infinite", "무한대", "무한")


def answer(typed: str) -> float | None:
    """The number typed, such as 0,5, 1/2, 50 % or ∞; None if it is not a number."""
    text = typed.strip().lower()
    if text.lstrip("+-−") in _INFINITE:
        return -math.inf if text[0] in "-−" else math.inf
    try:
        return number(text.replace(",", "."), percent=True)
    except ValueError:
        return None


def is_right(typed: str, value: float) -> bool:
    """Whether `typed` is `value` to two decimals, or to half a per cent if it is above 1."""
    given = answer(typed)
    if given is None or math.isinf(value):
        return given == value
    return abs(given - value) <= TOLERANCE * max(1.0, abs(value))
