"""The lesson as one offline page, which renders the steps in the browser with the reader's numbers.

Nothing is loaded from anywhere: a content security policy allows only the page's own style and
program, by their digests, and pictures inside the page.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from softmaxce.language import Translate
from softmaxce.lesson import example, numbers, picture
from softmaxce.lesson.example import Example
from softmaxce.lesson.step import Formula, Step, StepTemplate
from softmaxce.lesson.templates import LOGITS
from softmaxce.views.json.json_output import json_line
from softmaxce.views.lesson import formatting
from softmaxce.views.lesson.formatting import contributions_text, step_text, weights_text
from softmaxce.views.safe_text import visible
from softmaxce.workflows.explain import Explanation

HERE = Path(__file__).parent
MATHML = HERE / "formulas.json"  # written by tools/write_mathml.py
PROGRAMS = ("numbers.js", "rendering.js", "document.js", "pictures.js", "controls.js")
MAX_WEIGHT_MAPS = 12
_WORDS_IN_MATHML = re.compile(r"(?<=<mtext>).*?(?=</mtext>)")
_MESSAGE_IN_HTML = re.compile(r"\{\{(.+?)\}\}")
_MESSAGE_IN_PROGRAM = re.compile(r'\bsay\("(.+?)"\)')


def as_text(explanation: Explanation, translate: Translate, language: str) -> str:
    """The page as HTML."""
    style, program = _read("page.css"), _program()
    page = _MESSAGE_IN_HTML.sub(lambda m: escape(translate(m.group(1))), _read("page.html"))
    fields = {
        "language": language,
        "policy": _policy(style, program),
        "sections": "\n".join(_sections(explanation.steps, translate)),
        "data": json_line(page_data(explanation, translate)).replace("<", "\\u003c"),
        "style": style,
        "program": program,
    }
    return Template(page).substitute(fields)


def messages() -> set[str]:
    """The messages that the page's HTML and program contain."""
    in_html = _MESSAGE_IN_HTML.findall(_read("page.html"))
    return {*in_html, *_MESSAGE_IN_PROGRAM.findall(_program())}


def _read(name: str) -> str:
    return (HERE / name).read_text("utf-8")


def _program() -> str:
    return "\n".join(map(_read, PROGRAMS))


def _policy(style: str, program: str) -> str:
    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")

    return (
        f"default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src 'sha256-{digest(style)}'; script-src 'sha256-{digest(program)}'"
    )


def _sections(steps: Sequence[Step], translate: Translate) -> Iterator[str]:
    """The headings of the steps; the program fills their bodies."""
    for position, step in enumerate(steps, 1):
        yield (
            f'<section aria-labelledby="title-{step.name}" id="{step.name}">'
            f'<h2 id="title-{step.name}"><span class="n">{position}</span>'
            f"<span>{escape(translate(step.template.title))}</span></h2>"
            f'<div id="body-{step.name}"></div></section>'
        )


def page_data(explanation: Explanation, translate: Translate) -> dict[str, Any]:
    """What the page's program reads.

    state: the first numbers; constants: as in the Python of the lesson; steps: their templates;
    misconceptions, more_misconceptions: their text, for the first numbers; words: messages.
    """
    given = explanation.example

    def texts(steps: Sequence[Step]) -> list[dict[str, Any]]:
        return [asdict(step_text(step, given.shown, translate)) for step in steps]

    words = [*messages(), *numbers.ENDS, *numbers.QUANTITIES, *picture.REGIONS]
    return {
        "state": state_of(given),
        "constants": {
            "max_rows": example.MAX_ROWS,
            "temperature": example.TEMPERATURES,
            "learning_rate": example.LEARNING_RATES,
            "rounding": numbers.ROUNDING,
            "step_of_difference": numbers.STEP_OF_DIFFERENCE,
            "largest_for_shift": numbers.LARGEST_FOR_SHIFT,
            "loss_table": numbers.loss_table(),
            "ends": numbers.ENDS,
            "quantities": numbers.QUANTITIES,
            "decimals": formatting.DECIMALS,
            "smallest_plain": formatting.SMALLEST_PLAIN,
            "largest_plain": formatting.LARGEST_PLAIN,
        },
        "steps": [_step_data(step, explanation, translate) for step in explanation.steps],
        "misconceptions": texts(explanation.misconceptions),
        "more_misconceptions": texts(explanation.other_misconceptions),
        "words": {word: translate(word) for word in sorted(words)},
    }


def state_of(given: Example) -> dict[str, Any]:
    """An example as the page holds it, its names without control characters."""
    return {
        "logits": given.logits,
        "classes": [visible(name) for name in given.class_names],
        "label": given.label,
        "label_is_given": given.label_is_given,
        "temperature": given.temperature,
        "learning_rate": given.learning_rate,
        "source": given.source,
    }


def _step_data(step: Step, explanation: Explanation, translate: Translate) -> dict[str, Any]:
    """A step's template; with the numbers and pictures of an image, which do not change."""
    data = _translated(step.template, translate)
    if explanation.picture is not None and step.name in ("image", "patches", LOGITS.name):
        data["fixed"] = {k: value for k, value in step.numbers.items() if k != "contributions"}
        data["pictures"] = list(_pictures(step, explanation, translate))
    return data


def _pictures(
    step: Step, explanation: Explanation, translate: Translate
) -> Iterator[dict[str, str]]:
    from softmaxce.views import pictures as pixels  # imports Pillow

    shown, given = explanation.picture, explanation.example
    assert shown is not None
    if step.name == "image":
        text = translate("The image as the model sees it")
        yield {"source": pixels.data_uri(pixels.image_pixels(shown)), "text": text}
        return
    if step.name == "patches":
        row, column, side = (step.numbers[name] for name in ("row", "column", "side"))
        part = pixels.image_pixels(shown)[row : row + side, column : column + side]
        text = translate("The part of the image with the highest response")
        yield {"source": pixels.data_uri(part), "text": text}
        return
    source = pixels.data_uri(pixels.contribution_pixels(shown, given.winner))
    yield {"source": source, "text": contributions_text(given, translate)}
    if shown.model.patches is not None:
        return  # the weights have no place in the image
    for k in given.shown[:MAX_WEIGHT_MAPS]:
        source = pixels.data_uri(pixels.template_pixels(shown, k))
        yield {"source": source, "text": weights_text(shown, k, translate)}


def _translated(template: StepTemplate, translate: Translate) -> dict[str, Any]:
    """A template as the page reads it, its messages in the page's language."""
    made = asdict(template)
    made |= {"title": translate(template.title), "claim": translate(template.claim)}
    made["sentences"] = [
        {"message": translate(message), "when": when}
        for message, when in template.sentences.items()
    ]
    for check in made["checks"]:
        check["message"] = translate(check["message"])
    for table in made["tables"]:
        for column in table["columns"]:
            column["heading"] = translate(column["heading"])
    if template.formula:
        made["formula"]["plain"] = translate(template.formula.plain)
        made["mathml"] = mathml(template.formula, translate)
    return made


def mathml(formula: Formula, translate: Translate) -> str:
    """A formula as a MathML element on a line of its own, its words in the page's language."""
    element = json.loads(MATHML.read_text("utf-8"))[formula.latex]
    return _WORDS_IN_MATHML.sub(lambda match: translate(match.group()), element)
