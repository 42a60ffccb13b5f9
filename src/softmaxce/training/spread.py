"""The range of the pixels, which every fit divides out.

Pixels that are multiplied by a constant pose the same problem, so they must get the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from softmaxce.errors import InputError
from softmaxce.training.objective import Floats, check_finite
from softmaxce.training.rows import Rows

_SAMPLE_VALUES = 1 << 20  # pixel values that the estimate is based on
_MIN_SAMPLE_ROWS = 128
_CONSTANT = 1e-12  # relative deviations below this are rounding errors


@dataclass(frozen=True)
class Spread:
    """How pixels vary over the rows.

    centre and deviations: mean and standard deviation of each pixel, (n_pixels,); overall: root of
    the mean variance; typical: median deviation of the pixels that vary, which a few features of
    another magnitude do not change. Both are positive: without variation they are the largest
    absolute value, or 1 if all pixels are 0.
    """

    centre: Floats
    deviations: Floats
    overall: float
    typical: float


def spread_of(rows: Rows, row_weights: Floats | None) -> Spread:
    """The spread of the pixels; long matrices are represented by evenly spaced rows.

    Raises TrainingError for pixels that are not finite, and InputError if their squares or sums
    would not be.
    """
    n = len(rows)
    n_sampled = min(n, max(_SAMPLE_VALUES // rows.n_pixels, _MIN_SAMPLE_ROWS))
    sampled = np.arange(n_sampled) * n // n_sampled
    pixels = rows.matrix.copy_rows(rows.positions(sampled)).astype(np.float64)
    check_finite(pixels)
    largest = float(np.abs(pixels).max()) or 1.0
    pixels /= largest  # so that no square overflows
    weights = np.ones(n_sampled) if row_weights is None else row_weights[sampled]
    weights = weights / weights.sum()
    centre = weights @ pixels
    pixels -= centre
    deviations = np.sqrt(weights @ (pixels * pixels))
    varying = deviations[deviations > _CONSTANT]
    overall = typical = largest
    if len(varying):
        overall *= float(np.sqrt(np.mean(deviations**2)))
        typical *= float(np.median(varying))
    limit = 1e30 if rows.dtype == np.float32 else 1e150
    if not all(1 / limit < value < limit for value in (overall, typical)):
        raise InputError(
            f"the values vary by about {overall:.0e}: multiply them by a constant, so that they "
            "vary by about 1"
        )
    return Spread(centre * largest, deviations * largest, overall, typical)
