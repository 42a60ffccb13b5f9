"""Names from outside (files, classes) as text without terminal control sequences."""

from __future__ import annotations


def visible(text: str) -> str:
    """`text` with unprintable and unencodable characters as escapes (`\\x1b`, `\\udcff`)."""
    shown = (c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    return "".join(shown)
