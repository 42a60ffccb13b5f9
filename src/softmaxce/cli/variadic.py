"""Options that accept any number of values, which Click does not support."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import ClassVar

import click

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


class VariadicCommand(click.Command):
    """A command whose `variadic` options accept every value up to the next option.

    `--logits -1 2,3` becomes `--logits=-1 --logits=2 --logits=3`, which Click understands.
    """

    variadic: ClassVar[frozenset[str]] = frozenset({"--logits", "--probabilities", "--classes"})

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, list(self._spread(args)))

    def _spread(self, args: Sequence[str]) -> Iterator[str]:
        option = ""
        for place, argument in enumerate(args):
            if argument == "--":
                yield from args[place:]
                return
            name, equals, value = argument.partition("=")
            if name in self.variadic:
                option = name
                if equals:
                    yield from _one_by_one(option, value)
                elif not args[place + 1 :] or _is_option(args[place + 1]):
                    yield argument  # Click says that it needs a value
            elif option and not _is_option(argument):
                yield from _one_by_one(option, argument)
            else:
                option = ""
                yield argument


def _one_by_one(option: str, values: str) -> Iterator[str]:
    return (f"{option}={value.strip()}" for value in values.split(",") if value.strip())


def _is_option(argument: str) -> bool:
    """Whether `argument` is an option: a dash that does not start a number."""
    if not argument.startswith("-") or argument == "-":
        return False
    first = argument.partition(",")[0]
    return not (_NUMBER.fullmatch(first) or _NOT_FINITE.fullmatch(first))


def finite_number(value: str | float) -> float:
    """`value` (a default is already a number) as a finite number, or a usage error."""
    text = str(value).strip().replace("−", "-")
    if _NOT_FINITE.fullmatch(text):
        raise click.BadParameter(f"'{value}' is not a finite number")
    if not _NUMBER.fullmatch(text):
        raise click.BadParameter(f"'{value}' is not a number")
    if math.isinf(float(text)):
        raise click.BadParameter(f"'{value}' is too large for a number")
    return float(text)
