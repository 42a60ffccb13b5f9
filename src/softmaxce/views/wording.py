"""Numbers and names as the tables write them."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from softmaxce.views.safe_text import visible


def percent(share: float) -> str:
    """0.9243 → '92.4 %'."""
    return f"{100 * share:.1f} %"


def interval(bounds: tuple[float, float]) -> str:
    """(0.8014, 0.9742) → '[80.1, 97.4]', in per cent."""
    return f"[{100 * bounds[0]:.1f}, {100 * bounds[1]:.1f}]"


def nats(cross_entropy: float) -> str:
    """A cross-entropy with four decimals; ∞ as ∞."""
    return "∞" if math.isinf(cross_entropy) else f"{cross_entropy:.4f}"


def probability(value: float) -> str:
    """A probability with four decimals, or its size where that would print as 0."""
    if value == 0 or value >= 0.00005:
        return f"{value:.4f}"
    return f"{value:.0e}"


def sparkline(values: Sequence[float], width: int = 40) -> str:
    """The course of a loss as blocks of eight heights, on a logarithmic scale; at most `width`."""
    step = max(1.0, len(values) / width)
    picked = [values[int(i * step)] for i in range(min(width, len(values)))]
    picked[-1] = values[-1]
    logs = [math.log(max(value, 1e-300)) for value in picked]
    low, span = min(logs), (max(logs) - min(logs)) or 1.0
    return "".join("▁▂▃▄▅▆▇█"[round(7 * (value - low) / span)] for value in logs)


def name(text: str) -> Text:
    """A name from outside, shown and never interpreted; wraps rather than being cut."""
    return Text(visible(text), overflow="fold")


def command(*words: str) -> str:
    """A command line that can be pasted into a shell."""
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    if word.isprintable():
        return shlex.quote(word)
    octets = word.encode("utf-8", "surrogateescape")
    plain = (chr(b) if 32 <= b < 127 and b not in b"'\\" else f"\\x{b:02x}" for b in octets)
    return f"$'{''.join(plain)}'"


class _UncutTable(Table):
    """A cell that is too long for its column wraps; Rich would end it with an ellipsis."""

    def add_column(self, *headers: Any, **options: Any) -> None:
        super().add_column(*headers, **{"overflow": "fold", **options})


def table() -> Table:
    """An empty table in the one style of all results."""
    return _UncutTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)


def heading(console: Console, text: str) -> None:
    """A bold line above a table, with an empty line before it."""
    console.print()
    console.print(Text(visible(text), style="bold"), soft_wrap=True)
