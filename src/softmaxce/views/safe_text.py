"""Names from outside (files, classes) as text without terminal control sequences."""

from __future__ import annotations


def visible(text: str) -> str:
    """`text` with unprintable and unencodable characters as escapes (`\\x1b`, `\\udcff`)."""
    return "".join(_visible_character(c) for c in text)


def _visible_character(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")
