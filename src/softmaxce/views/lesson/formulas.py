"""The lesson's formulas in LaTeX and in MathML, with their words in the reader's language."""

from __future__ import annotations

import json
import re
from pathlib import Path

from softmaxce.lesson.step import Formula
from softmaxce.views.lesson.language import Translate

MATHML = Path(__file__).with_name("formulas.json")  # written by tools/write_mathml.py
_MTEXT = re.compile(r"(?<=<mtext>).*?(?=</mtext>)")
_TEXT = re.compile(r"(?<=\\text\{).*?(?=\})")


def mathml(formula: Formula, translate: Translate) -> str:
    """A formula as a MathML element on a line of its own."""
    element = json.loads(MATHML.read_text("utf-8"))[formula.latex]
    return _MTEXT.sub(lambda match: translate(match.group()), element)


def latex(formula: Formula, translate: Translate) -> str:
    """A formula in LaTeX."""
    return _TEXT.sub(lambda match: translate(match.group()), formula.latex)
