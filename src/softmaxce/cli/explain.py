"""`softmaxce explain`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from softmaxce.cli.options import debug_option, format_option

if TYPE_CHECKING:
    from softmaxce.lesson import Example

VARIADIC = ("--logits", "--probabilities", "--classes")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


class VariadicCommand(click.Command):
    """A command whose VARIADIC options take every value up to the next option.

    `--logits -1 2,3` becomes `--logits=-1 --logits=2 --logits=3`, which Click understands.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, list(_spread(args)))


def _spread(args: Sequence[str]) -> Iterator[str]:
    option = ""
    for place, argument in enumerate(args):
        if argument == "--":
            yield from args[place:]
            return
        name, equals, value = argument.partition("=")
        if name in VARIADIC:
            option = name
            values = [value] if equals else []
            if not equals and not _has_value(args[place + 1 :]):
                yield argument  # Click says that it needs a value
        elif option and not _is_option(argument):
            values = [argument]
        else:
            option = ""
            yield argument
            continue
        for item in values:
            yield from (f"{option}={part}" for part in item.split(",") if part.strip())


def _has_value(rest: Sequence[str]) -> bool:
    return bool(rest) and not _is_option(rest[0])


def _is_option(argument: str) -> bool:
    """Whether `argument` starts an option: a dash, and then no number."""
    if not argument.startswith("-") or argument == "-":
        return False
    first = argument.partition(",")[0]
    return not (_NUMBER.fullmatch(first) or _NOT_FINITE.fullmatch(first))


def finite_number(value: str) -> float:
    """`value` as a finite number, or a usage error that says what it is instead."""
    text = value.strip().replace("−", "-")
    if _NOT_FINITE.fullmatch(text):
        raise click.BadParameter(f"'{value}' is not a finite number")
    if not _NUMBER.fullmatch(text):
        raise click.BadParameter(f"'{value}' is not a number")
    if math.isinf(float(text)):
        raise click.BadParameter(f"'{value}' is too large for a number")
    return float(text)


@click.command(cls=VariadicCommand)
@click.option(
    "--logits",
    type=finite_number,
    multiple=True,
    metavar="NUMBER…",
    help="Raw outputs, one per class: any count from 2, such as --logits -1 2 -.5 1e1.",
)
@click.option("--label", metavar="INDEX|NAME", help="The true class; the first if not given.")
@format_option("text", "json")
@debug_option
def explain(logits: tuple[float, ...], label: str | None, output_format: str) -> None:
    """Walk through softmax and cross-entropy with your own numbers.

    Every number that is shown is also proved.
    """
    from softmaxce import lesson

    if not logits:
        raise click.UsageError("give numbers: softmaxce explain --logits 0.2 0.3")
    if len(logits) == 1:
        raise click.UsageError("--logits needs at least two numbers, one for each class")
    example = lesson.from_logits(logits, label=label)
    _show(example, output_format)


def _show(example: Example, output_format: str) -> None:
    from softmaxce import lesson
    from softmaxce.views import lesson_words

    steps = lesson.build(example)
    translate = lesson_words.translator("en")
    if output_format == "json":
        from softmaxce.views.machine import json_text

        result = {
            "logits": example.logits,
            "probabilities": example.probabilities,
            "label": example.label,
            "cross_entropy": example.loss,
            "steps": [lesson_words.step_json(step, translate) for step in steps],
        }
        click.echo(json_text("explain", result))
        return
    from softmaxce.views.console import output
    from softmaxce.views.lesson_text import show_steps

    show_steps(output(), steps, example.shown, translate)
