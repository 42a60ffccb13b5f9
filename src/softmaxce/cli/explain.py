"""`softmaxce explain`."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from softmaxce.cli.options import debug_option, format_option, model_option
from softmaxce.cli.variadic import VariadicCommand, finite_number

if TYPE_CHECKING:
    from softmaxce.views.lesson_words import Translate
    from softmaxce.workflows.explain import Explanation

EPILOG = """\b
Examples:
  softmaxce explain --logits 0.2 0.3
  softmaxce explain --logits 2 1 -1 --classes cat dog person --label dog
  softmaxce explain --probabilities 1 0 0 --label 2
  softmaxce explain cat.png -m model.npz --label cat
  softmaxce explain --logits 2 1 -1 --format html -o lesson.html
  softmaxce explain --exercise 8 --seed 1 --answers
"""


@dataclass(frozen=True)
class Request:
    """The options of `explain`, as given."""

    image: str | None
    logits: tuple[float, ...]
    probabilities: tuple[float, ...]
    classes: tuple[str, ...]
    label: str | None
    model_path: str
    temperature: float
    learning_rate: float
    every_correction: bool
    save_images: str | None
    exercise: int | None
    seed: int
    answers: bool
    quiz: bool
    language: str | None
    output_format: str
    output_path: str | None


@click.command(cls=VariadicCommand, epilog=EPILOG)
@click.argument("image", required=False, type=click.Path(readable=False))
@model_option()
@click.option(
    "--logits",
    type=finite_number,
    multiple=True,
    metavar="NUMBER...",
    help="Raw outputs, one per class: any count from 2, such as --logits -1 2 -.5 1e1.",
)
@click.option(
    "--probabilities",
    type=finite_number,
    multiple=True,
    metavar="NUMBER...",
    help="Predicted probabilities instead, one per class, which sum to 1.",
)
@click.option("--classes", multiple=True, metavar="NAME...", help="Names of the classes.")
@click.option("--label", metavar="INDEX|NAME", help="The true class.  [default: the first]")
@click.option(
    "--temperature",
    type=finite_number,
    default=1.0,
    show_default=True,
    metavar="NUMBER",
    help="Divides every logit: above 1 flatter, below 1 sharper.",
)
@click.option(
    "--learning-rate",
    type=finite_number,
    default=0.1,
    show_default=True,
    metavar="NUMBER",
    help="Size of the step of gradient descent.",
)
@click.option("--all", "every_correction", is_flag=True, help="Answer all ten common mistakes.")
@click.option(
    "--save-images",
    metavar="DIR",
    type=click.Path(readable=False),
    help="Write the image, its contribution map and the class templates there, as PNG.",
)
@click.option(
    "--exercise", type=int, metavar="N", help="Print N exercises with small numbers instead."
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    default=0,
    show_default=True,
    help="Of the exercises.",
)
@click.option("--answers", is_flag=True, help="Print the worked answers of the exercises too.")
@click.option("--quiz", is_flag=True, help="Ask for each step's number before it is shown.")
@click.option(
    "--lang",
    "language",
    metavar="en|ko",
    help="Language.  [default: that of the locale, else en]",
)
@format_option("text", "json", "markdown", "html")
@click.option(
    "-o",
    "--output",
    "output_path",
    type=click.Path(readable=False),
    help="Write to this file, not to stdout.",
)
@debug_option
def explain(**options: object) -> None:
    """Walk through softmax and cross-entropy with your own numbers, or with an image and a model.

    Every number that is shown is also proved.
    """
    request = Request(**options)  # type: ignore[arg-type]
    _check(request)
    _write_what_the_terminal_cannot_as_escapes()
    from softmaxce.views import lesson_words

    language = request.language or lesson_words.default_language()
    translate = lesson_words.translator(language)
    if request.output_path:
        from softmaxce.atomic_files import check_can_write

        check_can_write(request.output_path)
    if request.exercise is not None:
        _give_exercises(request, translate)
        return
    explanation = _explanation(request)
    if request.quiz:
        _quiz(explanation, translate)
        return
    if request.save_images and explanation.picture:
        _save_images(explanation, request.save_images)
    _show(request, explanation, translate, language)


def _check(request: Request) -> None:
    """Refuse options that do not go together."""
    sources = {
        "IMAGE": request.image,
        "--logits": request.logits,
        "--probabilities": request.probabilities,
        "--exercise": request.exercise is not None,
    }
    given = [name for name, value in sources.items() if value]
    if not given:
        raise click.UsageError("give numbers or an image: softmaxce explain --logits 0.2 0.3")
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)} do not go together: give one of them")
    for name in ("logits", "probabilities"):
        if len(getattr(request, name)) == 1:
            raise click.UsageError(f"--{name} needs at least two numbers, one for each class")
    if request.classes and not (request.logits or request.probabilities):
        raise click.UsageError("--classes names the numbers of --logits or --probabilities")
    if request.save_images and not request.image:
        raise click.UsageError("--save-images needs an IMAGE")
    if request.answers and request.exercise is None:
        raise click.UsageError("--answers needs --exercise N")
    if request.exercise is not None and request.output_format == "html":
        raise click.UsageError("exercises come as text, json or markdown, not as html")
    if request.quiz and (request.exercise is not None or request.output_format != "text"):
        raise click.UsageError("--quiz goes with a lesson in text only")


def _write_what_the_terminal_cannot_as_escapes() -> None:
    """In an ASCII terminal ∞ becomes \\u221e, where it would otherwise be an error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _explanation(request: Request) -> Explanation:
    from softmaxce.workflows import explain as workflow

    scalars: Any = {"temperature": request.temperature, "learning_rate": request.learning_rate}
    if request.image:
        stdin = sys.stdin.buffer.read() if request.image == workflow.STDIN else b""
        return workflow.explain_image(
            request.image,
            request.model_path,
            label=request.label,
            every_correction=request.every_correction,
            stdin=stdin,
            **scalars,
        )
    from softmaxce import lesson

    numbers, example_of = (
        (request.logits, lesson.from_logits)
        if request.logits
        else (request.probabilities, lesson.from_probabilities)
    )
    example = example_of(numbers, label=request.label, classes=request.classes or None, **scalars)
    return workflow.explain(example, every_correction=request.every_correction)


