"""The language catalogs: every message of the lesson is translated, with the same numbers."""

from __future__ import annotations

import ast
import gettext
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from helpers import translator

from softmaxce import lesson
from softmaxce.language import default_language
from softmaxce.lesson import exercises, numbers, picture
from softmaxce.lesson import picture_templates as pt
from softmaxce.lesson.example import DEFAULT_NAMES
from softmaxce.lesson.misconceptions import MISCONCEPTIONS
from softmaxce.lesson.questions import QUESTIONS, Question
from softmaxce.lesson.step import Column, Formula, StepTemplate
from softmaxce.views.lesson import page, play, text
from softmaxce.views.lesson.strip import STAGES

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "src" / "softmaxce"
CATALOGS = sorted((SOURCE / "locale").rglob("*.po"))


def messages_of(part) -> set[str]:
    """The messages in a template, however deep."""
    if isinstance(part, Formula):
        return {part.plain, *re.findall(r"\\text\{(.*?)\}", part.latex)}
    if not isinstance(part, (tuple, list)):
        return set()
    named = {"message", "title", "claim", "heading", "hint", "why"}
    own = {getattr(part, name) for name in named.intersection(getattr(part, "_fields", ()))}
    own |= set(getattr(part, "sentences", ()))
    return own.union(*map(messages_of, part)) - {""}


def all_messages() -> set[str]:
    found_in: list[StepTemplate | Question] = [pt.IMAGE, pt.LOGITS_OF_IMAGE, pt.IMAGE_OF_PATCHES]
    found_in += [pt.PATCHES, pt.LOGITS_OF_PATCHES, pt.LOGITS_OF_FEATURES, *QUESTIONS.values()]
    found_in += [template for template, _ in (*lesson.STEPS, *MISCONCEPTIONS)]
    found = messages_of(found_in)
    found |= {*numbers.ENDS, *picture.REGIONS, *page.messages(), *play.messages()}
    for exercise in exercises.make(exercises.MAX_EXERCISES, 0).exercises:
        found |= {exercise.question, *exercise.working}
    found |= {"Exercises", "Answers"}  # headings that views choose between
    found |= {"logit z", "probability p", text.MORE, *STAGES.values(), DEFAULT_NAMES}
    for module in SOURCE.rglob("*.py"):
        found |= messages_in_calls(ast.parse(module.read_text("utf-8")))
    return found


def messages_in_calls(tree: ast.AST) -> set[str]:
    """The messages in views: the constants in translate("…"), sentence("…") and Column("…")."""
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
def compiled(request):
    """The .mo file of a catalog."""
    return request.param.with_suffix(".mo")


@pytest.fixture
def translations(compiled):
    """English → translation, from the .po file."""
    with compiled.with_suffix(".po").open("rb") as stream:
        return {m.id: m.string for m in read_po(stream, abort_invalid=True) if m.id}


def test_there_is_korean():
    assert [path.parent.parent.name for path in CATALOGS] == ["ko"]


def test_every_message_is_translated(translations):
    assert not sorted(message for message in all_messages() if not translations.get(message))


def test_the_catalog_holds_no_other_message(translations):
    """Messages with {names} are the lesson's; others may be the program's (test_translation.py)."""
    named = {m for m in translations if re.search(r"\{[a-z_]{2,}\}|<<", m)}
    assert not sorted(named - all_messages() - {"scaled to {size}"})


def test_no_message_is_in_the_catalog_twice(compiled):
    ids = re.findall(r"^msgid (.*)$", compiled.with_suffix(".po").read_text("utf-8"), re.M)
    assert len(ids) == len(set(ids))


def test_every_language_uses_the_same_numbers(translations):
    names = re.compile(r"\{\w+\}")
    for message in all_messages():
        translated = translations[message]
        assert set(names.findall(message)) == set(names.findall(translated)), message


def test_the_compiled_catalog_agrees_with_its_source(compiled, translations):
    with compiled.open("rb") as stream:
        loaded = dict(gettext.GNUTranslations(stream)._catalog)
    del loaded[""]
    assert loaded == translations  # else run the command at the top of the .po file


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
