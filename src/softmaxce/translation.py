"""Messages in the reader's language, translated where they leave the program.

All rooms write English, mostly as f-strings. The catalogue holds each message with {0}, {1}, … for
its values. `translate` finds the entry that a finished message fits, and puts its values into the
translation: {0} as it is, {0:t} translated too, {0:을} followed by the particle that suits its
final sound. A message without an entry stays English.
"""

from __future__ import annotations

import re
from functools import lru_cache

from softmaxce.errors import InputError
from softmaxce.language import CATALOGS, languages

_VALUE = re.compile(r"\{\d+\}")
# After a final consonant, and after a vowel.
_PARTICLES = {"은": "은는", "이": "이가", "을": "을를", "과": "과와", "으로": ("으로", "로")}
_FIRST_SYLLABLE, _N_FINALS, _RIEUL = 0xAC00, 28, 8
_DIGITS_WITH_FINAL, _DIGITS_WITH_RIEUL = "036", "178"  # 영, 삼, 육; 일, 칠, 팔

_languages = ["en"]  # the last one is used
_catalog: dict[str, str] = {}
_patterns: list[tuple[str, re.Pattern[str], str]] = []  # longest fixed part, pattern, translation


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
        fixed = _VALUE.split(message)
        if len(fixed) == 1:
            _catalog[message] = translated
        else:
            pattern = re.compile("(.*?)".join(map(re.escape, fixed)), re.DOTALL)
            _patterns.append((max(fixed, key=len), pattern, translated))
    # A message is known by its first words; a value at the start may contain another's.
    _patterns.sort(key=lambda e: (e[1].pattern.startswith("("), -len(e[1].pattern)))


def language() -> str:
    """The code of the language that is used."""
    return _languages[-1]


@lru_cache(maxsize=1024)
def translate(message: str) -> str:
    """`message` in the language of `use`; unchanged if the catalogue lacks it."""
    if (exact := _catalog.get(message)) is not None:
        return exact
    for fixed, pattern, translated in _patterns:
        if fixed in message and (match := pattern.fullmatch(message)):
            return translated.format(*map(_Value, match.groups()))
    return message


class _Value(str):
    """A value of a message: {0:t} translates it, {0:을} adds a particle."""

    __slots__ = ()

    def __format__(self, wanted: str) -> str:
        if wanted == "t":
            return translate(str(self))
        return str(self) + (particle_of(self, wanted) if wanted else "")


def particle_of(word: str, particle: str) -> str:
    """The form of `particle` (은, 이, 을, 과 or 으로) that suits the final sound of `word`."""
    after_consonant, after_vowel = _PARTICLES[particle]
    letters = [letter for letter in word if letter.isalnum() or letter == "%"]
    last = letters[-1] if letters else "%"
    if "가" <= last <= "힣":
        final = (ord(last) - _FIRST_SYLLABLE) % _N_FINALS
        has_final, has_rieul = final > 0, final == _RIEUL
    else:
        has_rieul = last in _DIGITS_WITH_RIEUL or last in "lLR"  # model; HTML, letter by letter
        has_final = has_rieul or last in _DIGITS_WITH_FINAL or last in "bckmnptMN"
        has_final = has_final or word.endswith("ng")
    if particle == "으로" and has_rieul:
        return after_vowel
    return after_consonant if has_final else after_vowel
