"""The three forms of each formula agree: plain text, LaTeX and MathML."""

from __future__ import annotations

import json
import re

import pytest
import write_mathml
from helpers import translator

from softmaxce import lesson
from softmaxce.lesson.picture_templates import IMAGE, LOGITS_OF_IMAGE, PATCHES
from softmaxce.views.lesson.markdown import latex
from softmaxce.views.lesson.page import HERE, MATHML, mathml

FORMULAS = [
    template.formula
    for template in (
        IMAGE,
        PATCHES,
        LOGITS_OF_IMAGE,
        *(template for template, _ in lesson.STEPS),
    )
    if template.formula
]
SYMBOLS = {
    r"\sum": "Σ", r"\infty": "∞", r"\cdot": "·", r"\ne": "≠", r"\partial": "∂", r"\|": "‖",
    r"\log": "log", r"\max": "max",
    r"\quad": "", r"\;": "", r"\,": "", "-": "−", "^2": "²", "_k": "ₖ", "_j": "ⱼ",
    "{": "", "}": "", " ": "",
}  # fmt: skip


def plain_of(text):
    """LaTeX as plain text without spaces, for the few commands that the lesson uses."""
    text = re.sub(r"\\text\{(.*?)\}", r"\1", text)
    text = re.sub(r"\^\{(.*?)\}", r"^\1", text)
    text = re.sub(r"\\frac\{(.*?)\}\{(.*?)\}(?= =|$)", r"\1/\2", text)
    for command, symbol in SYMBOLS.items():
        text = text.replace(command, symbol)
    return text


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: formula.plain)
def test_the_plain_form_is_that_of_the_latex(formula):
    assert plain_of(formula.latex) == formula.plain.replace(" ", "")


def test_the_mathml_is_that_of_the_latex():
    assert json.loads(MATHML.read_text("utf-8")) == write_mathml.mathml_of_formulas()


def test_words_are_translated_in_every_form():
    target = next(f for f in FORMULAS if "label" in f.latex)
    korean = translator("ko")
    assert r"\text{레이블}" in latex(target, korean)
    assert "<mtext>레이블</mtext>" in mathml(target, korean)
    assert "label" not in latex(target, korean) + mathml(target, korean)


@pytest.mark.parametrize("font", ["Cambria Math", "STIX Two Math", "DejaVu Math TeX Gyre"])
def test_the_page_asks_for_a_maths_font_of_every_system(font):
    family = re.search(
        r"^math \{ font-family: (.*?); \}$", (HERE / "page.css").read_text("utf-8"), re.M
    )
    names = family[1].split(", ")
    assert f'"{font}"' in names
    assert names[-1] == "serif"