def _show(request: Request, explanation: Explanation, translate: Translate, language: str) -> None:
    if request.output_format == "text":
        from softmaxce.views import lesson_text
        from softmaxce.views.console import output

        if request.output_path:
            _write(request, lesson_text.as_text(explanation, translate))
        else:
            lesson_text.show(output(), explanation, translate)
    elif request.output_format == "json":
        from softmaxce.views import lesson_machine

        _write(request, lesson_machine.as_json(explanation, translate, language))
    elif request.output_format == "markdown":
        from softmaxce.views import lesson_markdown

        _write(request, lesson_markdown.as_markdown(explanation, translate))
    else:
        from softmaxce.views import lesson_page

        _write(request, lesson_page.as_page(explanation, translate, language))


def _give_exercises(request: Request, translate: Translate) -> None:
    from softmaxce.lesson import exercises
    from softmaxce.views import lesson_machine, lesson_markdown, lesson_text

    made = exercises.make(request.exercise or 0, request.seed)
    in_format = {
        "text": lesson_text.exercises_text,
        "json": lesson_machine.exercises_json,
        "markdown": lesson_markdown.exercises_markdown,
    }[request.output_format]
    _write(request, in_format(made, translate, request.answers))


def _write(request: Request, text: str) -> None:
    if not text.endswith("\n"):
        text += "\n"
    if not request.output_path:
        click.echo(text, nl=False)
        return
    from softmaxce.atomic_files import write_atomically

    write_atomically(request.output_path, [text.encode()])


def _save_images(explanation: Explanation, folder: str) -> None:
    from softmaxce.views import pictures
    from softmaxce.views.notices import note

    assert explanation.picture is not None
    names = pictures.save(explanation.picture, explanation.example.winner, folder)
    note(f"{len(names)} pictures saved in {folder}")


def _quiz(explanation: Explanation, translate: Translate) -> None:
    """Ask, then reveal, step by step; an empty line passes, the end of the input ends it."""
    from softmaxce.lesson.quiz import is_right
    from softmaxce.views import lesson_text
    from softmaxce.views.console import output
    from softmaxce.views.lesson_words import number

    console, shown = output(), explanation.example.shown
    lesson_text.show_given(console, explanation, translate)
    n_asked = n_right = 0
    for position, step in enumerate(explanation.steps, 1):
        if step.question:
            value = step.numbers[step.question.answer]
            try:
                typed = input(f"\n{translate(step.question.message)} ")
            except EOFError:
                click.echo()
                break
            right = is_right(typed, value)
            n_asked, n_right = n_asked + 1, n_right + right
            verdict = translate("Right:") if right else translate("It is")
            click.echo(f"{verdict} {number(value)}")
        lesson_text.show_step(console, position, step, shown, translate)
    click.echo(translate("{right} of {asked} right.").format(right=n_right, asked=n_asked))
