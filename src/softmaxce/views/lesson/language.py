"""The language of the lesson: English, or a gettext catalog."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from softmaxce.errors import InputError

CATALOGS = os.path.join(os.path.dirname(__file__), "..", "..", "locale")

Translate = Callable[[str], str]


def languages() -> list[str]:
    """The languages of the lesson: English, and each that has a catalog."""
    return ["en", *sorted(os.listdir(CATALOGS))]


def translator(language: str) -> Translate:
    """The function from an English message to the same message in `language`.

    Raises InputError for a language without a catalog.
    """
    if language not in languages():
        raise InputError(f"no language '{language}': there are {', '.join(languages())}")
    if language == "en":
        return lambda message: message
    import gettext  # only when a catalog is needed

    return gettext.translation("softmaxce", CATALOGS, [language]).gettext


def default_language() -> str:
    """The language of the environment's locale if it has a catalog, else "en"."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable)
        if value:
            language = re.split("[_.@]", value)[0]
            return language if language in languages() else "en"
    return "en"
