"""Exercises as one page to print on A4: room to write, and the answers on a page of their own."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from string import Template

from softmaxce.lesson.exercises import Sheet
from softmaxce.views.lesson.formatting import sheet_text
from softmaxce.views.lesson.language import Translate

HERE = Path(__file__).parent
_EXPONENT = re.compile(r"\^(ln \d+|−?\d+)")


def exercises_as_text(sheet: Sheet, translate: Translate, answers: bool, language: str) -> str:
    """The page as HTML, without a program; only its own style is allowed."""
    style = (HERE / "sheet.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    policy = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
    fields = {
        "language": language,
        "policy": f"{policy}style-src 'sha256-{digest}'",
        "title": translate("Exercises"),
        "style": style,
        "sections": "\n".join(_sections(sheet, translate, answers)),
    }
    return Template((HERE / "sheet.html").read_text("utf-8")).substitute(fields)


def _sections(sheet: Sheet, translate: Translate, answers: bool) -> Iterator[str]:
    """The exercises, below lines for a name and a date; then the answers."""
    name = translate("Sheet {sheet} · seed {seed}").format(sheet=sheet.number, seed=sheet.seed)
    advice = translate("Calculate with unrounded numbers, and write them to four decimals.")
    learner = f"<span>{translate('Name')}</span><span>{translate('Date')}</span>"
    start = f'<p class="learner">{learner}</p>\n<p>{advice}</p>\n'
    sections = sheet_text(sheet, translate, answers).items()
    for level, (heading, exercises) in enumerate(sections, 1):
        items = "\n".join(_item(*exercise, translate("left out")) for exercise in exercises)
        yield (
            f"<section>\n<h{level}>{heading} <small>{name}</small></h{level}>\n"
            f'{start}<ol class="exercises">\n{items}\n</ol>\n</section>'
        )
        start = ""


def _item(question: str, steps: Sequence[str], left_out: str) -> str:
    """An exercise or its answer; without steps: lines to write on."""
    blank = f'<i><span class="hidden">{left_out}</span></i>'
    lines = "".join(f"<li>{_markup(step) or blank}</li>" for step in steps)
    return f"<li>{_markup(question)}<ol>{lines}</ol>{'<i></i>' * 3 * (not steps)}</li>"


def _markup(text: str) -> str:
    """The text as HTML, with raised exponents."""
    return _EXPONENT.sub(r"<sup>\1</sup>", escape(text))
