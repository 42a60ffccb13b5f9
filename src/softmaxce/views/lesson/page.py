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
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from softmaxce.language import Translate
from softmaxce.lesson import descent, example, numbers, picture
from softmaxce.lesson.example import Example
from softmaxce.lesson.questions import QUESTIONS
from softmaxce.lesson.step import Formula, Part, Step, StepTemplate, Table
from softmaxce.lesson.templates import LOGITS
from softmaxce.views.json.json_output import json_line
from softmaxce.views.lesson import formatting
from softmaxce.views.lesson.formatting import StepText, sentence, step_text
from softmaxce.views.safe_text import visible
from softmaxce.workflows.explain import Explanation

HERE = Path(__file__).parent
MATHML = HERE / "formulas.json"  # written by tools/write_mathml.py
PROGRAMS = (
    "numbers.js",
    "rendering.js",
    "pictures.js",
    "document.js",
    "image.js",
    "strip.js",
    "controls.js",
)
FIGURES = ("exponentials", "squared_error", "gradient")  # steps with a plot: an HTML file each
STRIP_IMAGE_WIDTH = 112  # pixels, as in page.css
NOT_OF_IMAGE = ("contributions", "targets", "label")  # the last two follow the reader
FIXED = {  # numbers of a step that are the same for every example
    "logits": ("one",),
    "target": ("sum_of_targets",),
    "softmax": ("one",),
    "squared_error": tuple(numbers.loss_table()),
    "two_ends": ("one", "two", "there", "back", "ends", "perfect"),
    "gradient": ("n_steps", "sure_cross_entropy", "sure_squared_error"),
}
_WORDS_IN_MATHML = re.compile(r"(?<=<mtext>).*?(?=</mtext>)")
_MESSAGE_IN_HTML = re.compile(r"\{\{(.+?)\}\}")
_MESSAGE_IN_PROGRAM = re.compile(r'\bsay\("(.+?)"\)')


@dataclass(frozen=True)
class Addition:
    """What another page adds to the lesson's.

    title: instead of the lesson's; section: the name of an HTML file, which comes before the strip;
    image: the strip's first stage; data: what the programs read besides the lesson's.
    """

    title: str = ""
    section: str = ""
    image: str = ""
    styles: tuple[str, ...] = ("page.css",)
    programs: tuple[str, ...] = PROGRAMS
    data: dict[str, Any] = field(default_factory=dict)


def as_text(
    explanation: Explanation,
    translate: Translate,
    language: str,
    addition: Addition = Addition(),
) -> str:
    """The page as HTML."""
    style, program = _joined(addition.styles), _joined(addition.programs)
    data = page_data(explanation, translate) | addition.data
    data["words"] |= {word: translate(word) for word in _MESSAGE_IN_PROGRAM.findall(program)}
    fields = {
        "language": language,
        "policy": _policy(style, program),
        "title": escape(addition.title or translate("Softmax and cross-entropy, step by step")),
        "section": _html(addition.section, {}, translate) if addition.section else "",
        "image": addition.image or _image_in_strip(explanation, translate),
        **_value_fields(explanation.example, translate),
        "first": escape(_first_numbers(explanation.example, translate)),
        "hints": " ".join(_hints(explanation.example, translate)),
        "sections": "\n".join(_sections(explanation, translate)),
        "data": json_line(data).replace("<", "\\u003c"),
        "style": style,
        "program": program,
    }
    return _html("page.html", fields, translate)


def _html(name: str, fields: dict[str, str], translate: Translate) -> str:
    """One of the page's HTML files with its fields, its messages in the page's language."""
    page = _MESSAGE_IN_HTML.sub(lambda m: escape(translate(m.group(1))), read(name))
    return Template(page).substitute(fields)


def messages() -> set[str]:
    """The messages that the page's HTML and program contain."""
    plots = [f"{name}.html" for name in FIGURES]
    return messages_in(_joined(["page.html", "step.html", "page_image.html", *plots, *PROGRAMS]))


def messages_in(text: str) -> set[str]:
    """The messages in HTML or in a program."""
    return {*_MESSAGE_IN_HTML.findall(text), *_MESSAGE_IN_PROGRAM.findall(text)}


def read(name: str) -> str:
    """A file of the page."""
    return (HERE / name).read_text("utf-8")


def _joined(names: Sequence[str]) -> str:
    return "\n".join(map(read, names))


