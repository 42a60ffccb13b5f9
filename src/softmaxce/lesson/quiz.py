"""Whether a typed answer is correct."""

from __future__ import annotations

import math

TOLERANCE = 0.00501  # half a hundredth, and a little for rounding
_INFINITE = {"∞", "inf", "infinity", "infinite", "무한", "무한대"}


def is_right(typed: str, value: float) -> bool:
    """Whether `typed` is `value` to two decimals, or to half a per cent if it is above 1."""
    answer = _number(typed.strip().lower().replace("−", "-").replace(",", "."))
    if math.isinf(value):
        return answer == value
    return abs(answer - value) <= TOLERANCE * max(1.0, abs(value))  # NaN is never within it


def _number(typed: str) -> float:
    if typed.removeprefix("+") in _INFINITE:
        return math.inf
    try:
        if "/" in typed:
            above, below = typed.split("/")
            return float(above) / float(below)
        return float(typed)
    except (ValueError, ZeroDivisionError):
        return math.nan
