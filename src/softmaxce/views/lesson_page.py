"""The lesson as one offline page: the same scripts, played in the browser with its own numbers.

Nothing is loaded from anywhere: a content security policy admits the page's own style and program,
by their digests, and pictures inside the page.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import asdict
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from softmaxce import lesson
from softmaxce.lesson import corrections, numbers, picture, picture_script
from softmaxce.lesson.step import Script, Step
from softmaxce.views.json.json_output import json_line
from softmaxce.views.lesson_formulas import mathml
from softmaxce.views.lesson_words import Translate, sentence, template_text
from softmaxce.views.safe_text import visible
from softmaxce.workflows.explain import Explanation

HERE = Path(__file__).parent
PROGRAMS = (
    "lesson_page_numbers.js",
    "lesson_page_corrections.js",
    "lesson_page.js",
    "lesson_page_pictures.js",
    "lesson_page_controls.js",
)
MAX_TEMPLATES = 12
MAX_CORRECTIONS_SHOWN = corrections.MOST


def as_page(explanation: Explanation, translate: Translate, language: str) -> str:
    """The page as HTML."""
    style = _read("lesson_page.css")
    program = "\n".join(_read(name) for name in PROGRAMS)
    data = json_line(_data(explanation, translate))
    fields = {
        "language": language,
        "policy": _policy(style, program),
        "title": escape(translate("Softmax and cross-entropy, step by step")),
        "intro": escape(
            translate("Move the numbers: every step follows, and every line is proved again.")
        ),
        "noscript": escape(
            translate("This page needs JavaScript. The command gives it in Markdown without.")
        ),
        "skip": escape(translate("To the lesson")),
        "your_numbers": escape(translate("Your numbers")),
        "choose": escape(translate("Choose the true class, and change the numbers.")),
        "reset": escape(translate("Back to the first numbers")),
        "sections": "\n".join(_sections(explanation, translate)),
        "corrections": escape(translate("What people get wrong")),
        "more_corrections": escape(translate("What else people get wrong")),
        "data": data.replace("<", "\\u003c"),
        "style": style,
        "program": program,
    }
    return Template(_read("lesson_page.html")).substitute(fields)


def _read(name: str) -> str:
    return (HERE / name).read_text("utf-8")


def _policy(style: str, program: str) -> str:
    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")

    return (
        f"default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src 'sha256-{digest(style)}'; script-src 'sha256-{digest(program)}'"
    )


def _sections(explanation: Explanation, translate: Translate) -> Iterator[str]:
    for position, step in enumerate(explanation.steps, 1):
        yield (
            f'<section aria-labelledby="title-{step.name}" id="{step.name}">'
            f'<h2 id="title-{step.name}"><span class="n">{position}</span>'
            f"<span>{escape(translate(step.title))}</span></h2>"
            f'<div id="body-{step.name}"></div></section>'
        )


def _data(explanation: Explanation, translate: Translate) -> dict[str, Any]:
    """What the page's program reads: the first numbers, the scripts, and its words."""
    example = explanation.example
    words = [*PAGE_WORDS, *numbers.ENDS, *numbers.QUANTITIES, *picture.REGIONS]
    return {
        "state": {
            "logits": example.logits,
            "classes": [visible(name) for name in example.class_names],
            "label": example.label,
            "label_is_given": example.label_is_given,
            "names_are_given": example.names_are_given,
            "temperature": example.temperature,
            "learning_rate": example.learning_rate,
            "source": example.source,
        },
        "all": len(explanation.corrections) > MAX_CORRECTIONS_SHOWN,
        "scripts": [_script_of(step, explanation, translate) for step in explanation.steps],
        "corrections": [_translated(script, translate) for script in BELIEFS],
        "words": {word: translate(word) for word in words},
    }


def _script_of(step: Step, explanation: Explanation, translate: Translate) -> dict[str, Any]:
    if explanation.picture is None or step.name not in ("image", "logits"):
        return _translated(SCRIPTS[step.name], translate)
    script = {"image": picture_script.IMAGE, "logits": picture_script.LOGITS_OF_IMAGE}[step.name]
    fixed = {name: value for name, value in step.numbers.items() if name != "contributions"}
    pictures = list(_pictures(step, explanation, translate))
    return _translated(script, translate) | {"fixed": fixed, "pictures": pictures}


def _pictures(
    step: Step, explanation: Explanation, translate: Translate
) -> Iterator[dict[str, str]]:
    from softmaxce.views import pictures as pixels  # Pillow, only for pictures

    shown, example = explanation.picture, explanation.example
    assert shown is not None
    if step.name == "image":
        text = translate("The image as the model sees it")
        yield {"source": pixels.data_uri(pixels.image_pixels(shown)), "text": text}
        return
    message = translate("Contributions to class {name}: orange pushes up, blue pushes down.")
    text = sentence(message, {"name": example.name(example.winner)}, str)
    source = pixels.data_uri(pixels.contribution_pixels(shown, example.winner))
    yield {"source": source, "text": text}
    for k in example.shown[:MAX_TEMPLATES]:
        source = pixels.data_uri(pixels.template_pixels(shown, k))
        yield {"source": source, "text": template_text(shown, k, translate)}


def _translated(script: Script, translate: Translate) -> dict[str, Any]:
    """A script as the page reads it, its messages in the page's language."""
    made = asdict(script)
    made |= {"title": translate(script.title), "claim": translate(script.claim)}
    for item in (*made["sentences"], *made["claims"]):
        item["message"] = translate(item["message"])
    for table in made["tables"]:
        for column in table["columns"]:
            column["heading"] = translate(column["heading"])
    made["mathml"] = mathml(script.name, translate) if script.formula else ""
    if script.formula:
        made["formula"]["plain"] = translate(script.formula.plain)
    del made["question"]
    return made


SCRIPTS = {script.name: script for script, _ in lesson.SCENES}
BELIEFS = tuple(script for script, _ in corrections.CORRECTIONS)
PAGE_WORDS = (
    "… {n} more",
    "Learning rate",
    "Proofs",
    "Table",
    "Temperature",
    "The first numbers are the image's own logits.",
    "The probabilities are divided by their sum.",
    "class",
    "cross-entropy",
    "fails",
    "its probability",
    "largest difference",
    "logit z",
    "loss",
    "p of the true class",
    "probability p",
    "proved",
    "slider",
    "squared error",
    "the table below holds the same numbers",
    "too big",
    "true class",
    "you",
)
