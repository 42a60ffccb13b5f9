"""The steps before the logits: from an image to its vector, and through the model's weights.

For a linear model the contributions of the inputs and the bias sum to the logit, exactly. With
hidden layers an input's contribution is gradient × input, which holds while the same hidden nodes
stay active. The inputs are the pixels, or the patch features of the image.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from softmaxce.lesson.example import Example
from softmaxce.lesson.numbers import logits
from softmaxce.model.softmax_model import SoftmaxModel, scale_of
from softmaxce.patches import SIDE

Floats = NDArray[np.float64]
N_ENDS = 4
N_PIXELS_SHOWN = 5
N_CELLS = 7
REGIONS = ["top left", "top", "top right"]
REGIONS += ["left", "centre", "right"]
REGIONS += ["bottom left", "bottom", "bottom right"]


@dataclass(frozen=True)
class Picture:
    """An image as its model sees it. pixels: (n_pixels,), 0 … 255, laid row by row."""

    model: SoftmaxModel
    pixels: NDArray[np.uint8]
    path: str = ""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        preprocessing = self.model.preprocessing.images
        return preprocessing.height, preprocessing.width, preprocessing.channels

    @cached_property
    def inputs(self) -> NDArray[np.uint8]:
        """The first layer's inputs, 0 … 255: (n_inputs,)."""
        return self.model.inputs(self.pixels[np.newaxis, :]).reshape(-1)

    @cached_property
    def values(self) -> Floats:
        """The inputs scaled to 0 … 1: (n_inputs,)."""
        return np.multiply(self.inputs, scale_of(self.inputs), dtype=np.float64)

    @cached_property
    def logits(self) -> Floats:
        """The model's own forward pass: (n_classes,)."""
        return self.model.logits_of(self.inputs[np.newaxis, :]).reshape(-1)

    @cached_property
    def grid(self) -> NDArray[np.uint8]:
        """The image: (height, width, channels)."""
        return self.pixels.reshape(self.shape)

    @cached_property
    def _active(self) -> list[NDArray[np.bool_]]:
        """The nodes that the ReLU lets through, for each hidden layer."""
        active, values = [], self.values
        for layer in self.model.layers[:-1]:
            values = values @ layer.weights + layer.biases
            active.append(values > 0.0)
            values = np.maximum(values, 0.0)
        return active

    def slopes(self, k: int) -> tuple[Floats, float]:
        """How logit k changes with each scaled input (n_inputs,), and what the biases add to it.

        Back-propagation through the active nodes; for a linear model, column k and bias k.
        """
        *hidden, last = self.model.layers
        slope, rest = last.weights[:, k], float(last.biases[k])
        for layer, active in zip(reversed(hidden), reversed(self._active), strict=True):
            slope = np.where(active, slope, 0.0)
            rest += float(slope @ layer.biases)
            slope = layer.weights @ slope
        return slope, rest

    def contributions(self, k: int) -> Floats:
        """What each input adds to logit k: (n_inputs,). With the biases they sum to the logit."""
        return self.slopes(k)[0] * self.values

    def contribution_map(self, k: int) -> Floats:
        """What each place of the image adds to logit k: (height, width).

        What a patch adds is spread evenly over its pixels.
        """
        contributions, patches = self.contributions(k), self.model.patches
        if patches is None:
            return self.as_map(contributions)
        return spread(patches.contributions(self.pixels, contributions))

    def as_map(self, per_pixel: Floats) -> Floats:
        """Values of all channels (n_pixels,) added up at each place: (height, width)."""
        places: Floats = per_pixel.reshape(self.shape).sum(axis=2)
        return places


