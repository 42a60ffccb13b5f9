"""Pictures on which an exported file can be compared with its model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def sample_picture(height: int, width: int) -> NDArray[np.uint8]:
    """A colourful picture (height, width, 3), the same every time."""
    chance = np.random.default_rng([height, width])
    rows, columns, channels = np.ogrid[:height, :width, :3]
    waves = 128 + 90 * np.sin(rows * 9 / height + channels) * np.cos(columns * 7 / width)
    return (waves + chance.normal(0, 30, (height, width, 3))).clip(0, 255).astype(np.uint8)
