"""The range of the pixels, which every fit divides out.

Pixels that are multiplied by a constant pose the same problem, so they must get the same answer.
"""

from __future__ import annotations

import numpy as np

from softmaxce.errors import InputError
from softmaxce.training.objective import Floats, check_finite
from softmaxce.training.rows import Rows

_SAMPLE_VALUES = 1 << 20  # pixel values that the estimate is based on
_MIN_SAMPLE_ROWS = 128
_CONSTANT = 1e-12  # relative deviations below this are rounding errors


def spread_of(rows: Rows, row_weights: Floats | None) -> float:
    """Standard deviation of the pixels: the root of their mean variance over the rows.

    Each pixel varies about its own mean. Long matrices are represented by evenly spaced rows. For
    pixels that do not vary, it is their largest absolute value, or 1 if all are 0. Raises
    TrainingError for pixels that are not finite, and InputError if their squares or sums would not
    be.
    """
    n = len(rows)
    n_sampled = min(n, max(_SAMPLE_VALUES // rows.n_pixels, _MIN_SAMPLE_ROWS))
    sampled = np.arange(n_sampled) * n // n_sampled
    pixels = rows.matrix.copy_rows(rows.positions(sampled)).astype(np.float64)
    check_finite(pixels)
    largest = float(np.abs(pixels).max())
    if largest == 0:
        return 1.0
    pixels /= largest  # so that no square overflows
    weights = np.ones(n_sampled) if row_weights is None else row_weights[sampled]
    weights = weights / weights.sum()
    pixels -= weights @ pixels
    deviation = float(np.sqrt(weights @ np.einsum("ij,ij->i", pixels, pixels) / rows.n_pixels))
    spread = largest * (deviation if deviation > _CONSTANT else 1.0)
    limit = 1e30 if rows.dtype == np.float32 else 1e150
    if not 1 / limit < spread < limit:
        raise InputError(
            f"the values vary by about {spread:.0e}: multiply them by a constant, so that they "
            "vary by about 1"
        )
    return spread
