"""Option values for which Click has no type: functions that parse a text or raise ValueError."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from softmaxce.typed_numbers import number

if TYPE_CHECKING:
    from pathlib import Path

    from click.shell_completion import CompletionItem

MAX_UNITS = 65_536
MAX_LAYERS = 16
N_FILTERS, MAX_FILTERS = 192, 4096
COLOURS = {"white": "#ffffff", "black": "#000000", "gray": "#808080", "grey": "#808080"}

VARIADIC = {"--logits", "--probabilities", "--classes"}
# Values in their messages, because gettext would take "% i" for a format.
_FRACTION, _PROBABILITY = "20 %", "95 %"
OPTION = re.compile(r"-(?!\.?\d|ln\b|ln\d|inf|nan|$)", re.IGNORECASE)  # not a negative number

if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:  # not generic before Click 8.4
    _ParamType = click.ParamType


class Parsed(_ParamType):
    """A value that `parse` makes from the text; the message of its ValueError is shown."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name, self.parse = name, parse

    def get_metavar(self, *_: Any, **__: Any) -> str:
        """The name as it is, not in capitals."""
        return self.name

    def shell_complete(self, *context_and_param: Any) -> list[CompletionItem]:
        """The words of the name, such as auto; files, if it accepts a folder."""
        from click.shell_completion import CompletionItem

        *_, start = context_and_param
        words = [word.partition("[")[0] for word in self.name.split("|")]
        items = [CompletionItem(w) for w in words if w.islower() and w.startswith(start)]
        return [*items, CompletionItem(start, type="file")] if "DIR" in words else items

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self.parse(value)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


class _File(click.Path):
    """A path: not empty, as "$UNSET" is in a shell, and not the next option."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not value:
            self.fail("the name is empty; name a file.", param, ctx)
        if param and str(value).startswith("-") and value != "-":
            kind = "folder" if param.metavar == "DIR" else "file"
            need = f"{param.opts[-1]} needs a {kind} name before {value}"
            raise click.UsageError(f"{need}; if that is the name, write ./{value}", ctx)
        return super().convert(value, param, ctx)


FILE = _File(readable=False)


def number_between(
    low: float, high: float, read: Callable[[str], float] = number
) -> Callable[[str], float]:
    """A parser of numbers from low to high."""

    def parse(text: str) -> float:
        value = read(text)
        if not low <= value <= high:
            bound = f"at least {low:g}" if value < low else f"at most {high:g}"
            raise ValueError(f"{text} must be {bound}")
        return value

    return parse


def whole(text: str) -> int:
    """A whole number."""
    if not re.fullmatch(r"[-+]?\d{1,30}", text, re.ASCII):
        raise ValueError(f"'{text}' is not a whole number")
    return int(text)


LARGEST = 2**63 - 1
SEED = Parsed("N", number_between(0, LARGEST, whole))


def penalty(text: str) -> float | None:
    """auto (None), or a number from 0 to a million."""
    return None if text == "auto" else number_between(0.0, 1e6)(text)


def probability(text: str) -> float:
    """A number strictly between 0 and 1, or a percentage."""
    value = number(text, percent=True)
    if not 0 < value < 1:
        raise ValueError(f"{text} must be greater than 0 and less than 1 ({_PROBABILITY} is 0.95)")
    return value


def image_size(text: str) -> tuple[int, int] | None:
    """auto (None), N or WxH in pixels as (width, height)."""
    if text == "auto":
        return None
    from softmaxce.preprocessing import MAX_SIDE

    match = re.fullmatch(r"(\d{1,9})(?:[xX×*](\d{1,9}))?", text, re.ASCII)
    if match is None:
        raise ValueError(f"'{text}' is not an image size; use auto, 64 or 64x48")
    width, height = int(match[1]), int(match[2] or match[1])
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise ValueError(f"{text}: width and height must be 1 to {MAX_SIDE} pixels")
    return width, height


def colour(text: str) -> str:
    """A colour by name or as #rgb or #rrggbb; returns "#rrggbb"."""
    value = COLOURS.get(text.lower(), text.lower())
    if re.fullmatch(r"#[0-9a-f]{3}", value):
        value = "#" + "".join(2 * digit for digit in value[1:])
    if not re.fullmatch(r"#[0-9a-f]{6}", value):
        raise ValueError(f"'{text}' is not a colour; use white, black, gray or #rrggbb")
    return value


