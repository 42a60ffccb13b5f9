"""`softmaxce explain`."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from softmaxce.cli.options import debug_option, format_option, model_option
from softmaxce.cli.variadic import VariadicCommand, finite_number

EPILOG = """\b
Examples:
  softmaxce explain --logits 0.2 0.3
  softmaxce explain --logits 2 1 -1 --classes cat dog person --label dog
  softmaxce explain --probabilities 1 0 0 --label 2
  softmaxce explain cat.png -m model.npz --label cat
  softmaxce explain --logits 2 1 -1 --format html -o lesson.html
  softmaxce explain --exercise 8 --seed 1 --answers
"""


@click.command(
    cls=VariadicCommand,
    short_help="Explain softmax and cross-entropy step by step.",
    epilog=EPILOG,
)
@click.argument("image", required=False, type=click.Path(readable=False))
@model_option()
@click.option(
    "--logits",
    type=finite_number,
    multiple=True,
    metavar="NUMBER...",
    help="Raw outputs, one per class: two or more numbers, such as --logits -1 2 -.5 1e1.",
)
@click.option(
    "--probabilities",
    type=finite_number,
    multiple=True,
    metavar="NUMBER...",
    help="Predicted probabilities, one per class, which sum to 1, instead of logits.",
)
@click.option("--classes", multiple=True, metavar="NAME...", help="Names of the classes.")
@click.option("--label", metavar="INDEX|NAME", help="The true class.  [default: the first]")
@click.option(
    "--temperature",
    type=finite_number,
    default=1.0,
    show_default=True,
    metavar="NUMBER",
    help="Divisor of every logit: above 1 the probabilities are flatter, below 1 sharper.",
)
@click.option(
    "--learning-rate",
    type=finite_number,
    default=0.1,
    show_default=True,
    metavar="NUMBER",
    help="Learning rate of the step of gradient descent.",
)
@click.option(
    "--all", "every_misconception", is_flag=True, help="Show all ten common misconceptions."
)
@click.option(
    "--save-images",
    metavar="DIR",
    type=click.Path(readable=False),
    help="Write the image, its contribution map and the weights of each class to DIR, as PNG.",
)
@click.option(
    "--exercise", type=int, metavar="N", help="Print N exercises with small numbers instead."
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    default=0,
    show_default=True,
    help="Seed for the exercises.",
)
@click.option("--answers", is_flag=True, help="Print the worked answers of the exercises too.")
@click.option("--quiz", is_flag=True, help="Ask for a number of each step before showing it.")
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
    help="Write to this file instead of stdout.",
)
@debug_option
@click.pass_context
def explain(
    context: click.Context,
    /,
    *,
    exercise: int | None,
    seed: int,
    answers: bool,
    quiz: bool,
    save_images: str | None,
    language: str | None,
    output_format: str,
    output_path: str | None,
    **source: Any,
) -> None:
    """Explain softmax and cross-entropy step by step, with your numbers or an image and a model.

    Each step is checked: what it shows is computed in a second way and compared.
    """
    _check(context.params)
    from softmaxce.views.lesson.language import default_language, translator

    language = language or default_language()
    translate = translator(language)
    if output_path:
        from softmaxce.atomic_files import check_can_write

        check_can_write(output_path)
    # A module for each format, with the same functions.
    view = import_module(f"softmaxce.views.lesson.{output_format.replace('html', 'page')}")
    if exercise is not None:
        from softmaxce.lesson.exercises import make

        _write(view.exercises_as_text(make(exercise, seed), translate, answers), output_path)
        return
    explanation = _explanation(**source)
    if save_images:
        _save_images(explanation, save_images)
    if quiz:
        from softmaxce.views.console import output
        from softmaxce.views.lesson.quiz import ask

        ask(output(), explanation, translate)
    elif output_format == "text" and not output_path:
        from softmaxce.views.console import output

        view.show(output(), explanation, translate)
    else:
        _write(view.as_text(explanation, translate, language), output_path)


def _check(options: dict[str, Any]) -> None:
    """Refuse options that do not go together."""
    sources = {
        "IMAGE": options["image"],
        "--logits": options["logits"],
        "--probabilities": options["probabilities"],
        "--exercise": options["exercise"] is not None,
    }
    given = [name for name, value in sources.items() if value]
    if not given:
        raise click.UsageError("give numbers or an image: softmaxce explain --logits 0.2 0.3")
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)} cannot be combined: give one of them")
    for name in ("logits", "probabilities"):
        if len(options[name]) == 1:
            raise click.UsageError(f"--{name} needs at least two numbers, one per class")
    if options["classes"] and not (options["logits"] or options["probabilities"]):
        raise click.UsageError("--classes needs --logits or --probabilities")
    if options["save_images"] and not options["image"]:
        raise click.UsageError("--save-images needs an IMAGE")
    if options["answers"] and options["exercise"] is None:
        raise click.UsageError("--answers needs --exercise N")
    if options["exercise"] is not None and options["output_format"] == "html":
        raise click.UsageError("--exercise supports --format text, json and markdown, not html")
    if options["quiz"] and (options["exercise"] is not None or options["output_format"] != "text"):
        raise click.UsageError("--quiz needs --format text and cannot be combined with --exercise")


def _explanation(
    *,
    image: str | None,
    model_path: str,
    logits: tuple[float, ...],
    probabilities: tuple[float, ...],
    classes: tuple[str, ...],
    every_misconception: bool,
    **options: Any,
) -> Any:
    from softmaxce.workflows import explain as workflow

    if image:
        options["every_misconception"] = every_misconception
        stdin = sys.stdin.buffer.read() if image == workflow.STDIN else b""
        return workflow.explain_image(image, model_path, stdin=stdin, **options)
    from softmaxce.lesson import make_example

    numbers, source = (logits, "logits") if logits else (probabilities, "probabilities")
    example = make_example(numbers, source, classes=classes or None, **options)
    return workflow.explain(example, every_misconception=every_misconception)


def _write(text: str, path: str | None) -> None:
    if not path:
        click.echo(text.removesuffix("\n"))
        return
    from softmaxce.atomic_files import write_atomically

    write_atomically(path, [text.removesuffix("\n").encode() + b"\n"])


def _save_images(explanation: Any, folder: str) -> None:
    from softmaxce.views import pictures
    from softmaxce.views.console import note

    n_pictures = pictures.save(explanation.picture, explanation.example.winner, folder)
    note(f"{n_pictures} pictures saved in {folder}")
