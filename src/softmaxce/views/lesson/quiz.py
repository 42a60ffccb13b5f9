"""The quiz: a question before each step of the lesson."""

from __future__ import annotations

from rich.console import Console

from softmaxce.lesson.quiz import is_right
from softmaxce.views.lesson import text
from softmaxce.views.lesson.formatting import number
from softmaxce.views.lesson.language import Translate
from softmaxce.workflows.explain import Explanation


def ask(console: Console, explanation: Explanation, translate: Translate) -> None:
    """Ask for a number of each step, then show the step.

    An empty line is a wrong answer; the end of the input ends the quiz.
    """
    text.show_given(console, explanation, translate)
    n_asked = n_right = 0
    for position, step in enumerate(explanation.steps, 1):
        if step.question:
            value = step.numbers[step.question.answer]
            try:
                typed = input(f"\n{translate(step.question.message)} ")
            except EOFError:
                console.print()
                break
            right = is_right(typed, value)
            n_asked, n_right = n_asked + 1, n_right + right
            verdict = translate("Correct:") if right else translate("The answer is")
            console.print(f"{verdict} {number(value)}", soft_wrap=True)
        text.show_step(console, position, step, explanation.example.shown, translate)
    score = translate("{right} of {asked} correct.").format(right=n_right, asked=n_asked)
    console.print(score, soft_wrap=True)
