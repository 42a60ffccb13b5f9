"""The lesson as JSON: every step, number and proof."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from softmaxce.lesson.exercises import Exercise
from softmaxce.lesson.step import Step
from softmaxce.views.json.json_output import json_text
from softmaxce.views.lesson_words import Translate, sentence
from softmaxce.workflows.explain import Explanation


def as_json(explanation: Explanation, translate: Translate, language: str) -> str:
    """The whole explanation as one JSON object."""
    example = explanation.example
    result: dict[str, Any] = {
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
        "steps": [step_json(step, translate) for step in explanation.steps],
        "corrections": [step_json(step, translate) for step in explanation.corrections],
    }
    return json_text("explain", result)


def step_json(step: Step, translate: Translate) -> dict[str, Any]:
    """A step in the types of JSON: words, numbers, proofs."""
    return {
        "name": step.name,
        "title": translate(step.title),
        "claim": sentence(step.claim, step.numbers, translate),
        "formula": translate(step.formula.plain) if step.formula else None,
        "explanation": [sentence(s, step.numbers, translate) for s in step.sentences],
        "numbers": dict(step.numbers),
        "proofs": [
            {
                "claim": sentence(proof.claim, step.numbers, translate),
                "left": proof.left,
                "relation": proof.relation,
                "right": proof.right,
                "tolerance": proof.tolerance,
                "error": proof.error,
                "holds": True,  # one that does not is an error before anything is shown
            }
            for proof in step.proofs
        ],
    }


def exercises_json(exercises: Sequence[Exercise], translate: Translate, answers: bool) -> str:
    """Exercises as one JSON object, with their answers if wanted."""
    items = []
    for exercise in exercises:
        item = {
            "kind": exercise.kind,
            "question": sentence(exercise.question, exercise.numbers, translate),
        }
        if answers:
            item["working"] = sentence(exercise.working, exercise.numbers, translate)
            item["answer"] = exercise.numbers[exercise.answer]
        items.append(item)
    return json_text("explain", {"exercises": items})