def _policy(style: str, program: str) -> str:
    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")

    return (
        f"default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src 'sha256-{digest(style)}'; script-src 'sha256-{digest(program)}'"
    )


def _image_in_strip(explanation: Explanation, translate: Translate) -> str:
    """The first stage of the strip, if there is an image."""
    if explanation.picture is None:
        return ""
    from softmaxce.views import pictures as pixels  # imports Pillow

    small = pixels.shrunk(pixels.image_pixels(explanation.picture), STRIP_IMAGE_WIDTH)
    count = formatting.number(explanation.steps[0].numbers["n_pixels"])
    return (
        f'<li class="stage image"><b>{escape(translate("Image"))}</b>'
        f'<p class="lead">{escape(translate("{n} values").format(n=count))}</p><div class="rows">'
        f'<img src="{pixels.data_uri(small)}" alt="{escape(translate("Image"))}"></div>'
        f'<p class="foot"></p></li>'
    )


def _first_numbers(given: Example, translate: Translate) -> str:
    """What the misconceptions were computed for."""
    return sentence(
        "This section was computed for the first numbers, [<<{values}|, >>] with the true class "
        "{true_class}, and does not follow your changes.",
        state_of(given) | given.named("true_class"),
        translate,
    )


def _value_fields(given: Example, translate: Translate) -> dict[str, str]:
    """What the sliders set: the term of the formula, its name, and the limits of what is typed."""

    def limits(least: float, most: float) -> str:
        return f'min="{least:g}" max="{most:g}"'

    is_p = given.source == "probabilities"
    return {
        "term": "p" if is_p else "z",
        "value": escape(translate("probability p" if is_p else "logit z")),
        "limits": limits(0, 1) if is_p else "",
        "temperatures": limits(*example.TEMPERATURES),
        "learning_rates": limits(*example.LEARNING_RATES),
    }


def _hints(given: Example, translate: Translate) -> Iterator[str]:
    """What the reader should know about the first numbers."""
    if given.source == "image":
        yield escape(translate("The first numbers are the image's own logits."))
    if given.source == "features":
        yield escape(translate("The first numbers are the logits of this row of features."))
    if given.source == "probabilities":
        yield translate("The probabilities are divided by their sum.")
    if len(given.shown) < given.n_classes:
        yield translate("… {n} more").format(n=given.n_classes - len(given.shown))


def _sections(explanation: Explanation, translate: Translate) -> Iterator[str]:
    """The frames of the steps, which the program fills."""
    for position, step in enumerate(explanation.steps, 1):
        fields = {
            "name": step.name,
            "position": str(position),
            "title": escape(translate(step.template.title)),
            "image": _image(explanation, translate) if step.name == "image" else "",
            "formula": _formula(step.template.formula, translate),
            "figures": _figures(step, explanation, translate),
        }
        yield _html("step.html", fields, translate)


def _figures(step: Step, explanation: Explanation, translate: Translate) -> str:
    """A step's plot, or its pictures of the image."""
    if step.name in FIGURES:
        return _html(f"{step.name}.html", {}, translate)
    if explanation.picture is None:
        return ""
    from softmaxce.views.lesson.page_image import pictures_of  # imports Pillow

    return "".join(pictures_of(step, explanation, translate))


def _formula(formula: Formula | None, translate: Translate) -> str:
    if formula is None:
        return ""
    label = escape(translate(formula.plain))
    element = mathml(formula, translate)
    return f'<div class="formula" role="img" aria-label="{label}">{element}</div>'


def _image(explanation: Explanation, translate: Translate) -> str:
    from softmaxce.views.lesson.page_image import image_fields  # imports Pillow

    return _html("page_image.html", image_fields(explanation, translate), translate)


