"""A worker's side: the tasks. Each is a pure function of its arguments, so that Dask may run it
anywhere and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.cluster.ranges import (
    Facts,
    Files,
    PixelFile,
    Range,
    checked,
    opened,
    read,
    with_pixels,
)
from softmaxce.errors import ImageError
from softmaxce.images.info import ImageInfo
from softmaxce.images.reading import read_info
from softmaxce.training.objective import Floats, Objective, Rows, Sums, tree_sum


@dataclass(frozen=True)
class Chosen:
    """The rows of a range that one objective sums over; see Rows and Objective."""

    range: Range
    labels: NDArray[np.integer[Any]]
    index: NDArray[np.integer[Any]] | None
    row_weights: Floats | None
    n_classes: int

    def __sizeof__(self) -> int:
        return self.range.__sizeof__()


def same(value: Any) -> Any:
    """A value that was sent once, as the result of a task that Dask can repeat."""
    return value


def open_range(files: Files) -> Range:
    """Decode a range here."""
    return opened(files)


def facts_of(handle: Range) -> Facts:
    """What the driver wants to know of the range's images."""
    return handle.facts


def choose(handle: Range, checksum: str, *rest: Any) -> Chosen:
    """Bring a range and the rows to sum together."""
    return Chosen(checked(handle, checksum), *rest)


def sums(chosen: Chosen, parameters: NDArray[Any]) -> Sums:
    """The sums over the chosen rows of a range: those of an aligned subtree of leaves."""

    def summed(pixels: PixelFile) -> Sums:
        rows = Rows(pixels, chosen.labels, chosen.index)  # type: ignore[arg-type]
        return Objective(rows, chosen.n_classes, 0.0, row_weights=chosen.row_weights).sums_at(
            parameters
        )

    return with_pixels(chosen.range, summed)  # type: ignore[no-any-return]


def merge(parts: Sequence[Sums]) -> Sums:
    """The sum of neighbouring subtrees, which are not changed."""
    return tree_sum(parts)  # type: ignore[no-any-return]


def apply(
    handle: Range,
    checksum: str,
    where: NDArray[np.integer[Any]],
    function: Callable[..., Any],
    *arguments: Any,
) -> Any:
    """function(pixels of these rows of the range, *arguments)."""
    checked(handle, checksum)
    return with_pixels(handle, lambda pixels: function(pixels[where].copy(), *arguments))


def rows_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The pixels themselves."""
    return pixels


def headers(paths: Sequence[str]) -> list[ImageInfo]:
    """What the headers of the files say, of those that can be read."""
    found = []
    for path in paths:
        try:
            content = read(path)
            found.append(read_info(BytesIO(content) if isinstance(content, bytes) else content))
        except ImageError:
            continue  # named when it is decoded
    return found
