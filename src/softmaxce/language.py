"""The language of the reader: English, or one that has a gettext catalogue."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from softmaxce.class_names import normalized

CATALOGS = os.path.join(os.path.dirname(__file__), "locale")

_NAMES = dict.fromkeys(("korean", "kor", "kr", "한국어", "한글"), "ko") | dict.fromkeys(
    ("english", "eng", "영어"), "en"
)

Translate = Callable[[str], str]


def languages() -> list[str]:
    """The languages there are: English, and each that has a catalogue that can be read."""
    try:
        return ["en", *sorted(os.listdir(CATALOGS))]
    except OSError:
        return ["en"]


def language_of(name: str) -> str:
    """The code of a language given as ko, KO, ko_KR.UTF-8, ko-KR, kr, Korean or 한국어."""
    word = re.split("[-_.@]", normalized(name).strip().casefold())[0]
    return _NAMES.get(word, word)


def default_language() -> str:
    """The language of the environment's locale if it has a catalog, else "en"."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable)
        if value:
            language = language_of(value)
            return language if language in languages() else "en"
    return "en"
