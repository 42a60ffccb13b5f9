"""Pixel vectors and weights as small pictures."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.preprocessing import Preprocessing
from softmaxce.views.drawing import shortened
from softmaxce.views.drawing_png import SCALE, font, png_bytes

MAX_SIDE = 96  # of a picture in a page, in pixels of its own
_FOR = np.array([31, 95, 168])  # the weights' colours on a grey-scale model: for the class
_AGAINST = np.array([201, 96, 16])
_PAPER = np.array([255, 255, 255])
_INK = (29, 36, 48)
_GAP = 10
_TEXT = 12


@dataclass(frozen=True)
class Place:
    """A pixel by its row and column from 0, and the weight of its brightness."""

    row: int
    column: int
    weight: float


@dataclass(frozen=True)
class Template:
    """One class's weights: as a picture, and the places that speak most for and against it."""

    label: int
    picture: Image.Image
    most_for: Place
    most_against: Place
    bias: float


def thumbnail(pixels: NDArray[np.uint8], form: Preprocessing) -> Image.Image:
    """The picture that a pixel vector (n_pixels,) stands for, as the model saw it."""
    shape = (form.height, form.width) if form.channels == 1 else (form.height, form.width, 3)
    return _small(Image.fromarray(np.ascontiguousarray(pixels.reshape(shape))))


def templates(model: SoftmaxModel, labels: Sequence[int]) -> list[Template]:
    """The weights of these classes as pictures, all on one scale; none with hidden layers."""
    if len(model.layers) != 1:
        return []
    form, layer = model.preprocessing, model.layers[0]
    shape = (form.height, form.width, form.channels)
    scale = float(np.quantile(np.abs(layer.weights[:, list(labels)]), 0.995)) or 1.0
    made = []
    for k in labels:
        weights = layer.weights[:, k].reshape(shape)
        brightness = weights.sum(axis=2)
        made.append(
            Template(
                k,
                _small(Image.fromarray(_coloured(np.clip(weights / scale, -1, 1)))),
                _place(brightness, int(brightness.argmax())),
                _place(brightness, int(brightness.argmin())),
                float(layer.biases[k]),
            )
        )
    return made


def _coloured(weights: NDArray[Any]) -> NDArray[np.uint8]:
    """Weights (height, width, channels) from −1 to 1 as RGB: two hues, or tints around grey."""
    if weights.shape[2] == 3:
        return np.round(127.5 + 127.5 * weights).astype(np.uint8)
    strength = np.abs(weights)
    hue = np.where(weights > 0, _FOR, _AGAINST)
    return np.asarray(np.round(strength * hue + (1 - strength) * _PAPER), np.uint8)


def _place(brightness: NDArray[Any], position: int) -> Place:
    row, column = divmod(position, brightness.shape[1])
    return Place(row, column, float(brightness[row, column]))


def _small(image: Image.Image) -> Image.Image:
    """Shrunk where it is larger than MAX_SIDE."""
    if max(image.size) > MAX_SIDE:
        image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BOX)
    return image


def data_uri(image: Image.Image) -> str:
    """The image inside an address, so that a page needs no second file."""
    return "data:image/png;base64," + base64.b64encode(png_bytes(image)).decode("ascii")


def contact_sheet(
    pictures: Sequence[tuple[Image.Image, Sequence[str]]], n_columns: int = 8
) -> Image.Image:
    """The pictures in rows, each with its lines of text below it."""
    side = SCALE * MAX_SIDE
    n_lines = max(len(lines) for _, lines in pictures)
    step_x = side + 2 * _GAP
    step_y = side + n_lines * SCALE * (_TEXT + 3) + 2 * _GAP
    n_rows = -(-len(pictures) // n_columns)
    size = (step_x * min(n_columns, len(pictures)) + _GAP, step_y * n_rows + _GAP)
    sheet = Image.new("RGB", size, "white")
    canvas = ImageDraw.Draw(sheet)
    for position, (picture, lines) in enumerate(pictures):
        row, column = divmod(position, n_columns)
        x, y = _GAP + column * step_x, _GAP + row * step_y
        factor = max(1, side // max(picture.size))
        large = picture.resize(
            (picture.width * factor, picture.height * factor), Image.Resampling.NEAREST
        )
        sheet.paste(large.convert("RGB"), (x, y))
        for number, line in enumerate(lines):
            y_text = y + side + 4 + number * SCALE * (_TEXT + 3)
            canvas.text((x, y_text), shortened(line, 16), fill=_INK, font=font(SCALE * _TEXT))
    return sheet
