"""The lesson as Markdown, with formulas that GitHub renders."""

from __future__ import annotations

import re
from collections.abc import Sequence

from softmaxce.lesson.exercises import Exercise
from softmaxce.lesson.step import Step, Table
from softmaxce.views.lesson_formulas import latex
from softmaxce.views.lesson_words import (
    Translate,
    cells,
    proof_text,
    rows_of,
    sentence,
    skipped_before,
)
from softmaxce.views.safe_text import visible
from softmaxce.workflows.explain import Explanation

_NUMBERS = re.compile(r"[\d., ]+")
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+.!|<>&~$@:-])")


def escaped(name: str) -> str:
    """A name from outside as Markdown text that means only itself."""
    if _NUMBERS.fullmatch(name):
        return name
    return _SPECIAL.sub(r"\\\1", visible(name))


def as_markdown(explanation: Explanation, translate: Translate) -> str:
    """The whole explanation."""
    shown = explanation.example.shown
    parts = [f"# {translate('Softmax and cross-entropy, step by step')}"]
    for position, step in enumerate(explanation.steps, 1):
        parts += _step(f"## {position}. {translate(step.title)}", step, shown, translate)
    if explanation.corrections:
        parts.append(f"## {translate('What people get wrong')}")
    for step in explanation.corrections:
        parts += _step(f"### {translate(step.title)}", step, shown, translate)
    return "\n\n".join(parts) + "\n"


def _step(heading: str, step: Step, shown: Sequence[int], translate: Translate) -> list[str]:
    def said(message: str) -> str:
        return sentence(message, step.numbers, translate, escaped)

    parts = [heading, f"**{said(step.claim)}**"]
    if step.formula:
        parts.append(f"$$\n{latex(step.formula, translate)}\n$$")
    parts += [said(message) for message in step.sentences]
    parts += [_table(table, step, shown, translate) for table in step.tables]
    if step.proofs:
        parts.append(
            "\n".join(
                f"- ✓ {proof_text(proof, step.numbers, translate, escaped)}"
                for proof in step.proofs
            )
        )
    return parts


def _table(table: Table, step: Step, shown: Sequence[int], translate: Translate) -> str:
    rows = rows_of(table, step.numbers, shown)
    columns = [cells(column, step.numbers, rows, translate, escaped) for column in table.columns]
    sides = [":---" if c.kind in ("text", "word") else "---:" for c in table.columns]
    lines = [[translate(column.heading) for column in table.columns], sides]
    for place in range(len(rows)):
        skipped = skipped_before(place, rows)
        if skipped:
            more = translate("… {n} more").format(n=skipped)
            lines.append([more, *("" for _ in table.columns[1:])])
        lines.append([column[place] for column in columns])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def exercises_markdown(exercises: Sequence[Exercise], translate: Translate, answers: bool) -> str:
    """A sheet of exercises, with a second part of worked answers if wanted."""
    parts = [f"# {translate('Exercises')}", _numbered(exercises, "question", translate)]
    if answers:
        parts += [f"# {translate('Answers')}", _numbered(exercises, "working", translate)]
    return "\n\n".join(parts) + "\n"


def _numbered(exercises: Sequence[Exercise], part: str, translate: Translate) -> str:
    return "\n".join(
        f"{place}. {sentence(getattr(exercise, part), exercise.numbers, translate, visible)}"
        for place, exercise in enumerate(exercises, 1)
    )
