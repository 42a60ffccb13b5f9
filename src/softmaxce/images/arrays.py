"""An array of pixels → a PIL image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from softmaxce.errors import InputError


def image_of(array: NDArray[np.generic]) -> Image.Image:
    """The image of an array (height, width) or (height, width, channels). Raises InputError."""
    pixels = np.ascontiguousarray(array)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    n_channels = 1 if pixels.ndim == 2 else pixels.shape[-1]
    type_ = pixels.dtype.name
    is_known = type_ == "uint8" or (type_ in ("bool", "uint16") and pixels.ndim == 2)
    if pixels.ndim not in (2, 3) or n_channels > 4 or not pixels.size or not is_known:
        raise InputError(
            f"not the pixels of an image: an array of {type_} with shape {array.shape}: give "
            "uint8, 0 to 255, with shape (height, width) or (height, width, channels)"
        )
    return Image.fromarray(pixels)
