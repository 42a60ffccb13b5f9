"""Exercises as a page to print on A4, without a program; the answers are on a page of their own."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from string import Template

from softmaxce.language import Translate
from softmaxce.lesson.exercises import Sheet
from softmaxce.views.lesson.formatting import sheet_text

HERE = Path(__file__).parent
_EXPONENT = re.compile(r"\^(ln \d+|−?\d+)")


def exercises_as_text(sheet: Sheet, translate: Translate, answers: bool, language: str) -> str:
    """The page as HTML. Its policy allows only its own style."""
    style = (HERE / "sheet.css").read_text("utf-8")
    return Template((HERE / "sheet.html").read_text("utf-8")).substitute(
        language=language,
        digest=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii"),
        title=translate("Exercises"),
        style=style,
        sections="\n".join(_sections(sheet, translate, answers)),
    )


def _sections(sheet: Sheet, translate: Translate, answers: bool) -> Iterator[str]:
    """The exercises, below lines for a name and a date; then the answers."""
    name = translate("Sheet {sheet} · seed {seed}").format(sheet=sheet.number, seed=sheet.seed)
    advice = translate("Calculate with unrounded numbers, and write them to four decimals.")
    learner = f"<span>{translate('Name')}</span><span>{translate('Date')}</span>"
    start = f'<p class="learner">{learner}</p>\n<p>{advice}</p>\n'
    for heading, exercises in sheet_text(sheet, translate, answers).items():
        level = "h1" if start else "h2"
        yield f"<section>\n<{level}>{heading} <small>{name}</small></{level}>\n{start}"
        yield f'<ol class="exercises">\n{"".join(_item(*e) for e in exercises)}</ol>\n</section>'
        start = ""


def _item(question: str, steps: Sequence[str]) -> str:
    """An exercise or its answer, with raised exponents; a line to write on for a step left out."""
    lines = "".join(f"<li>{escape(step) or '<i></i>'}</li>" for step in steps)
    lines = f"<ol>{lines}</ol>" if steps else "<i></i>" * 3
    return _EXPONENT.sub(r"<sup>\1</sup>", f"<li>{escape(question)}{lines}</li>\n")