def page_data(explanation: Explanation, translate: Translate) -> dict[str, Any]:
    """What the page's program reads.

    state: the first numbers; constants: as in the Python of the lesson; steps: their templates;
    image: what image.js shows, if there is an image;
    misconceptions, more_misconceptions: their text, for the first numbers; words: messages.
    """
    given = explanation.example

    def texts(steps: Sequence[Step]) -> list[StepText]:
        return [step_text(step, given.shown, translate) for step in steps]

    words = [*messages(), *numbers.ENDS, *picture.REGIONS]
    data = {
        "state": state_of(given),
        "constants": {
            "max_rows": example.MAX_ROWS,
            "rounding": numbers.ROUNDING,
            "step_of_difference": numbers.STEP_OF_DIFFERENCE,
            "largest_for_shift": numbers.LARGEST_FOR_SHIFT,
            "rounding_of_weights": numbers.ROUNDING_OF_WEIGHTS,
            "smallest_power": numbers.SMALLEST_POWER,
            "n_steps": descent.N_STEPS,
            "max_terms": formatting.MAX_TERMS,
            "max_extra": formatting.MAX_EXTRA,
            "decimals": formatting.DECIMALS,
            "smallest_plain": formatting.SMALLEST_PLAIN,
            "largest_plain": formatting.LARGEST_PLAIN,
        },
        "steps": [_step_data(step, explanation, translate) for step in explanation.steps],
        "misconceptions": texts(explanation.misconceptions),
        "more_misconceptions": texts(explanation.other_misconceptions),
        "more_classes": _more_classes(given.n_classes, translate),
        "words": {word: translate(word) for word in sorted(words)},
    }
    if explanation.picture is not None:
        from softmaxce.views.lesson.page_image import image_data  # imports Pillow

        data["image"] = image_data(explanation, translate)
    return data


def _more_classes(n_classes: int, translate: Translate) -> list[str]:
    """Names for classes that the reader adds, in this order unless there is such a class."""
    names = translate(example.DEFAULT_NAMES).split(", ")
    return [*names, *map(str, range(len(names), 12))][n_classes:]


def state_of(given: Example) -> dict[str, Any]:
    """An example as the page holds it, its names without control characters.

    values: those in the fields, which are logits, or probabilities before division by their sum.
    """
    return {
        "logits": given.logits,
        "values": given.probabilities if given.source == "probabilities" else given.logits,
        "classes": [visible(name) for name in given.class_names],
        "label": given.label,
        "label_is_given": given.label_is_given,
        "temperature": given.temperature,
        "learning_rate": given.learning_rate,
        "source": "image" if given.is_of_model else given.source,
    }


def _step_data(step: Step, explanation: Explanation, translate: Translate) -> dict[str, Any]:
    """A step's template; `fixed`: its numbers that do not change."""
    data = _translated(step.template, translate)
    data["question"] = _question(step, translate)
    data["fixed"] = {name: step.numbers[name] for name in FIXED.get(step.name, ())}
    if explanation.example.is_of_model and step.name in ("image", "patches", LOGITS.name):
        data["fixed"] = {k: v for k, v in step.numbers.items() if k not in NOT_OF_IMAGE}
    return data


def _question(step: Step, translate: Translate) -> dict[str, Any]:
    """The question of a step and its choices, the right one first: the name of a number each, how
    the page marks it if it is chosen, and the reply."""
    asked, right, wrong = QUESTIONS[step.name], translate("Right"), translate("Not quite")
    choices = [
        {"answer": asked.answer, "mark": "right", "reply": f"{right}: {translate(asked.hint)}"}
    ]
    choices += [
        {"answer": error.answer, "mark": "wrong", "reply": f"{wrong}: {translate(error.why)}"}
        for error in asked.wrong
    ]
    return {"message": translate(asked.message), "when": asked.when, "choices": choices}


def _translated(template: StepTemplate, translate: Translate) -> dict[str, Any]:
    """A template as the page reads it, its messages in the page's language."""

    def table(of: Table) -> Table:
        columns = (c._replace(heading=translate(c.heading)) for c in of.columns)
        return of._replace(columns=tuple(columns))

    def part(of: Part | StepTemplate) -> dict[str, Any]:
        return {
            "sentences": [{"message": translate(m), "when": w} for m, w in of.sentences.items()],
            "tables": [table(t) for t in of.tables],
            "checks": [
                c._replace(message=translate(c.message), written=c.written and translate(c.written))
                for c in of.checks
            ],
        }

    return {
        "name": template.name,
        "title": translate(template.title),
        "claim": translate(template.claim),
        **part(template),
        "more": part(template.more),
    }


def mathml(formula: Formula, translate: Translate) -> str:
    """A formula as a MathML element on a line of its own, its words in the page's language."""
    element = json.loads(MATHML.read_text("utf-8"))[formula.latex]
    return _WORDS_IN_MATHML.sub(lambda match: translate(match.group()), element)
