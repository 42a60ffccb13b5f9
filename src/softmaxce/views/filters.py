"""The filters of patch features as pictures: 0 is medium grey, what is negative is darker."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.patches import SIDE, THRESHOLDS, PatchFeatures
from softmaxce.views.pictures import Floats, Pixels, in_rgb

N_FILTERS = 64
N_PER_CLASS = 6
_COLUMNS = 8


def most_used(model: SoftmaxModel) -> Pixels:
    """The filters with the largest weights in the first layer, the sums of absolute values."""
    patches, weights = _weights(model)
    order = np.argsort(-np.abs(weights).sum(axis=(0, 1, 2, 4)), kind="stable")[:N_FILTERS].tolist()
    rows = [order[i : i + _COLUMNS] for i in range(0, len(order), _COLUMNS)]
    return _sheet(patches, [[(number, 1) for number in row] for row in rows])


def for_and_against(model: SoftmaxModel, k: int) -> Pixels:
    """Two rows of patches: those that raise the logit of class k of a linear model most, and those
    that lower it most, by their weights, summed over the grid and the thresholds.

    A patch that does so where its response is negative is shown as its negative.
    """
    patches, weights = _weights(model)
    by_sign = weights[..., k].sum(axis=(0, 2))  # (2, n_patches)
    order = np.argsort(-by_sign, axis=None, kind="stable").tolist()
    places = [divmod(place, patches.n_patches) for place in order]
    signed = [(number, -1 if sign else 1) for sign, number in places]
    n = min(N_PER_CLASS, len(signed) // 2)
    return _sheet(patches, [signed[:n], signed[: -n - 1 : -1]])


def _weights(model: SoftmaxModel) -> tuple[PatchFeatures, Floats]:
    """The patches, and the weights of the first layer by threshold, sign, grid point and patch:
    (n_thresholds, 2, grid², n_patches, n_outputs)."""
    patches = model.patches
    assert patches is not None
    shape = (len(THRESHOLDS), 2, patches.grid**2, patches.n_patches, -1)
    return patches, model.layers[0].weights.reshape(shape)


def _sheet(patches: PatchFeatures, rows: Sequence[Sequence[tuple[int, int]]]) -> Pixels:
    """Filters, each by its number and its sign, in rows, with a white line between them."""
    step = SIDE + 1
    sheet = np.full((len(rows) * step - 1, len(rows[0]) * step - 1, 3), 255, np.uint8)
    for r, row in enumerate(rows):
        for c, (number, sign) in enumerate(row):
            values = sign * patches.bank[:-1, number].reshape(SIDE, SIDE, patches.shape[2])
            shades = 127.5 + 127.5 * values / max(float(np.abs(values).max()), 1e-30)
            place = slice(r * step, r * step + SIDE), slice(c * step, c * step + SIDE)
            sheet[place] = in_rgb(np.rint(shades).astype(np.uint8))
    return sheet
