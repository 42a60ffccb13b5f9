"""A worker's side: the tasks. Each is a pure function of its arguments, so that Dask may run it on
any worker, and repeat it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.cluster.ranges import Range, RangeSummary, checked, read, with_pixels
from softmaxce.errors import ImageError
from softmaxce.images.info import ImageInfo
from softmaxce.images.reading import read_info
from softmaxce.training.objective import Floats, Objective, Sums
from softmaxce.training.rows import Rows


@dataclass(frozen=True)
class ChosenRows:
    """The rows of a range that one objective sums over; see Rows and Objective."""

    range: Range
    labels: NDArray[np.integer[Any]]
    index: NDArray[np.integer[Any]] | None
    row_weights: Floats | None
    n_classes: int

    def __sizeof__(self) -> int:
        return self.range.__sizeof__()


def identity(value: Any) -> Any:
    """`value`: as a task, it makes something that was sent once the result of a task."""
    return value


def summary_of(handle: Range) -> RangeSummary:
    """The part of a handle that the driver needs."""
    return handle.summary


def choose(handle: Range, checksum: str, *fields: Any) -> ChosenRows:
    """A range together with the rows to sum. Raises DataError if its pixels have changed."""
    return ChosenRows(checked(handle, checksum), *fields)


def sums(chosen: ChosenRows, parameters: NDArray[Any]) -> Sums:
    """The sums over the chosen rows of a range, which is an aligned subtree of blocks."""

    def over(pixels: Any) -> Sums:
        rows = Rows(pixels, chosen.labels, chosen.index)
        return Objective(rows, chosen.n_classes, 0.0, row_weights=chosen.row_weights).sums_at(
            parameters
        )

    return with_pixels(chosen.range, over)  # type: ignore[no-any-return]


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


def rows_of(pixels: NDArray[np.uint8], _columns: NDArray[Any], _shared: None) -> NDArray[np.uint8]:
    """The pixels themselves, for `apply`."""
    return pixels


def headers(paths: Sequence[str]) -> list[ImageInfo]:
    """Sizes and colours from the headers of those of the files that can be read."""
    found = []
    for path in paths:
        try:
            content = read(path)
            found.append(read_info(BytesIO(content) if isinstance(content, bytes) else content))
        except ImageError:
            continue  # reported when it is decoded
    return found
