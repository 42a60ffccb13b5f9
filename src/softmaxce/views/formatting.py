"""Numbers, names and lists as text; nothing here needs Rich."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence

from softmaxce.views.safe_text import visible


class Strong(str):
    """The text of a table cell that is emphasised."""

    __slots__ = ()


class Word(str):
    """The text of a table cell that is not data: it is shown in the reader's language."""

    __slots__ = ()


def percent(proportion: float) -> str:
    """0.9243 → '92.4 %'."""
    return f"{100 * proportion:.1f} %"


def interval(bounds: tuple[float, float] | None) -> str:
    """(0.8014, 0.9742) → '[80.1, 97.4]', in per cent; None → ''."""
    return "" if bounds is None else f"[{100 * bounds[0]:.1f}, {100 * bounds[1]:.1f}]"


def nats(cross_entropy: float) -> str:
    """A cross-entropy with four decimals; ∞ as ∞."""
    return "∞" if math.isinf(cross_entropy) else f"{cross_entropy:.4f}"


def probability(value: float) -> str:
    """A probability with four decimals, or its magnitude if that would print as 0."""
    if value == 0 or value >= 0.00005:
        return f"{value:.4f}"
    return f"{value:.0e}"


def change(before: str, after: str) -> str:
    """'0.2613 → 0.2514', or 'unchanged' if both print the same."""
    return "unchanged" if before == after else f"{before} → {after}"


def counted(n: int, noun: str) -> str:
    """'1 file', '1,200 files'."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def shortened(text: str, n_characters: int) -> str:
    """The text with control characters escaped, and with its middle left out if it is longer."""
    shown = visible(text)
    if len(shown) <= n_characters:
        return shown
    n_end = (n_characters - 1) // 2
    return f"{shown[: n_characters - 1 - n_end]}…{shown[len(shown) - n_end :]}"


def sparkline(values: Sequence[float], width: int = 28) -> str:
    """Values as at most `width` blocks of eight heights, on a logarithmic scale."""
    step = max(1.0, len(values) / width)
    picked = [values[int(i * step)] for i in range(min(width, len(values)))]
    picked[-1] = values[-1]
    logs = [math.log(max(value, 1e-300)) for value in picked]
    low, span = min(logs), (max(logs) - min(logs)) or 1.0
    return "".join("▁▂▃▄▅▆▇█"[round(7 * (value - low) / span)] for value in logs)


def command(*words: str) -> str:
    """A command line that can be pasted into a shell."""
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    if word.isprintable():
        return shlex.quote(word)
    octets = word.encode("utf-8", "surrogateescape")
    plain = (chr(b) if 32 <= b < 127 and b not in b"'\\" else f"\\x{b:02x}" for b in octets)
    return f"$'{''.join(plain)}'"
