"""`softmaxce explain`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import click

from softmaxce.cli.options import debug_option, format_option, model_option
from softmaxce.cli.streams import read_input
from softmaxce.cli.types import Parsed, number
from softmaxce.errors import InputError, first_and_more

EPILOG = """\b
Examples:
  softmaxce explain --logits 0.2 0.3
  softmaxce explain --logits 2 1 -1 --classes cat dog person --label dog
  softmaxce explain --probabilities 1 0 0 --label 2
  softmaxce explain cat.png -m model.npz --label cat
  softmaxce explain --logits 2 1 -1 --format html -o lesson.html
  softmaxce explain --exercise 8 --seed 1 --answers
"""
_VARIADIC = {"--logits", "--probabilities", "--classes"}
_DECIMAL_COMMA = re.compile(r"([-+−]?(?:\d{1,3}(?:\.\d{3})+|\d*)),(\d+)")  # 0,2 or 1.234,5


class _VariadicCommand(click.Command):
    """A command with options that accept every value up to the next option, unlike Click's.

    `--logits -1 2,3` becomes `--logits=-1 --logits=2 --logits=3`, which Click understands. Since
    most of the world writes 0.2 as 0,2, a hint says how numbers with a comma were read.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given: list[str] = []
        spread = list(_spread(args, given))
        ctx.meta[__name__] = advice = _comma_advice(given)
        try:
            return super().parse_args(ctx, spread)
        except click.UsageError as error:
            if not advice:
                raise
            message = error.format_message().rstrip(".") + advice
            raise click.UsageError(message, error.ctx) from None

    def invoke(self, ctx: click.Context) -> None:
        advice = ctx.meta[__name__]
        if not advice:
            super().invoke(ctx)
            return
        from softmaxce.views.console import note

        numbers = [f"{z:g}" for z in ctx.params["logits"] or ctx.params["probabilities"]]
        read_as = f"read as {len(numbers)} numbers: {first_and_more(numbers)}{advice}"
        try:
            super().invoke(ctx)
        except InputError as error:
            raise InputError(f"{error}; {read_as}") from None
        except BrokenPipeError:  # `| head`
            note(read_as)
            raise
        note(read_as)  # after the lesson, which would push it off the screen


def _comma_advice(given: list[str]) -> str:
    """How to write numbers that seem to have decimal commas; '' if none does."""
    words = re.sub(r"[;\s]|,(?=\Z|[;\s])", " ", " ".join(given)).split()
    written = [
        f"{match[1].replace('.', '')}.{match[2]}" if (match := _DECIMAL_COMMA.fullmatch(w)) else w
        for w in words
    ]
    suggestion = first_and_more(written, separator=" ")
    return "" if written == words else f"; decimal commas? write {suggestion}"


def _spread(args: list[str], given: list[str]) -> Iterator[str]:
    """The arguments with one value to an option; `given` receives the values that are numbers."""
    option = ""
    for place, argument in enumerate(args):
        if argument == "--":
            yield from args[place:]
            return
        name, equals, values = argument.partition("=")
        if name in _VARIADIC:
            option = name
            if not equals and (place + 1 == len(args) or _is_option(args[place + 1])):
                yield argument  # Click says that it needs a value
        elif option and not _is_option(argument):
            values = argument
        else:
            option, values = "", ""
            yield argument
        if option in ("--logits", "--probabilities"):
            given.append(values)
        yield from (f"{option}={value.strip()}" for value in values.split(",") if value.strip())


def _is_option(argument: str) -> bool:
    """Whether `argument` is an option: a dash that does not start a number."""
    try:
        float(argument.partition(",")[0])
    except ValueError:
        return argument.startswith("-") and argument != "-"
    return False


def _as_number(text: str) -> float:
    """A finite number; its minus sign may be the real one."""
    if "_" in text:  # which Python would ignore
        raise ValueError(f"'{text}' is not a number")
    return number(text.replace("−", "-"))


NUMBER = Parsed("NUMBER", _as_number)


