"""The lesson as JSON: every step, number and check."""

from __future__ import annotations

from typing import Any

from softmaxce.language import Translate
from softmaxce.lesson.exercises import Sheet
from softmaxce.lesson.step import RenderedPart, Step
from softmaxce.views.json.json_output import json_text
from softmaxce.views.lesson.formatting import sentence, sheet_text
from softmaxce.workflows.explain import Explanation


def as_text(explanation: Explanation, translate: Translate, language: str) -> str:
    """The whole explanation as one JSON object."""
    example = explanation.example
    result = {
        "logits": example.logits,
        "probabilities": example.probabilities,
        "label": example.label,
        "cross_entropy": example.loss,
        "classes": example.class_names,
        "label_is_given": example.label_is_given,
        "temperature": example.temperature,
        "learning_rate": example.learning_rate,
        "language": language,
        "image": explanation.picture.path if explanation.picture else None,
        "steps": [_step(step, translate) for step in explanation.steps],
        "corrections": [_step(step, translate) for step in explanation.misconceptions],
    }
    return json_text("explain", result)


def _step(step: Step, translate: Translate) -> dict[str, Any]:
    def said(message: str) -> str:
        return sentence(message, step.numbers, translate)

    def part(of: RenderedPart) -> dict[str, Any]:
        return {
            "explanation": [said(message) for message in of.sentences],
            "proofs": [
                {
                    "claim": said(check.message),
                    "left": check.left,
                    "relation": check.relation,
                    "right": check.right,
                    "tolerance": check.tolerance,
                    "error": check.error,
                    "holds": True,  # a failed check is an error before anything is shown
                }
                for check in of.checks
            ],
        }

    formula = step.template.formula
    return {
        "name": step.name,
        "title": translate(step.template.title),
        "claim": said(step.template.claim),
        "formula": translate(formula.plain) if formula else None,
        **part(step.shown),
        "more": part(step.more),
        "numbers": dict(step.numbers),
    }


def exercises_as_text(sheet: Sheet, translate: Translate, answers: bool, _language: str) -> str:
    """Exercises as one JSON object, with their answers if asked for; null: a step left out."""
    (exercises, *worked) = sheet_text(sheet, translate, answers).values()
    items = []
    for place, (question, steps) in enumerate(exercises):
        exercise = sheet.exercises[place]
        item: dict[str, Any] = {"kind": exercise.kind, "question": question}
        if steps:
            item["steps"] = [step or None for step in steps]
        if worked:
            item["working"] = " ".join(worked[0][place][1])
            item["answer"] = exercise.numbers[exercise.answer]
        items.append(item)
    return json_text("explain", {"sheet": sheet.number, "seed": sheet.seed, "exercises": items})
