"""The lesson as Markdown, with formulas that GitHub renders."""

from __future__ import annotations

import re
from collections.abc import Sequence

from softmaxce.language import Translate
from softmaxce.lesson.exercises import Sheet
from softmaxce.lesson.step import Formula, Step
from softmaxce.views.lesson.formatting import TableText, sheet_text, step_text
from softmaxce.views.lesson.strip import STAGES, strip_table
from softmaxce.views.safe_text import visible
from softmaxce.workflows.explain import Explanation

_WORDS_IN_LATEX = re.compile(r"(?<=\\text\{).*?(?=\})")
_NUMBERS = re.compile(r"[\d., ]+")
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+.!|<>&~$@:-])")


def escaped(name: str) -> str:
    """A name from outside as Markdown text that means only itself."""
    if _NUMBERS.fullmatch(name):
        return name
    return _SPECIAL.sub(r"\\\1", visible(name))


def as_text(explanation: Explanation, translate: Translate, _language: str) -> str:
    """The whole explanation."""
    example = explanation.example
    parts = [
        f"# {translate('Softmax and cross-entropy, step by step')}",
        translate(STAGES[example.source]),
        _table(strip_table(example, translate, escaped)),
    ]
    for position, step in enumerate(explanation.steps, 1):
        parts += _step(f"## {position}.", step, explanation, translate)
    parts.append(f"## {translate('Common misconceptions')}")
    for step in explanation.misconceptions:
        parts += _step("###", step, explanation, translate)
    return "\n\n".join(parts) + "\n"


def _step(mark: str, step: Step, explanation: Explanation, translate: Translate) -> list[str]:
    text = step_text(step, explanation.example.shown, translate, escaped, more=explanation.more)
    parts = [f"{mark} {text.title}", f"**{text.claim}**"]
    if formula := step.template.formula:
        parts.append(f"$$\n{latex(formula, translate)}\n$$")
    for part in (text, text.more):
        parts += [*part.sentences, *map(_table, part.tables)]
        if part.checks:
            parts.append("\n".join(f"- ✓ {check}" for check in part.checks))
    return parts


def latex(formula: Formula, translate: Translate) -> str:
    """A formula in LaTeX, its words in the reader's language."""
    return _WORDS_IN_LATEX.sub(lambda match: translate(match.group()), formula.latex)


def _table(table: TableText) -> str:
    sides = [":---" if is_text else "---:" for is_text in table.is_text]
    rows = [row + [""] * (len(sides) - len(row)) for row in table.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in (table.headings, sides, *rows))


def exercises_as_text(sheet: Sheet, translate: Translate, answers: bool, _language: str) -> str:
    """A sheet of exercises, with a second section of worked answers if asked for."""
    parts = []
    for heading, exercises in sheet_text(sheet, translate, answers, "…" * 20).items():
        items = [_item(place, *exercise) for place, exercise in enumerate(exercises, 1)]
        parts += [f"# {heading}", "\n".join(items)]
    return "\n\n".join(parts) + "\n"


def _item(place: int, question: str, steps: Sequence[str]) -> str:
    mark = f"{place}. "
    lines = [question] * bool(question) + [f"{n}. {step}" for n, step in enumerate(steps, 1)]
    return mark + f"\n{' ' * len(mark)}".join(lines)
