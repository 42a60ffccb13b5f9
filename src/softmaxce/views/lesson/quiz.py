"""The quiz: a question before each step, two tries, and a summary."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from softmaxce.language import Translate
from softmaxce.lesson.example import Example
from softmaxce.lesson.questions import QUESTIONS, Question
from softmaxce.lesson.quiz import answer, is_right
from softmaxce.lesson.step import ALWAYS, Step
from softmaxce.lesson.templates import LOGIT, PROBABILITY, class_table
from softmaxce.views.lesson.formatting import number, sentence, table_text
from softmaxce.views.lesson.text import paragraph, print_lines, show_step, table_lines
from softmaxce.workflows.explain import Explanation


def ask(console: Console, explanation: Explanation, translate: Translate) -> None:
    """Ask for a number of each step, then show the step; at the end, what was right.

    An empty line is a wrong answer; the end of the input ends the quiz.
    """
    _show_given(console, explanation.example, translate)
    results: dict[str, bool] = {}
    for position, step in enumerate(explanation.steps, 1):
        question = QUESTIONS[step.name]
        if question.when == ALWAYS or step.numbers[question.when]:
            try:
                right = _is_answered(step, question, translate)
            except EOFError:
                console.print()
                break
            results[translate(step.template.title)] = right
            verdict = translate("Correct:") if right else translate("The answer is")
            value = number(step.numbers[question.answer])
            console.print(f"{verdict} {value}", soft_wrap=True)
        show_step(
            console,
            step,
            explanation.example.shown,
            translate,
            f"{position:>2}. ",
            more=explanation.more,
        )
    score = translate("{right} of {asked} correct.")
    result = score.format(right=sum(results.values()), asked=len(results))
    print_lines(console, [Text()], paragraph(console, result, "bold"))
    missed = [title for title, right in results.items() if not right]
    if missed:
        message = translate("Read again: {steps}.")
        again = message.format(steps="; ".join(missed))
        print_lines(console, paragraph(console, again))


def _is_answered(step: Step, question: Question, translate: Translate) -> bool:
    """Whether the reader's answer is right, at the first or the second try, after a hint."""

    def said(message: str) -> str:
        return sentence(message, step.numbers, translate)

    value, prompt, tries = step.numbers[question.answer], said(question.message), 2
    while tries and (typed := input(f"\n{prompt} ").strip()):
        if is_right(typed, value):
            return True
        if answer(typed) is None:
            prompt = translate("That is not a number. Type one, or only Enter to see the answer:")
            continue
        tries -= 1
        prompt = f"{said(_hint(typed, step, question))} {translate('Try once more:')}"
    return False


def _hint(typed: str, step: Step, question: Question) -> str:
    """Which error gives the number typed, or how to find the right one."""
    for wrong in question.wrong:
        value = step.numbers[wrong.answer]
        if value is not None and is_right(typed, value):
            return wrong.why
    return question.hint


def _show_given(console: Console, example: Example, translate: Translate) -> None:
    """Print what a quiz starts from: the logit or probability of each class, the true class."""
    table = class_table(PROBABILITY if example.source == "probabilities" else LOGIT)
    numbers = example.named("classes", "logits", "probabilities", "true_class")
    given = table_text(table, numbers, example.shown, translate)
    true_class = sentence("The true class is {true_class}.", numbers, translate)
    print_lines(console, table_lines(console, given), [Text()], paragraph(console, true_class))
