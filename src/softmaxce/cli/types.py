"""Click parameter types. Numbers must be finite and in range."""

from __future__ import annotations

import math
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import click

MAX_SIDE = 4096
MAX_UNITS = 65_536
MAX_LAYERS = 16

if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:  # not generic before Click 8.4
    _ParamType = click.ParamType


class FiniteFloat(_ParamType):
    """A finite number from `low` (excluded if `open_low`) to `high`; `word` converts to None."""

    def __init__(
        self,
        low: float,
        high: float = sys.float_info.max,
        *,
        open_low: bool = False,
        word: str | None = None,
    ) -> None:
        self.low, self.high, self.open_low, self.word = low, high, open_low, word
        self.name = "number" if word is None else f"{word}|number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value is None or value == self.word:
            return None
        try:
            number = float(value)
        except ValueError:
            self.fail(f"'{value}' is not a number.", param, ctx)
        if not math.isfinite(number):
            self.fail(f"'{value}' is not finite.", param, ctx)
        if number < self.low or (self.open_low and number == self.low):
            bound = "greater than" if self.open_low else "at least"
            self.fail(f"{value} must be {bound} {self.low:g}.", param, ctx)
        if number > self.high:
            self.fail(f"{value} must be at most {self.high:g}.", param, ctx)
        return number


class OpenShare(_ParamType):
    """A probability, strictly between 0 and 1."""

    name = "probability"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            share = float(value)
        except ValueError:
            self.fail(f"'{value}' is not a number.", param, ctx)
        if not 0 < share < 1:  # refuses nan too
            self.fail(f"{value} must be greater than 0 and less than 1 (95 % is 0.95).", param, ctx)
        return share


class ImageSize(_ParamType):
    """auto, N or WxH in pixels; converts to None or (width, height)."""

    name = "auto|N|WxH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value is None or isinstance(value, tuple) or value == "auto":
            return None if value == "auto" else value
        match = re.fullmatch(r"(\d{1,9})(?:[xX×](\d{1,9}))?", value, re.ASCII)
        if match is None:
            self.fail(f"'{value}' is not an image size; use auto, 64 or 64x48.", param, ctx)
        width, height = int(match[1]), int(match[2] or match[1])
        if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
            self.fail(f"{value}: width and height must be 1 to {MAX_SIDE} pixels.", param, ctx)
        return width, height


class Colour(_ParamType):
    """A colour by name or as #rgb or #rrggbb; converts to "#rrggbb"."""

    name = "colour"
    names: ClassVar = {"white": "#ffffff", "black": "#000000", "gray": "#808080", "grey": "#808080"}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        colour = self.names.get(value.lower(), value.lower())
        if re.fullmatch(r"#[0-9a-f]{3}", colour):
            colour = "#" + "".join(2 * digit for digit in colour[1:])
        if not re.fullmatch(r"#[0-9a-f]{6}", colour):
            self.fail(f"'{value}' is not a colour; use white, black, gray or #rrggbb.", param, ctx)
        return colour


class HiddenLayers(_ParamType):
    """none, or the units of each hidden layer, 128 or 256,64; converts to a tuple of integers."""

    name = "layers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        if value == "none":
            return ()
        if not re.fullmatch(r"\d{1,6}(,\d{1,6})*", value, re.ASCII):
            self.fail(
                f"'{value}' is not a list of layer sizes; use none, 128 or 256,64.", param, ctx
            )
        units = tuple(map(int, value.split(",")))
        if not all(1 <= n <= MAX_UNITS for n in units) or len(units) > MAX_LAYERS:
            self.fail(
                f"{value}: at most {MAX_LAYERS} layers of 1 to {MAX_UNITS} units.", param, ctx
            )
        return units


class FractionOrFolder(_ParamType):
    """A fraction in [0, 1), or an existing folder or file (converted to a Path)."""

    name = "fraction|dir"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, (float, Path)):
            return value
        try:
            fraction = float(value)
        except ValueError:
            if value and Path(value).exists():
                return Path(value)
            self.fail(f"'{value}' is neither a number nor an existing folder or file.", param, ctx)
        if not 0 <= fraction < 1:  # refuses nan too
            self.fail(f"{value} must be at least 0 and less than 1.", param, ctx)
        return fraction