@click.command(
    cls=_VariadicCommand,
    short_help="Explain softmax and cross-entropy step by step.",
    epilog=EPILOG,
)
@click.argument("image", required=False, type=click.Path(readable=False))
@model_option
@click.option(
    "--logits",
    type=NUMBER,
    multiple=True,
    metavar="NUMBER...",
    help="Raw model outputs, one per class: two or more numbers, such as --logits -1 2 -.5 1e1.",
)
@click.option(
    "--probabilities",
    type=NUMBER,
    multiple=True,
    metavar="NUMBER...",
    help="Predicted probabilities instead of logits: one per class, summing to 1.",
)
@click.option("--classes", multiple=True, metavar="NAME...", help="Class names.")
@click.option("--label", metavar="INDEX|NAME", help="The true class.  [default: the first]")
@click.option(
    "--temperature",
    type=NUMBER,
    default=1.0,
    help="Divide every logit by this number: above 1, the probabilities become flatter; below 1, "
    "sharper.",
)
@click.option(
    "--learning-rate",
    type=NUMBER,
    default=0.1,
    help="Learning rate of the gradient descent step in the lesson.",
)
@click.option(
    "--all", "every_misconception", is_flag=True, help="Show all ten common misconceptions."
)
@click.option(
    "--save-images",
    metavar="DIR",
    type=click.Path(readable=False),
    help="Write PNG files of the image, its contribution map and the weights of each class (with "
    "patch features: the filters) to DIR.",
)
@click.option(
    "--exercise",
    type=int,
    metavar="N",
    help="Print N exercises with small numbers instead of the lesson.",
)
@click.option(
    "--seed",
    metavar="N",
    type=click.IntRange(0, 2**63 - 1),
    default=0,
    help="Seed for the exercises.",
)
@click.option("--answers", is_flag=True, help="With --exercise: also print the worked answers.")
@click.option(
    "--quiz", is_flag=True, help="Quiz: before showing each step, ask for one of its numbers."
)
@click.option(
    "--lang",
    "language",
    type=Parsed("en|ko", str),
    help="Language of the lesson.  [default: the language of the locale if available, "
    "otherwise en]",
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

    Each step is checked with a second calculation.
    """
    _check(context.params)
    from softmaxce.views.lesson.language import default_language, translator

    language = language or default_language()
    translate = translator(language)
    if output_path:
        from softmaxce.atomic_files import write_atomically
        from softmaxce.workflows.outputs import LESSON, check_files

        check_files([(output_path, LESSON)], [source["image"]] if source["image"] else [])
    # A module for each format, with the same functions.
    view = import_module(f"softmaxce.views.lesson.{output_format.replace('html', 'page')}")
    if exercise is not None:
        from softmaxce.lesson.exercises import make

        text = view.exercises_as_text(make(exercise, seed), translate, answers)
    else:
        explanation = _explanation(**source)
        if save_images:
            _save_images(explanation, save_images)
        if quiz or (output_format == "text" and not output_path):
            from softmaxce.views.console import output

            (view.ask if quiz else view.show)(output(), explanation, translate)
            return
        text = view.as_text(explanation, translate, language)
    text = text.removesuffix("\n") + "\n"
    if output_path:
        write_atomically(output_path, [text.encode()])
    else:
        _print(text, output_format)


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
    source, output_format = given[0], options["output_format"]
    numbers = options["logits"] or options["probabilities"]
    is_exercise = source == "--exercise"
    faults = {
        f"{source} needs at least two numbers, one per class": len(numbers) == 1,
        "--classes needs --logits or --probabilities": options["classes"] and not numbers,
        "--save-images needs an IMAGE": options["save_images"] and source != "IMAGE",
        "--answers needs --exercise N": options["answers"] and not is_exercise,
        "--exercise supports --format text, json and markdown, not html": is_exercise
        and output_format == "html",
        "--quiz needs --format text and cannot be combined with --exercise": options["quiz"]
        and (is_exercise or output_format != "text"),
    }
    for fault, is_present in faults.items():
        if is_present:
            raise click.UsageError(fault)


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
        stdin = read_input() if image == workflow.STDIN else b""
        return workflow.explain_image(image, model_path, stdin=stdin, **options)
    from softmaxce.lesson import make_example

    numbers, source = (logits, "logits") if logits else (probabilities, "probabilities")
    example = make_example(numbers, source, classes=classes or None, **options)
    return workflow.explain(example, every_misconception=every_misconception)


def _print(text: str, output_format: str) -> None:
    """Print text in the encoding of stdout, and all other formats in UTF-8."""
    if output_format == "text":
        click.echo(text, nl=False)
    else:
        from softmaxce.views.json.csv_output import print_exactly

        print_exactly(text)


def _save_images(explanation: Any, folder: str) -> None:
    from softmaxce.views import pictures
    from softmaxce.views.console import note

    n_pictures = pictures.save(explanation.picture, explanation.example.winner, folder)
    note(f"{n_pictures} pictures saved in {folder}")
