"""The steps about an image whose model has patch features: one place worked through, and the map.

The responses and sums are compared with others that are computed from their formula in float64:
they are equal, because sums of multiples of powers of two are exact.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.lesson.example import Example
from softmaxce.lesson.inputs import largest, sums_of_contributions
from softmaxce.lesson.picture import N_PIXELS_SHOWN, Picture, regions, spread
from softmaxce.patches import (
    CONTRAST,
    PIXEL_STEPS,
    SIDE,
    THRESHOLDS,
    PatchFeatures,
    normalised,
    windows,
)

Floats = NDArray[np.float64]
_BLOCK_PLACES = 1024  # a large image has too many places for all responses at once


def _best_match(patches: PatchFeatures, found: NDArray[np.uint8]) -> tuple[float, int, int]:
    """Value, place and patch of the highest response to a patch (not to its mirror image)."""
    bank = patches.bank[:, : patches.n_patches]
    best = (-math.inf, 0, 0)
    for start in range(0, len(found), _BLOCK_PLACES):
        responses = normalised(found[start : start + _BLOCK_PLACES], patches.shape[2]) @ bank
        place, number = divmod(int(responses.argmax()), bank.shape[1])
        best = max(best, (float(responses[place, number]), start + place, number))
    return best


def image_to_patches(picture: Picture) -> dict[str, Any]:
    """The place and filter with the highest response, and the feature to which they add most.

    response_by_hand, sum_by_hand: as `response` and `sum`, from their formula.
    """
    height, width, channels = picture.shape
    patches = picture.model.patches
    assert patches is not None
    cut = windows(picture.pixels.reshape(height, width * channels), channels)
    found = cut.reshape(-1, SIDE, SIDE, channels)
    response, place, number = _best_match(patches, found)
    row, column = divmod(place, patches.n_places[1])
    values = found[place].astype(np.float64)
    point = int(patches.pooling[:, place].argmax())
    index = point * patches.n_patches + number
    total, scale = float(patches.sums(picture.pixels)[index]), float(patches.scales[index])
    feature, scaled = int(picture.inputs[index]), total * scale
    weight = float(patches.pooling[point, place])
    excess = [max(0.0, response - t) for t in THRESHOLDS]
    by_row = values.mean(axis=2).round().astype(int)
    return {
        **_settings(patches),
        "row": row,
        "column": column,
        "patch": number,
        "n_values": values.size,
        "mean": float(values.mean()),
        "variance": float(values.var()),
        "divisor": math.sqrt(values.var() + CONTRAST),
        "response": response,
        "response_by_hand": float(_responses(patches, found[[place]], number)[0]),
        "excess_low": excess[0],
        "excess_middle": excess[1],
        "excess_high": excess[2],
        "weight": weight,
        "added": weight * excess[0],
        "sum": total,
        "sum_by_hand": _sum_by_hand(patches, found, number, point),
        "scale": scale,
        "scaled": scaled,
        "feature": feature,
        "fits": scaled <= 255.5,
        "cut_off": scaled > 255.5,
        "rounding": abs(min(scaled, 255.0) - feature),
        "rows": list(range(row, row + SIDE)),
        "cells": [" ".join(f"{value:>3}" for value in line) for line in by_row.tolist()],
    }


def _settings(patches: PatchFeatures) -> dict[str, Any]:
    """What is the same for every image of a model."""
    n_rows, n_columns = patches.n_places
    return {
        "side": SIDE,
        "n_patches": patches.n_patches,
        "n_rows": n_rows,
        "n_columns": n_columns,
        "n_places": n_rows * n_columns,
        "contrast": CONTRAST,
        **dict(zip(("low", "middle", "high"), THRESHOLDS, strict=True)),
        "grid": patches.grid,
        "n_points": patches.grid**2,
        "n_features": patches.n_features,
        "symmetric": patches.is_symmetric,
        "grey": patches.shape[2] == 1,
        "coloured": patches.shape[2] == 3,
    }


def _responses(patches: PatchFeatures, found: NDArray[np.uint8], number: int) -> Floats:
    """The responses (n_places,) to one filter of the bank, from the formula in float64."""
    values = found.reshape(len(found), -1).astype(np.float32)
    scales = PIXEL_STEPS / np.sqrt(values.var(axis=1, dtype=np.float64) + CONTRAST)
    scaled = values * scales.astype(np.float32)[:, np.newaxis]
    rounded = np.rint(scaled).astype(np.float64) / PIXEL_STEPS
    factors = patches.bank[:, number].astype(np.float64)
    varying = rounded - rounded.mean(axis=1, keepdims=True)
    return np.asarray(varying @ factors[:-1] + factors[-1])


def _sum_by_hand(
    patches: PatchFeatures, found: NDArray[np.uint8], number: int, point: int
) -> float:
    """The sum for a patch at a grid point, above the low threshold, from the responses."""
    counted = [(number, point)]
    if patches.is_symmetric:
        row, column = divmod(point, patches.grid)
        mirrored = row * patches.grid + patches.grid - 1 - column
        counted.append((number + patches.n_pairs, mirrored))
    return math.fsum(
        float(patches.pooling[at] @ np.maximum(_responses(patches, found, k) - THRESHOLDS[0], 0.0))
        for k, at in counted
    )


def logits_of_patches(picture: Picture, example: Example) -> dict[str, Any]:
    """z = xW + b for each class, and the places that contribute most to the winner's logit.

    contributions: what each place adds to it, row by row.
    """
    patches, winner = picture.model.patches, example.winner
    assert patches is not None
    places = patches.contributions(picture.pixels, picture.contributions(winner))
    numbers = sums_of_contributions(picture, example)
    order = largest(places.reshape(-1), N_PIXELS_SHOWN)
    return {
        **numbers,
        "side": SIDE,
        "n_features": patches.n_features,
        "place_rows": [i // patches.n_places[1] for i in order],
        "place_columns": [i % patches.n_places[1] for i in order],
        "place_contributions": [float(places.flat[i]) for i in order],
        "places_and_bias": math.fsum(places.reshape(-1).tolist()) + numbers["biases"][winner],
        "contributions": places.reshape(-1).tolist(),
        **regions(picture, spread(places)),
    }
