"""Messages in the reader's language, translated where they leave the program.

All rooms write English, mostly as f-strings. The catalogue holds each message with {0}, {1}, … for
its values. `translate` finds the entry that a finished message fits, and puts its values into the
translation: {0} as it is, {0:t} translated too, {0:each} with each of its parts (a; b) translated,
{0:을} followed by the particle that suits its final sound, {0:'을} the same in quotes, {0:t을}
translated. {0:n} is a number: the entry fits no other value. A message without an entry stays
English.
"""

from __future__ import annotations

import re
from functools import lru_cache

from softmaxce.errors import InputError
from softmaxce.language import CATALOGS, languages

_VALUE = re.compile(r"\{(\d+)\}")
_NUMBER = r"([\d.,]+(?:e[+-]?\d+)?)"
_MORE = re.compile(r"( and [\d,]+ more)$")  # of `first_and_more`
# After a final consonant, and after a vowel.
_PARTICLES = {"은": "은는", "이": "이가", "을": "을를", "과": "과와", "으로": ("으로", "로")}
_FIRST_SYLLABLE, _N_FINALS, _RIEUL = 0xAC00, 28, 8
_DIGITS_WITH_FINAL, _DIGITS_WITH_RIEUL = "036", "178"  # 영, 삼, 육; 일, 칠, 팔

_languages = ["en"]  # the last one is used
_catalog: dict[str, str] = {}
# Those with most fixed text first: its length, its longest part, pattern, translation.
_patterns: list[tuple[int, str, re.Pattern[str], str]] = []


def use(language: str) -> None:
    """Translate into `language` from now on; "en" leaves messages as they are.

    Raises InputError for a language without a catalogue.
    """
    if language not in languages():
        raise InputError(f"no language '{language}': there are {', '.join(languages())}")
    _languages[:] = [language]
    _catalog.clear()
    _patterns.clear()
    translate.cache_clear()
    if language == "en":
        return
    import gettext  # only when a catalogue is needed

    entries = gettext.translation("softmaxce", CATALOGS, [language])._catalog  # type: ignore[attr-defined]
    for message, translated in entries.items():
        if not message:  # the header of the catalogue
            continue
        if not _VALUE.search(message):
            _catalog[message] = translated
            continue
        parts = _VALUE.split(message)  # text and numbers of values in turn
        fixed = parts[::2]
        parts[::2] = map(re.escape, fixed)
        parts[1::2] = (_NUMBER if f"{{{i}:n" in translated else "(.*?)" for i in parts[1::2])
        pattern = re.compile("".join(parts), re.DOTALL)
        _patterns.append((sum(map(len, fixed)), max(fixed, key=len), pattern, translated))
    _patterns.sort(key=lambda entry: -entry[0])


def language() -> str:
    """The code of the language that is used."""
    return _languages[-1]


@lru_cache(maxsize=1024)
def translate(message: str) -> str:
    """`message` in the language of `use`; unchanged if the catalogue lacks it."""
    if (exact := _catalog.get(message)) is not None:
        return exact
    for _, fixed, pattern, translated in _patterns:
        if fixed in message and (match := pattern.fullmatch(message)):
            return translated.format(*map(_Value, match.groups()))
    return message


def each(messages: str) -> str:
    """Messages of ours, joined by "; ", each in the language of `use`."""
    first, *more = _MORE.split(messages)
    return "; ".join(map(translate, first.split("; "))) + "".join(map(translate, more))


def listed(names: str) -> str:
    """A list of names made by `first_and_more`, of which only "and 7 more" is translated."""
    first, *more = _MORE.split(names)
    return first + "".join(map(translate, more))


class _Value(str):
    """A value of a message: {0:t} translates it, {0:을} adds a particle."""

    __slots__ = ()

    def __format__(self, wanted: str) -> str:
        if wanted == "each":
            return each(self)
        value = translate(str(self)) if wanted.startswith("t") else listed(self)
        particle = wanted.lstrip("tn'")
        shown = f"'{value}'" if "'" in wanted else value
        return shown + (particle_of(value, particle) if particle else "")


def particle_of(word: str, particle: str) -> str:
    """The form of `particle` (은, 이, 을, 과 or 으로) that suits the final sound of `word`."""
    after_consonant, after_vowel = _PARTICLES[particle]
    letters = [letter for letter in word if letter.isalnum() or letter == "%"]
    last = letters[-1] if letters else "%"
    if "가" <= last <= "힣":
        final = (ord(last) - _FIRST_SYLLABLE) % _N_FINALS
        has_final, has_rieul = final > 0, final == _RIEUL
    else:
        has_rieul = last in _DIGITS_WITH_RIEUL or last == "l"
        has_final = has_rieul or last in _DIGITS_WITH_FINAL or last in "bckmnpt"
        has_final = has_final or letters[-2:] == ["n", "g"]  # unlike 'dog', read 도그
    if particle == "으로" and has_rieul:
        return after_vowel
    return after_consonant if has_final else after_vowel
