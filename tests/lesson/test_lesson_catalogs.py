"""The language catalogs: every message of the lesson has its words, with the same numbers."""

from __future__ import annotations

import ast
import gettext
import re
from dataclasses import fields, is_dataclass
from pathlib import Path

import compile_catalogs
import pytest

from softmaxce import lesson
from softmaxce.lesson import corrections, exercises, numbers, picture, picture_script
from softmaxce.lesson.step import Column, Formula, Script
from softmaxce.views import lesson_formulas, lesson_page
from softmaxce.views.lesson_words import default_language, translator

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "softmaxce"
CATALOGS = sorted((SOURCE / "locale").rglob("*.po"))


def messages_of(part) -> set[str]:
    """The messages in a script, however deep."""
    if isinstance(part, Formula):
        return {part.plain, *re.findall(r"\\text\{(.*?)\}", part.latex)}
    if isinstance(part, (tuple, list)):
        return set().union(*map(messages_of, part))
    if not is_dataclass(part):
        return set()
    named = {"message", "title", "claim", "heading"}
    own = {getattr(part, f.name) for f in fields(part) if f.name in named}
    return own.union(*(messages_of(getattr(part, f.name)) for f in fields(part)))


def all_messages() -> set[str]:
    scripts: list[Script] = [picture_script.IMAGE, picture_script.LOGITS_OF_IMAGE]
    scripts += [script for script, _ in (*lesson.SCENES, *corrections.CORRECTIONS)]
    found = messages_of(scripts)
    found |= {*numbers.ENDS, *numbers.QUANTITIES, *picture.REGIONS, *lesson_page.PAGE_WORDS}
    for exercise in exercises.make(len(exercises.KINDS), 0):
        found |= {exercise.question, exercise.working}
    found |= {"Exercises", "Answers"}  # headings that views choose between
    for row in lesson_formulas._ROWS.values():
        found |= set(re.findall("<mtext>(.*?)</mtext>", "".join(row)))
    for module in SOURCE.rglob("*.py"):
        found |= messages_in_calls(ast.parse(module.read_text("utf-8")))
    return found


def messages_in_calls(tree: ast.AST) -> set[str]:
    """What views say themselves: the constants in translate("…"), sentence("…") and Column("…")."""
    return {
        call.args[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in ("translate", "sentence", Column.__name__)
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }


@pytest.fixture(params=CATALOGS, ids=lambda path: path.parent.parent.name)
def catalog(request):
    return request.param


def test_there_is_korean():
    assert [path.parent.parent.name for path in CATALOGS] == ["ko"]


def test_every_message_has_its_words(catalog):
    words = compile_catalogs.read_po(catalog.read_text("utf-8"))
    missing = sorted(message for message in all_messages() if not words.get(message))
    assert not missing


def test_the_catalog_says_nothing_that_the_lesson_does_not(catalog):
    words = compile_catalogs.read_po(catalog.read_text("utf-8"))
    assert not sorted(set(words) - all_messages() - {""})


def test_the_same_numbers_stand_in_every_language(catalog):
    names = re.compile(r"\{\w+\}")
    for message, words in compile_catalogs.read_po(catalog.read_text("utf-8")).items():
        if message:
            assert set(names.findall(message)) == set(names.findall(words)), message


def test_the_compiled_catalog_is_that_of_the_text(catalog):
    words = compile_catalogs.read_po(catalog.read_text("utf-8"))
    assert catalog.with_suffix(".mo").read_bytes() == compile_catalogs.mo_bytes(words)
    with catalog.with_suffix(".mo").open("rb") as stream:
        loaded = gettext.GNUTranslations(stream)
    assert all(loaded.gettext(message) == text for message, text in words.items() if message)


def test_translators():
    assert translator("en")("loss") == "loss"
    assert translator("ko")("loss") == "손실"


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LC_ALL": "ko_KR.UTF-8", "LANG": "en_US.UTF-8"}, "ko"),
        ({"LANG": "ko"}, "ko"),
        ({"LC_MESSAGES": "ko_KR", "LANG": "C"}, "ko"),
        ({"LC_ALL": "C", "LANG": "ko_KR.UTF-8"}, "en"),
        ({"LANG": "kok_IN"}, "en"),
        ({}, "en"),
    ],
)
def test_the_language_is_that_of_the_locale(monkeypatch, environment, language):
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert default_language() == language
