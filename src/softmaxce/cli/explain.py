"""`softmaxce explain`."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from typing import Any

import click
from click.core import ParameterSource

from softmaxce.cli.options import common_options, format_option, model_option, network_option
from softmaxce.cli.streams import read_input
from softmaxce.cli.types import FILE, OPTION, SEED, VARIADIC, Parsed, whole
from softmaxce.errors import InputError, first_and_more
from softmaxce.typed_numbers import number, split_numbers, with_points

EPILOG = """\b
Examples:
  softmaxce explain --logits 0.2 0.3
  softmaxce explain --logits 2 1 -1 --classes cat dog person --label dog
  softmaxce explain --probabilities 1 0 0 --label 2
  softmaxce explain cat.png -m model.npz --label cat
  softmaxce explain --logits 2 1 -1 --format html -o lesson.html
  softmaxce explain -m model.npz --format html -o play.html
  softmaxce explain --exercise 8 --seed 1 --answers
  softmaxce explain --exercise 8 --sheet 1 --answers -o sheet1.html
"""
_MODEL = "--model"
# What is explained, by the name of its option → what is written, the module of its page, its file.
_PAGES = {
    "--exercise": ("sheet", "sheet", "sheet.html"),
    _MODEL: ("page", "play", "play.html"),
}
_FORMATS = {".htm": "html", ".html": "html", ".md": "markdown", ".json": "json"}


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
            fault = str(error).partition("; did you mean")[0]  # the advice is about the commas
            raise InputError(f"{fault}; {read_as}") from None
        except BrokenPipeError:  # `| head`
            note(read_as)
            raise
        note(read_as)  # after the lesson, which would push it off the screen


def _comma_advice(given: list[str]) -> str:
    """How to write numbers that seem to have decimal commas; '' if none does."""
    words = re.sub(r"[;\s\[\](){}]|,(?=\Z|[;\s\])}])", " ", " ".join(given)).split()
    written = with_points(words)
    suggestion = first_and_more(written, separator=" ")
    return "" if written == words else f"; decimal commas? write {suggestion}"


def _spread(args: list[str], given: list[str]) -> Iterator[str]:
    """The arguments with one value to an option; `given` receives the words that hold numbers."""
    rest = list(args)
    while rest:
        argument = rest.pop(0)
        name, equals, first = argument.partition("=")
        if name not in VARIADIC:
            yield from [argument, *rest] if argument == "--" else [argument]
            rest = [] if argument == "--" else rest
            continue
        n_values = next((n for n, word in enumerate(rest) if OPTION.match(word)), len(rest))
        words, rest = [first] * bool(equals) + rest[:n_values], rest[n_values:]
        if not words:
            yield argument  # Click says that it needs a value
        if name == "--classes":
            values = [part.strip() for part in ",".join(words).split(",") if part.strip()]
        else:
            given += words
            values = split_numbers(" ".join(words))
        yield from (f"{name}={value}" for value in values)


def _one_image(_ctx: click.Context, _param: click.Parameter, images: tuple[str, ...]) -> str | None:
    if len(images) > 1:
        raise click.UsageError(f"explain takes one image; {len(images)} were given")
    return images[0] if images else None


NUMBER = Parsed("NUMBER", number)
PROBABILITY = Parsed("NUMBER", partial(number, percent=True))


@click.command(
    cls=_VariadicCommand,
    short_help="Explain softmax and cross-entropy step by step.",
    epilog=EPILOG,
)
@click.argument(
    "image", nargs=-1, metavar="[IMAGE]", type=click.Path(readable=False), callback=_one_image
)
@model_option
@network_option
@click.option(
    "--logits",
    type=NUMBER,
    multiple=True,
    metavar="NUMBER...",
    help="Raw model outputs, one per class: two or more numbers, such as --logits -1 2 1/3 ln5.",
)
@click.option(
    "--probabilities",
    type=PROBABILITY,
    multiple=True,
    metavar="NUMBER...",
    help="Predicted probabilities instead of logits: one per class, summing to 1, such as 0.4 0.6 "
    "or 40% 60%.",
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
    "--more",
    is_flag=True,
    help="Show more about each step, every check, and all ten common misconceptions.",
)
@click.option(
    "--save-images",
    metavar="DIR",
    type=FILE,
    help="Write PNG files of the image, its contribution map and the weights of each class (with "
    "patch features: the filters) to DIR.",
)
@click.option(
    "--exercise",
    type=Parsed("N", whole),
    help="Print N exercises with small numbers instead of the lesson.",
)
@click.option(
    "--seed",
    type=SEED,
    default=0,
    help="Seed for the exercises.",
)
@click.option(
    "--sheet",
    type=Parsed("N", whole),
    help="With --exercise: sheet 1 shows all worked steps except the last, sheets 2 and 3 one step "
    "fewer each, sheet 4 only the questions. Each sheet has the same kinds of exercise in the same "
    "order with other numbers.  [default: 4]",
)
@click.option("--answers", is_flag=True, help="With --exercise: also print the worked answers.")
@click.option(
    "--quiz", is_flag=True, help="Quiz: before showing each step, ask for one of its numbers."
)
@format_option("text", "json", "markdown", "html")
@click.option(
    "-o",
    "--output",
    "output_path",
    type=FILE,
    help="Write to this file instead of stdout, in the format of its name (.html, .md, .json) "
    "unless --format is given.",
)
@common_options
@click.pass_context
def explain(
    context: click.Context,
    /,
    *,
    exercise: int | None,
    seed: int,
    sheet: int | None,
    answers: bool,
    quiz: bool,
    save_images: str | None,
    output_format: str,
    output_path: str | None,
    **source: Any,
) -> None:
    """Explain softmax and cross-entropy step by step, with your numbers or an image and a model.

    Each step is checked with a second calculation. IMAGE may also be a row of arrays, such as
    features.npz[3].
    """
    output_format = context.params["output_format"] = _format(context)
    explained = _check(context)
    from softmaxce.lesson.example import DEFAULT_NAMES
    from softmaxce.translation import language, translate

    made, page, file = _PAGES.get(explained, ("lesson", "page", "lesson.html"))
    output_path = _file(output_format, output_path, source["image"], file)
    # A module for each format, with the same functions.
    view = import_module(f"softmaxce.views.lesson.{output_format.replace('html', page)}")
    if exercise is not None:
        from softmaxce.lesson.exercises import LAST_SHEET, make

        exercises = make(exercise, seed, LAST_SHEET if sheet is None else sheet)
        text = view.exercises_as_text(exercises, translate, answers, language())
    elif explained == _MODEL:
        text = _page_of_model(view, translate, language(), **source)
    else:
        explanation = _explanation(default_names=translate(DEFAULT_NAMES), **source)
        if save_images:
            _save_images(explanation, save_images)
        if quiz or (output_format == "text" and not output_path):
            from softmaxce.views.console import output

            show = import_module("softmaxce.views.lesson.quiz").ask if quiz else view.show
            show(output(), explanation, translate)
            return
        text = view.as_text(explanation, translate, language())
    _write(text.removesuffix("\n") + "\n", output_format, output_path, made)


def _format(context: click.Context) -> str:
    """The format given, or else that of the name of the output file."""
    given, path = str(context.params["output_format"]), context.params["output_path"]
    if path and context.get_parameter_source("output_format") is ParameterSource.DEFAULT:
        return _FORMATS.get(os.path.splitext(path)[1].lower(), given)
    return given


def _file(output_format: str, path: str | None, image: str | None, page: str) -> str | None:
    """The checked file to write; None for stdout. In a terminal, HTML is written to `page`."""
    if not path and (output_format != "html" or not sys.stdout.isatty()):
        return None
    from softmaxce.workflows.outputs import LESSON, REPORT, check_files

    check_files([(path or page, LESSON if path else REPORT)], [image] if image else [])
    return path or page


def _check(context: click.Context) -> str:
    """What is explained, by the name of its option. Refuses options that do not go together."""
    options = context.params
    sources = {
        "IMAGE": options["image"],
        "--logits": options["logits"],
        "--probabilities": options["probabilities"],
        "--exercise": options["exercise"] is not None,
    }
    given = [name for name, value in sources.items() if value]
    is_exercise = "--exercise" in given
    is_sheet = options["sheet"] is not None
    if not is_exercise and (options["answers"] or is_sheet or (options["seed"] and not given)):
        option = "--sheet 1" if is_sheet else f"--seed {options['seed']}"
        option = "--answers" if options["answers"] else option
        raise click.UsageError(
            f"{option.split()[0]} needs --exercise N: softmaxce explain --exercise 8 {option}"
        )
    if not given and context.get_parameter_source("model_path") is not ParameterSource.DEFAULT:
        given = [_MODEL]
        if options["output_format"] != "html":
            raise click.UsageError(
                "--model without an IMAGE needs --format html, for a page on which to draw: "
                f"softmaxce explain -m {options['model_path']} --format html -o play.html"
            )
    if not given:
        raise click.UsageError("give numbers or an image: softmaxce explain --logits 0.2 0.3")
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)} cannot be combined: give one of them")
    source, output_format = given[0], options["output_format"]
    numbers = options["logits"] or options["probabilities"]
    faults = {
        f"{source} needs at least two numbers, one per class": len(numbers) == 1,
        "--classes needs --logits or --probabilities": options["classes"] and not numbers,
        "--save-images needs an IMAGE": options["save_images"] and source != "IMAGE",
        "--quiz needs --format text and cannot be combined with --exercise or -o": options["quiz"]
        and (is_exercise or output_format != "text" or options["output_path"]),
    }
    for fault, is_present in faults.items():
        if is_present:
            raise click.UsageError(fault)
    return source


def _page_of_model(
    view: Any,
    translate: Any,
    language: str,
    *,
    model_path: str,
    label: str | None,
    temperature: float,
    learning_rate: float,
    **_unused: Any,
) -> str:
    from softmaxce.model.model_file import load_model

    model = load_model(model_path)
    label = label and model.class_choice.name_of(label)
    options = {"label": label, "temperature": temperature, "learning_rate": learning_rate}
    return str(view.as_text(model, translate, language, **options))


def _explanation(
    *,
    image: str | None,
    model_path: str,
    networks: tuple[str, ...],
    logits: tuple[float, ...],
    probabilities: tuple[float, ...],
    classes: tuple[str, ...],
    default_names: str,
    more: bool,
    **options: Any,
) -> Any:
    from softmaxce.workflows import explain as workflow

    if image:
        stdin = read_input() if image == workflow.STDIN else b""
        return workflow.explain_image(
            image, model_path, networks=networks, stdin=stdin, more=more, **options
        )
    from softmaxce.lesson import make_example

    numbers, source = (logits, "logits") if logits else (probabilities, "probabilities")
    example = make_example(
        numbers, source, classes=classes or None, default_names=default_names, **options
    )
    return workflow.explain(example, more=more)


def _write(text: str, output_format: str, path: str | None, made: str) -> None:
    """Write text to a file, or print it: as text in the encoding of stdout, otherwise in UTF-8."""
    if path:
        from softmaxce.atomic_files import write_atomically
        from softmaxce.views.console import note

        write_atomically(path, [text.encode()])
        if sys.stdout.isatty():
            note(f"the {made} was written to {path}")
    elif output_format == "text":
        click.echo(text, nl=False)
    else:
        from softmaxce.views.json.csv_output import print_exactly

        print_exactly(text)


def _save_images(explanation: Any, folder: str) -> None:
    from softmaxce.views import pictures
    from softmaxce.views.console import note

    if explanation.picture is None:
        raise InputError(
            "--save-images needs a model of pixels or patches: other features have no pictures"
        )
    n_pictures = pictures.save(explanation.picture, explanation.example.winner, folder)
    note(f"{n_pictures} pictures saved in {folder}")
