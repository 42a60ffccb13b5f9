"""Messages in the reader's language, translated where they leave the program.

All rooms write English, mostly as f-strings. The catalogue holds each message with {0}, {1}, … for
its values. `translate` finds the entry that a finished message fits, and puts its values into the
translation: {0} as it is, {0:t} translated too, {0:을} followed by the particle that suits its
final sound, {0:-을} only that particle, {0:t을} both; {0:,} with commas between its names instead
of "and" and "or"; {0:;} as a list of "path: reason", of which the reasons are translated. How many
more names there are is always translated. {0:n} is a number: the entry fits no other value. A
message without an entry stays English.
"""

from __future__ import annotations

import re
from functools import lru_cache

from softmaxce.errors import InputError
from softmaxce.language import CATALOGS, languages

_VALUE = re.compile(r"\{(\d+)\}")
_NUMBER = r"([\d.,]+(?:e[+-]?\d+)?)"
_MORE = re.compile(r" and [\d,]+ more\Z")  # of errors.first_and_more
_NEXT_REASON = re.compile(r"; (?=[^;]+: )")
# After a final consonant, and after a vowel.
_PARTICLES = {"은": "은는", "이": "이가", "을": "을를", "과": "과와", "으로": ("으로", "로")}
_MAX_PARTS = 50  # of a message; a path may have thousands, too many for a recursion
_FIRST_SYLLABLE, _N_FINALS, _RIEUL = 0xAC00, 28, 8
_FINAL = "(l|m|n)e?$|(ng|[aeiou][bckpt]|ck)$"  # of an English word: 모델, 리줌, 맵; but 레드, 폴더
_DIGITS_WITH_FINAL, _DIGITS_WITH_RIEUL = "036", "178"  # 영, 삼, 육; 일, 칠, 팔

_languages = ["en"]  # the last one is used
_catalog: dict[str, str] = {}
# The parts of a message around its values, its pattern, its translation.
_patterns: list[tuple[list[str], re.Pattern[str], str]] = []


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
        parts = _VALUE.split(message)  # text and numbers of values in turn
        if len(parts) == 1:
            _catalog[message] = translated
            continue
        fixed = parts[::2]
        parts[::2] = map(re.escape, fixed)
        parts[1::2] = (_NUMBER if f"{{{i}:n" in translated else "(.*?)" for i in parts[1::2])
        _patterns.append((fixed, re.compile("".join(parts), re.DOTALL), translated))
    # A message is known by its first words; a value at the start may contain another's.
    _patterns.sort(key=lambda entry: (not entry[0][0], -sum(map(len, entry[0]))))


def language() -> str:
    """The code of the language that is used."""
    return _languages[-1]


@lru_cache(maxsize=1024)
def translate(message: str) -> str:
    """`message` in the language of `use`; unchanged if the catalogue lacks it."""
    if (exact := _catalog.get(message)) is not None:
        return exact
    for fixed, pattern, translated in _patterns:
        if all(part in message for part in fixed) and (match := pattern.fullmatch(message)):
            return translated.format(*map(_Value, match.groups()))
    return message


def listed(names: str) -> str:
    """A list made by `first_and_more`, of which only how many more there are is translated."""
    return _MORE.sub(lambda more: translate(more[0]), names)


def translate_reason(failure: str) -> str:
    """The text of an ImageError, "path: reason", of which the reason is translated."""
    path, colon, reason = failure.partition(": ")
    return path + colon + translate(reason)


class _Value(str):
    """A value of a message, formatted as the first lines of this file say."""

    __slots__ = ()

    def __format__(self, wanted: str) -> str:
        how, particle = wanted.rstrip("은이을과으로"), wanted.lstrip("t;,-n")
        is_message = how == "t" and self.count(": ") < _MAX_PARTS
        text = translate(str(self)) if is_message else str(self)
        if text == self:
            text = listed(text)
        if how == ";":
            failures, *more = re.split(f"({_MORE.pattern})", self)
            text = "; ".join(map(translate_reason, _NEXT_REASON.split(failures)))
            text += "".join(map(translate, more))
        elif how == ",":
            text = text.replace(" and ", ", ").replace(" or ", ", ")
        ending = particle_of(text, particle) if particle else ""
        return ending if how == "-" else text + ending


def particle_of(word: str, particle: str) -> str:
    """The form of `particle` (은, 이, 을, 과 or 으로) that suits the final sound of `word`."""
    after_consonant, after_vowel = _PARTICLES[particle]
    spoken = re.sub(r"[^\w%]+\Z|_+\Z", "", word) or "%"
    last = spoken[-1]
    if "가" <= last <= "힣":
        final = (ord(last) - _FIRST_SYLLABLE) % _N_FINALS
        has_final, has_rieul = final > 0, final == _RIEUL
    elif last.isdigit():
        has_rieul = last in _DIGITS_WITH_RIEUL
        has_final = has_rieul or last in _DIGITS_WITH_FINAL
    else:
        latin = re.search("[A-Za-z]*$", spoken)[0]  # type: ignore[index]
        is_spelt = latin.isupper() or not re.search("[aeiouy]", latin)  # such as DIR, png
        has_rieul = bool(re.search("[lrLR]$" if is_spelt else "le?$", latin))
        has_final = bool(re.search("[lmnrLMNR]$" if is_spelt else _FINAL, latin))
    if particle == "으로" and has_rieul:
        return after_vowel
    return after_consonant if has_final else after_vowel