def hidden_layers(text: str) -> tuple[int, ...]:
    """none, or the units of each hidden layer: 128 or 256,64."""
    if text == "none":
        return ()
    if not re.fullmatch(r"\d{1,6}(,\d{1,6})*", text, re.ASCII):
        raise ValueError(f"'{text}' is not a list of layer sizes; use none, 128 or 256,64")
    units = tuple(map(int, text.split(",")))
    if not all(1 <= n <= MAX_UNITS for n in units) or len(units) > MAX_LAYERS:
        limits = f"at most {MAX_LAYERS} layers of 1 to {MAX_UNITS} units"
        raise ValueError(f"{text}: {limits}; for no hidden layer, use none")
    return units


def fraction_or_folder(text: str) -> float | Path:
    """A fraction in [0, 1), such as 0.2, 1/5 or 20%, or an existing folder or file."""
    from pathlib import Path  # not in every command, as it takes milliseconds

    is_path = bool(text) and os.path.exists(text)
    if is_path and "/" in text:  # such as 1/5
        return Path(text)
    try:
        number(text, percent=True)
    except ValueError as error:
        if is_path:
            return Path(text)
        raise ValueError(f"no such folder or file, and {error}") from None
    return fraction(text)


def fraction_for_test(text: str) -> float:
    """As `fraction`, with a hint for a folder of test images."""
    try:
        return fraction(text)
    except ValueError:
        if os.path.exists(text):
            hint = f"to score the images in {text}, use softmaxce evaluate {text}"
            raise ValueError(hint) from None
        raise


def fraction(text: str) -> float:
    """A fraction in [0, 1), such as 0.2, 1/5 or 20%."""
    value = number(text, percent=True)
    if not 0 <= value < 1:
        raise ValueError(f"{text} must be at least 0 and less than 1 ({_FRACTION} is 0.2)")
    return value


def features(text: str) -> int | str:
    """The file of a network, FILE.onnx, or as `filters`."""
    if text.lower().endswith(".onnx"):
        return text
    if not text.startswith(("pixels", "patches")):
        raise ValueError(
            f"'{text}' is not a kind of features; use pixels, patches, patches:64 or FILE.onnx"
        )
    return filters(text)


def channel_numbers(low: float, high: float) -> Callable[[str], tuple[float, ...]]:
    """A parser of one number for all channels, or one for each: 0.5 or 0.485,0.456,0.406."""

    def parse(text: str) -> tuple[float, ...]:
        numbers = tuple(map(number_between(low, high), text.split(",")))
        if len(numbers) not in (1, 3):
            raise ValueError(f"'{text}' is not one number or three, such as 0.485,0.456,0.406")
        return numbers

    return parse


def filters(text: str) -> int:
    """pixels (0), patches or patches:N: the number of filters of patch features."""
    if text == "pixels":
        return 0
    match = re.fullmatch(r"patches(?::(\d{1,6}))?", text, re.ASCII)
    if match is None:
        raise ValueError(f"'{text}' is not a kind of features; use pixels, patches or patches:64")
    n_filters = int(match[1] or N_FILTERS)
    if not 2 <= n_filters <= MAX_FILTERS:
        raise ValueError(f"{text}: there must be 2 to {MAX_FILTERS} patches")
    return n_filters


def switch(text: str) -> bool | None:
    """auto (None), on or off."""
    states = {"auto": None, "on": True, "off": False}
    if text not in states:
        raise ValueError(f"'{text}' is not one of auto, on and off")
    return states[text]


def classes(text: str) -> tuple[str, ...]:
    """Names of classes, cat,dog, of which those with commas are in double quotes."""
    import csv  # not in every command, as these take a millisecond

    from softmaxce.class_names import normalized

    with suppress(csv.Error):
        names = tuple(
            normalized(name.strip()) for name in [*csv.reader([text], skipinitialspace=True), []][0]
        )
        if all(names) and names:
            return names
    raise ValueError(
        f"'{text}' is not a list of classes such as cat,dog; put a name that contains a comma in "
        "double quotes"
    )


def class_merger(text: str) -> tuple[tuple[str, str], ...]:
    """Classes and the one that they are merged into: wolf,husky=dog gives pairs (wolf, dog) …"""
    sources, _, target = text.rpartition("=")
    if not sources or len(targets := classes(target)) > 1:
        raise ValueError(f"'{text}' does not merge classes into one as wolf,husky=dog does")
    pairs = tuple((name, targets[0]) for name in classes(sources) if name != targets[0])
    if not pairs:
        raise ValueError(f"'{text}' merges '{targets[0]}' into itself")
    return pairs
