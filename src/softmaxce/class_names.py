"""How class names compare: which are equal, which only look alike, and in which order they are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_GAP = re.compile(r"\s+|(?<=[^\W_])[\s_-]+(?=[^\W_])")


def as_utf8(name: str) -> str:
    """`name` as a UTF-8 locale shows it: other locales leave bytes (surrogates) undecoded."""
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # it has surrogates that are not bytes
        return name


def normalized(name: str) -> str:
    """The form in which names are compared: Unicode's NFC (macOS stores NFD) of `as_utf8`."""
    return name if name.isascii() else unicodedata.normalize("NFC", as_utf8(name))


def look_alike_key(name: str) -> str:
    """Equal for names that differ only in case, spaces, hyphens, width or invisible characters.

    The case of a single letter counts: A and a are two classes of handwriting.
    """
    text = unicodedata.normalize("NFKC", name)
    shown = (c for c in text if c.isspace() or unicodedata.category(c) not in ("Cc", "Cf"))
    key = _GAP.sub(" ", "".join(shown).strip())
    return key.casefold() if len(key) > 1 else key


def closest(name: str, names: Sequence[str], likeness: float = 0.7) -> str | None:
    """The first of `names` that is most likely meant by a misspelled one; or None."""
    from difflib import get_close_matches

    keys = {look_alike_key(known): known for known in reversed(names)}
    alike = get_close_matches(look_alike_key(name), keys, 1, likeness)
    return keys[alike[0]] if alike else None


def in_class_order(names: Iterable[str]) -> list[str]:
    """Numbers first, in numeric order (2 before 10); then all other names by code point."""
    return sorted(names, key=_order)


def _order(name: str) -> tuple[bool, float, str]:
    is_number = _NUMBER.fullmatch(name) is not None
    return not is_number, float(name) if is_number else 0.0, normalized(name)


def labels_of(names: Iterable[str], class_names: Sequence[str]) -> list[int | None]:
    """The index of each name in `class_names`, compared in NFC; None if it is not there."""
    index = {normalized(name): label for label, name in enumerate(class_names)}
    index |= {name: label for label, name in enumerate(class_names)}  # the same spelling wins
    return [index.get(name, index.get(normalized(name))) for name in names]
