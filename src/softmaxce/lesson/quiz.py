"""Whether a typed answer is correct."""

from __future__ import annotations

import math

TOLERANCE = 0.00501  # half a hundredth, and a little for rounding
_WRITTEN = {"−": "-", ",": ".", "∞": "inf", "infinite": "inf", "무한대": "inf", "무한": "inf"}


def is_right(typed: str, value: float) -> bool:
    """Whether `typed` is `value` to two decimals, or to half a per cent if it is above 1."""
    text = typed.strip().lower()
    for written, meaning in _WRITTEN.items():
        text = text.replace(written, meaning)
    above, slash, below = text.partition("/")
    try:
        answer = float(above) / float(below if slash else 1)
    except (ValueError, ZeroDivisionError):
        return False
    if math.isinf(value):
        return answer == value
    return abs(answer - value) <= TOLERANCE * max(1.0, abs(value))  # NaN is never within it