def image(picture: Picture) -> dict[str, Any]:
    """The grid, its rows, and the vector.

    rows, cells: the brightnesses around the brightest value, as text; in_vector: that value, read
    from the vector; rows_end_to_end: how many values differ between the joined rows and the vector.
    """
    height, width, channels = picture.shape
    index = int(np.argmax(picture.pixels))
    place, channel = divmod(index, channels)
    row, column = divmod(place, width)
    laid = np.concatenate([picture.grid[r].reshape(-1) for r in range(height)])
    rows = range(max(0, row - 2), min(height, row + 3))
    first = min(max(0, column - N_CELLS // 2), max(0, width - N_CELLS))
    cells = range(first, min(width, first + N_CELLS))
    return {
        "height": height,
        "width": width,
        "channels": channels,
        "grey": channels == 1,
        "coloured": channels == 3,
        "n_places": height * width,
        "n_pixels": len(picture.pixels),
        "product": height * width * channels,
        "first_values": _listed(picture.pixels[:N_ENDS]),
        "last_values": _listed(picture.pixels[-N_ENDS:]),
        "row": row,
        "column": column,
        "channel": channel,
        "index": index,
        "brightness": int(picture.grid[row, column, channel]),
        "height_and_width": height + width,
        "computed_index": (row * width + column) * channels + channel,
        "in_vector": int(picture.pixels[(row * width + column) * channels + channel]),
        "first_column": cells[0],
        "last_column": cells[-1],
        "rows": list(rows),
        "cells": [" ".join(f"{picture.grid[r, c, channel]:>3}" for c in cells) for r in rows],
        "rows_end_to_end": int(np.count_nonzero(laid != picture.pixels)),
        "mean_brightness": round(float(picture.pixels.mean()), 1),
    }


def _listed(values: NDArray[np.uint8]) -> str:
    return ", ".join(str(int(value)) for value in values)


def logits_of_image(picture: Picture, example: Example) -> dict[str, Any]:
    """z = xW + b for each class, and the pixels that contribute most to the winner's logit.

    contributions: (n_pixels,), to the winner's logit.
    """
    contributions = picture.contributions(example.winner)
    return {
        **sums_of_contributions(picture, example),
        "contributions": contributions.tolist(),
        **_strongest(picture, contributions, example.winner),
        **regions(picture, picture.as_map(contributions)),
    }


def sums_of_contributions(picture: Picture, example: Example) -> dict[str, Any]:
    """sums: Σ contributions of the inputs, and biases: what the biases add, for each class."""
    sums, rests = [], []
    for k in range(example.n_classes):
        slope, rest = picture.slopes(k)
        sums.append(math.fsum((slope * picture.values).tolist()))
        rests.append(rest)
    n_layers = len(picture.model.layers)
    return {
        **logits(example),
        **example.named("winner", "winner_logit"),
        "n_pixels": len(picture.pixels),
        "n_layers": n_layers,
        "linear": n_layers == 1,
        "hidden": n_layers > 1,
        "sums": sums,
        "biases": rests,
        "sums_and_biases": [total + rest for total, rest in zip(sums, rests, strict=True)],
        "winner_sum": sums[example.winner],
        "winner_bias": rests[example.winner],
        "winner_sum_and_bias": sums[example.winner] + rests[example.winner],
    }


def _strongest(picture: Picture, contributions: Floats, k: int) -> dict[str, Any]:
    _, width, channels = picture.shape
    order = largest(contributions)
    slope, _ = picture.slopes(k)
    return {
        "pixel_rows": [i // channels // width for i in order],
        "pixel_columns": [i // channels % width for i in order],
        "pixel_brightness": [int(picture.pixels[i]) for i in order],
        "pixel_weights": [float(slope[i]) for i in order],
        "pixel_contributions": [float(contributions[i]) for i in order],
    }


def largest(contributions: Floats) -> list[int]:
    """Where the contributions (n,) with the largest absolute values are."""
    order: list[int] = np.argsort(-np.abs(contributions), kind="stable")[:N_PIXELS_SHOWN].tolist()
    return order


def spread(places: Floats) -> Floats:
    """Values of patches, each divided evenly among its pixels: (height, width)."""
    around = np.pad(places / SIDE**2, SIDE - 1)
    shares: Floats = sliding_window_view(around, (SIDE, SIDE)).sum(axis=(2, 3))
    return shares


def regions(picture: Picture, by_place: Floats) -> dict[str, Any]:
    """Nine regions of the picture: mean brightness, and the sum of their contributions.

    by_place: (height, width).
    """
    parts = list(_parts(picture))
    return {
        "has_regions": bool(parts),
        "regions": REGIONS[: len(parts)],
        "region_brightness": [round(float(picture.grid[part].mean()), 1) for part in parts],
        "region_sums": [float(by_place[part].sum()) for part in parts],
    }


def _parts(picture: Picture) -> Iterator[tuple[slice, slice]]:
    """Where each of REGIONS lies; nothing for a picture too small to be divided."""
    height, width, _ = picture.shape
    if height < 3 or width < 3:
        return
    for rows in np.array_split(np.arange(height), 3):
        for columns in np.array_split(np.arange(width), 3):
            yield slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def extreme_regions(picture: Picture, k: int) -> dict[str, str]:
    """The regions where the weights of class k are highest ("most") and lowest ("least")."""
    slopes = picture.as_map(picture.slopes(k)[0])
    means = [float(slopes[part].mean()) for part in _parts(picture)]
    if not means:
        return {}
    return {"most": REGIONS[means.index(max(means))], "least": REGIONS[means.index(min(means))]}
