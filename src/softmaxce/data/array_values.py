"""Arrays as people save them → uint8 pixels or features, and class names, where their meaning is
certain."""

from __future__ import annotations

from collections.abc import Iterator
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.class_names import normalized
from softmaxce.preprocessing import FeatureVectors

_SCALES = (  # from, to, and how to make bytes of these values
    (0, 1, ', here with (x * 255).round().astype("uint8")'),
    (0, 255, ', here with x.round().astype("uint8")'),
    (-1, 1, ', here with ((x + 1) * 127.5).round().astype("uint8")'),
)

_BLOCK_VALUES = 2**20


def are_features(array: NDArray[Any]) -> bool:
    """Whether an array that has no name which says so holds features: rows of floats, other than
    the pixels of square images (whole numbers from 0 to 255, of which one is above 1)."""
    if len(array.shape) != 2 or array.dtype.kind != "f":
        return False
    if isqrt(array.shape[1]) ** 2 != array.shape[1] or 0 in array.shape:
        return True
    highest = 0.0
    for block in blocks_of_rows(array):
        if not ((block >= 0) & (block <= 255) & (block == np.rint(block))).all():
            return True
        highest = max(highest, block.max())
    return highest <= 1


def blocks_of_rows(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Copies of the rows of a matrix, which may be in a file, in blocks of about a million values;
    of at least float32, in which sums and squares of float16 do not overflow."""
    step = max(1, _BLOCK_VALUES // max(array.shape[1], 1))
    wide = np.result_type(array.dtype, np.float32)
    return (array[at : at + step].astype(wide) for at in range(0, array.shape[0], step))


def check_features(features: NDArray[Any], names: NDArray[Any] | None) -> FeatureVectors:
    """The number and the names of the features. Raises ValueError, which says what to do."""
    shape, dtype = features.shape, features.dtype
    if len(shape) != 2 or 0 in shape:
        raise ValueError(f"the features have the shape {shape}; save them as (rows, features)")
    if dtype.kind != "f" or dtype.itemsize > 8:
        raise ValueError(f'the features are {dtype}; save them as x.astype("float32")')
    if names is None:
        return FeatureVectors(shape[1])
    if names.dtype.kind not in "US" or names.size != shape[1]:
        raise ValueError(
            f"feature_names has the shape {names.shape} and type {names.dtype}, but there are "
            f"{shape[1]} features; save one name for each of them"
        )
    texts = _texts(names.reshape(-1))
    if len(set(texts)) < len(texts):
        repeated = next(name for name in texts if texts.count(name) > 1)
        raise ValueError(f"feature_names repeats '{repeated}'; give each feature its own name")
    return FeatureVectors(shape[1], tuple(texts))


def as_pixels(images: NDArray[Any]) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Images (n, height, width) or (n, height, width, 3), and notes on what was converted.

    Raises ValueError, which says what to do.
    """
    if images.ndim and not len(images):
        raise ValueError("it contains no images")
    if images.ndim == 2 and isqrt(images.shape[1]) ** 2 == images.shape[1] > 0:
        side = isqrt(images.shape[1])
        images = images.reshape(-1, side, side)
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    elif images.ndim == 4 and images.shape[1] == 1 and images.shape[3] not in (3, 4):
        images = images[:, 0]
    is_grey, is_colour = images.ndim == 3, images.ndim == 4 and images.shape[3] in (3, 4)
    if not (is_grey or is_colour) or 0 in images.shape:
        raise ValueError(
            f"the pixels have the shape {images.shape}; save them as (images, height, width) or "
            f"(images, height, width, 3){_how_to_reshape(images.shape)}"
        )
    pixels, notes = _as_bytes(images)
    if is_colour and pixels.shape[3] == 4:
        if (pixels[..., 3] != 255).any():
            raise ValueError(
                "the pixels have an alpha channel; composite them on a background and save them "
                "as (images, height, width, 3)"
            )
        pixels = pixels[..., :3]
    return pixels, notes


def _how_to_reshape(shape: tuple[int, ...]) -> str:
    if len(shape) == 4 and shape[1] in (1, 3, 4):
        return ", here with np.moveaxis(x, 1, 3)"
    if len(shape) == 4 and shape[2] in (1, 3, 4):
        return ", here with np.moveaxis(x, 3, 0)"
    side = isqrt(shape[1] // 3) if len(shape) == 2 else 0
    if side and 3 * side * side == shape[1]:
        return (
            f", here with x.reshape(-1, {side}, {side}, 3) or, if the red values come first, with "
            f"np.moveaxis(x.reshape(-1, 3, {side}, {side}), 1, 3)"
        )
    if len(shape) == 1:
        return ", or features as (rows, features)"
    advice = f"; {shape[1]} pixels per image are not a square; save features as floats"
    return advice if side else ""


def _as_bytes(images: NDArray[Any]) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    if images.dtype == np.uint8:
        return images, ()
    if images.dtype == np.bool_:
        return images * np.uint8(255), ()
    if images.dtype.kind not in "iuf":
        raise ValueError(f"the pixels are {images.dtype}; save them as uint8, 0 to 255")
    low, high = images.min(), images.max()
    if not np.isfinite([low, high]).all():
        raise ValueError("the pixels contain NaN or infinite values; leave these images out")
    if low >= 0 and high <= 255 and (images.dtype.kind != "f" or high > 1):
        pixels = images.astype(np.uint8)
        if images.dtype.kind != "f" or (pixels == images).all():
            return pixels, ()
    if images.dtype == np.uint16:
        pixels = (images // 257 + (images % 257 > 128)).astype(np.uint8)
        return pixels, (f"16-bit pixels, at most {high}, were scaled to 8 bits (65535 to 255)",)
    scale = next((how for a, b, how in _SCALES if a <= low and high <= b), "")
    raise ValueError(
        f"the pixels are {images.dtype}, from {low:.4g} to {high:.4g}; save them as uint8, 0 to "
        f"255{scale}"
    )


def as_labels(
    labels: NDArray[Any], n_images: int, class_names: NDArray[Any] | None, images: str = "images"
) -> tuple[str, ...]:
    """The class of each image: the name at its label's index, or the label itself.

    labels may be one-hot rows; images: what is labelled, in words. Raises ValueError, which says
    what to do.
    """
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        raise ValueError("the labels contain NaN; leave out the images without a label")
    if labels.ndim == 2 and len(labels) == n_images and labels.shape[1] > 1:
        is_one = labels == 1
        if labels.dtype.kind not in "biuf" or not (
            (is_one | (labels == 0)).all() and (is_one.sum(axis=1) == 1).all()
        ):
            raise ValueError(
                f"the labels have the shape {labels.shape}, but are not one-hot; save one label "
                "per image"
            )
        labels = is_one.argmax(axis=1)
    if labels.size != n_images or max(labels.shape, default=0) != n_images:
        raise ValueError(
            f"there are {n_images} {images}, but the labels have the shape {labels.shape}"
        )
    labels = labels.reshape(-1)
    if labels.dtype.kind == "f" and (labels == np.rint(labels)).all():
        labels = labels.astype(np.int64)
    if class_names is not None and labels.dtype.kind in "biu":
        names = _texts(class_names.reshape(-1))
        if len(set(names)) < len(names):
            repeated = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"the class names repeat: '{repeated}'; give each class its own name")
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= len(names):
            raise ValueError(
                f"the labels are {low} to {high}, which are not indices of the {len(names)} class "
                "names"
            )
        return tuple(names[label] for label in labels.astype(np.int64).tolist())
    return tuple(_texts(labels))


def _texts(values: NDArray[Any]) -> list[str]:
    if values.dtype.kind not in "biuUS":
        raise ValueError(f"the labels are {values.dtype}; save them as integers or names")
    if values.dtype.kind == "S":
        try:
            return [normalized(value.decode()) for value in values.tolist()]
        except UnicodeDecodeError:
            raise ValueError("the labels are bytes, but not UTF-8; save them as text") from None
    return [normalized(str(value)) for value in values.tolist()]
