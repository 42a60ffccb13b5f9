"""The steps before the logits: from an image to its vector, and through the model's weights.

The inputs are the pixels, or the patch features of the image.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from softmaxce.lesson.example import Example
from softmaxce.lesson.inputs import Floats, ModelInputs, largest, sums_of_contributions
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.patches import SIDE

N_ENDS = 4
N_PIXELS_SHOWN = 5
N_CELLS = 7
REGIONS = ["top left", "top", "top right"]
REGIONS += ["left", "centre", "right"]
REGIONS += ["bottom left", "bottom", "bottom right"]


@dataclass(frozen=True)
class Picture(ModelInputs):
    """An image as its model sees it. pixels: (n_pixels,), 0 … 255, laid row by row."""

    source = "image"
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
    def grid(self) -> NDArray[np.uint8]:
        """The image: (height, width, channels)."""
        return self.pixels.reshape(self.shape)

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
        "n_pixels": len(picture.pixels),
        "contributions": contributions.tolist(),
        **_strongest(picture, contributions, example.winner),
        **regions(picture, picture.as_map(contributions)),
    }


def _strongest(picture: Picture, contributions: Floats, k: int) -> dict[str, Any]:
    _, width, channels = picture.shape
    order = largest(contributions, N_PIXELS_SHOWN)
    slope, _ = picture.slopes(k)
    return {
        "pixel_rows": [i // channels // width for i in order],
        "pixel_columns": [i // channels % width for i in order],
        "pixel_brightness": [int(picture.pixels[i]) for i in order],
        "pixel_weights": [float(slope[i]) for i in order],
        "pixel_contributions": [float(contributions[i]) for i in order],
    }


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
