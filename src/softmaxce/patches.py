"""Patch features: how strongly small parts of a picture match patches of the training images.

For a picture, every patch of SIDE × SIDE pixels is contrast-normalised, u = (v − mean v) /
√(var v + CONTRAST), and whitened. Its response r to a filter, which is a whitened patch of unit
length, goes through soft thresholds on both sides, max(0, r − t) and max(0, −r − t). The results
are summed over the places of the picture, weighted by their nearness to the points of a grid, and
rounded to one byte. So a picture becomes a vector of bytes like the pixels, in which 0 means that
nothing matches; and since the features are sums over places, so are the logits.

The bytes do not depend on the order of summation: normalised pixels are multiples of 1/16, filters
of 1/64 and pooling weights of 1/16, so the sums of a strip of places are multiples of 2^-14, which
float32 holds exactly below 2^10. docs/photographs.md says how large they are.

Sources: Coates, Lee and Ng 2011; Coates and Ng 2012; Thiry et al. 2021.

Filters come in mirror pairs: a patch and its mirror image. If `is_symmetric`, the features of a
picture and of its mirror image are added, so that both have the same logits. That is what
training on all pictures and their mirror images would give, because the problem is convex and
symmetric, with half the features. Otherwise each filter has features of its own.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial, reduce
from typing import Any, ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from softmaxce.row_threads import row_threads

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

SIDE = 6  # pixels
THRESHOLDS = (0.25, 0.625, 1.25)
CONTRAST = 100.0  # of brightnesses squared: patches that vary by less than about 10 are noise
# The responses of so many places to so many filters stay in the second-level cache.
_STRIP_PLACES, _BLOCK_FILTERS = 1024, 128
_TASK_PICTURES = 16
# Steps per 1 of normalised pixels, filters, and the distance between grid points.
PIXEL_STEPS, FILTER_STEPS, _GRID_STEPS = 16, 64, 4


@dataclass(frozen=True, eq=False)
class PatchFeatures:
    """Turns the pixel vectors of pictures into feature vectors.

    shape: (height, width, channels) of a picture; grid: number of grid points in each direction;
    is_symmetric: see above; filters: float32 (SIDE · SIDE · channels + 1, n_pairs), which apply to
    the contrast-normalised pixels of a patch, row by row, and to a 1 (whitening and its centre are
    folded in): multiples of 1 / FILTER_STEPS that sum to 0, and one of 1 / (FILTER_STEPS ·
    PIXEL_STEPS); scales: float32 (n_features,), by which the sums are multiplied before rounding.
    """

    shape: tuple[int, int, int]
    grid: int
    is_symmetric: bool
    filters: Floats
    scales: Floats

    dtype: ClassVar[type] = np.uint8

    @property
    def row_bytes(self) -> int:
        """Bytes of the features of a picture."""
        return self.n_features * np.dtype(self.dtype).itemsize

    @property
    def n_pairs(self) -> int:
        """Number of pairs of filters."""
        return int(self.filters.shape[1])

    @property
    def n_patches(self) -> int:
        """Number of filters with features of their own: one of each pair if this is symmetric."""
        return self.n_pairs * (1 if self.is_symmetric else 2)

    @property
    def n_features(self) -> int:
        """Length of a feature vector: for each threshold those above it, then those of −r; in each
        the grid points row by row, and for each point one feature per filter."""
        return n_features(self.grid, self.n_pairs, self.is_symmetric)

    @property
    def n_places(self) -> tuple[int, int]:
        """Number of patches in a picture: (rows, columns)."""
        return self.shape[0] - SIDE + 1, self.shape[1] - SIDE + 1

    @property
    def strip_rows(self) -> int:
        """Rows of places that are computed at a time."""
        n_rows, n_columns = self.n_places
        return min(n_rows, max(1, _STRIP_PLACES // n_columns))

    @cached_property
    def bank(self) -> Floats:
        """Both filters of all pairs: (SIDE · SIDE · channels + 1, 2 · n_pairs)."""
        return np.hstack([self.filters, self.filters[mirrored(self.shape[2])]])

    @cached_property
    def _filter_blocks(self) -> list[tuple[int, Floats]]:
        """Some filters of the bank at a time, and the position of the first."""
        starts = range(0, self.bank.shape[1], _BLOCK_FILTERS)
        return [(i, np.ascontiguousarray(self.bank[:, i : i + _BLOCK_FILTERS])) for i in starts]

    @cached_property
    def pooling(self) -> Floats:
        """The weight of each place (row by row) at each point of the grid: (grid², n_places)."""
        rows, columns = (_nearness(n, self.grid) for n in self.n_places)
        weights = np.einsum("ik,jl->klij", rows, columns)
        return np.ascontiguousarray(weights.reshape(self.grid**2, -1), np.float32)

    @cached_property
    def mirrored_points(self) -> NDArray[np.intp]:
        """Where each point of the grid is in the mirror image."""
        points = np.arange(self.grid**2).reshape(self.grid, self.grid)
        return points[:, ::-1].reshape(-1)

    @cached_property
    def _nothing(self) -> Floats:
        """What `sums` subtracts: t · n, with n the sum of the weights at each point of the grid."""
        limits = np.array(THRESHOLDS, np.float32).reshape(-1, 1, 1, 1)
        return np.asarray(limits * self.pooling.sum(axis=1, keepdims=True))

    def of(self, pixels: NDArray[np.uint8]) -> Bytes:
        """The features (n, n_features) of pictures (n, n_pixels), each computed by itself."""
        features = np.empty((len(pixels), self.n_features), np.uint8)

        def task(start: int) -> None:
            memory = Memory(self)
            for position in range(start, min(start + _TASK_PICTURES, len(pixels))):
                features[position] = self.rounded(self.sums(pixels[position], memory))

        with row_threads() as run_tasks:
            deque(run_tasks(task, range(0, len(pixels), _TASK_PICTURES)), maxlen=0)
        return features

    def rounded(self, sums: Floats) -> Bytes:
        """The sums (…, n_features), scaled and rounded to bytes."""
        scaled = sums * self.scales
        np.minimum(np.rint(scaled, out=scaled), 255, out=scaled)  # no copies: there may be many
        return scaled.astype(np.uint8)

    def sums(self, pixels: NDArray[np.uint8], memory: Memory | None = None) -> Floats:
        """The sums over the places of a picture (n_pixels,), before they are scaled.

        memory: `Memory(self)`, to be used for picture after picture.
        """
        memory = memory or Memory(self)
        strips = (self._pooled(w, p, memory) for w, p in self._strips(pixels, memory))
        pooled = reduce(partial(np.add, dtype=np.float64), strips)
        pooled -= self._nothing
        return self._joined(pooled).reshape(-1).astype(np.float32, copy=False)

    def _pooled(self, weights: Floats, patches: Floats, memory: Memory) -> Floats:
        """The sums over some places, with a threshold for every response that does not reach it:
        (n_thresholds, 2, grid², 2 · n_pairs).

        Σ max(0, r − t) = Σ max(r, t) − t·n needs one pass over the responses; so does the other
        side, Σ max(0, −r − t) = −Σ min(r, −t) − t·n.
        """
        limits = np.array(THRESHOLDS, np.float32)[:, np.newaxis, np.newaxis]
        pooled = np.empty((len(limits), 2, self.grid**2, 2 * self.n_pairs), np.float32)
        for start, filters in self._filter_blocks:
            responses, beyond = memory.of_block(len(patches), filters.shape[1])
            block = pooled[..., start : start + filters.shape[1]]
            np.matmul(patches, filters, out=responses)
            np.matmul(weights, np.maximum(responses, limits, out=beyond), out=block[:, 0])
            np.matmul(-weights, np.minimum(responses, -limits, out=beyond), out=block[:, 1])
        return pooled

    def joined(self, sums: Floats) -> Floats:
        """The sums (n, n_features) of these features from those without symmetry."""
        by_point = sums.reshape(len(sums), -1, self.grid**2, 2 * self.n_pairs)
        return np.asarray(self._joined(by_point)).reshape(len(sums), -1)

    def _joined(self, pooled: NDArray[Any]) -> NDArray[Any]:
        """Sums (…, grid², 2 · n_pairs), with those of a picture and its mirror image added if this
        is symmetric: the mirror image has the response of the other filter at the mirrored point.
        """
        if not self.is_symmetric:
            return pooled
        twins = pooled[..., self.mirrored_points, self.n_pairs :]
        return np.asarray(pooled[..., : self.n_pairs] + twins)

    def _shared(self, of_features: NDArray[Any]) -> NDArray[Any]:
        """One number for each feature, given to every sum (…, grid², 2 · n_pairs) in it."""
        if not self.is_symmetric:
            return of_features
        return np.concatenate([of_features, of_features[..., self.mirrored_points, :]], axis=-1)

    def _strips(
        self, pixels: NDArray[np.uint8], memory: Memory | None = None
    ) -> Iterator[tuple[Floats, Floats]]:
        """Some rows of places at a time: their pooling weights (grid², n_places), and the patches
        as `normalised` returns them, in the memory if there is one."""
        height, width, channels = self.shape
        n_rows, n_columns = self.n_places
        values = pixels.reshape(height, width * channels)
        step = self.strip_rows
        for first in range(0, n_rows, step):
            found = windows(values[first : first + step + SIDE - 1], channels)
            patches = normalised(found, channels, memory.patches if memory else None)
            start = first * n_columns
            yield self.pooling[:, start : start + len(patches)], patches

    def contributions(
        self, pixels: NDArray[np.uint8], of_features: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """What each place of a picture (n_pixels,) adds to a logit, to which the features add
        `of_features` (n_features,): (rows, columns) of places.

        A feature's contribution is divided among the places in proportion to what they add to its
        sum.
        """

        def strips() -> Iterator[tuple[Floats, NDArray[np.float64]]]:
            # Runs twice: the activations of all places of a large picture would fill the memory.
            for weights, patches in self._strips(pixels):
                yield weights, _activations(patches @ self.bank)

        sums = self._joined(np.asarray(sum(weights @ a for weights, a in strips())))
        parts = np.zeros(sums.shape)
        np.divide(of_features.reshape(sums.shape), sums, out=parts, where=sums > 0)
        shared = np.swapaxes(self._shared(parts), 1, 2)  # (…, 2 · n_pairs, grid²)
        by_strip = [((a @ shared) * weights.T).sum(axis=(0, 2)) for weights, a in strips()]
        return np.concatenate(by_strip).reshape(self.n_places)


class Memory:
    """Memory for what is computed for each picture: fresh memory takes longer to map than to fill.

    patches: as `normalised` returns them.
    """

    def __init__(self, features: PatchFeatures) -> None:
        n_places = features.strip_rows * features.n_places[1]
        self.patches: Floats = np.empty((n_places, len(features.filters)), np.float32)
        self._of_block: Floats = np.empty(
            (1 + len(THRESHOLDS)) * n_places * _BLOCK_FILTERS, np.float32
        )

    def of_block(self, n_places: int, n_filters: int) -> tuple[Floats, Floats]:
        """Room for responses (n_places, n_filters), and for them beyond each threshold."""
        shape = 1 + len(THRESHOLDS), n_places, n_filters
        room = self._of_block[: math.prod(shape)].reshape(shape)
        return room[0], room[1:]


def _activations(responses: Floats) -> NDArray[np.float64]:
    """What is summed: the responses (n_places, n_filters) beyond each threshold, on both sides."""
    exact = responses.astype(np.float64)
    beyond = [np.maximum(sign * exact - t, 0) for t in THRESHOLDS for sign in (1, -1)]
    return np.stack(beyond)


def n_features(grid: int, n_pairs: int, is_symmetric: bool) -> int:
    """Length of the feature vector of so many pairs of filters and points in each direction."""
    return 2 * len(THRESHOLDS) * grid**2 * n_pairs * (1 if is_symmetric else 2)


def windows(image: NDArray[Any], channels: int) -> NDArray[Any]:
    """A view of the patches of rows of pixels (n_rows, width · channels), by row and column:
    (…, …, SIDE, SIDE · channels)."""
    return sliding_window_view(image, (SIDE, SIDE * channels))[:, ::channels]


def normalised(patches: NDArray[Any], channels: int, memory: Floats | None = None) -> Floats:
    """Contrast-normalised patches, and a 1 after each: (n, SIDE · SIDE · channels + 1).

    patches: 0 … 255; the values of a patch, row by row, fill the last axes. Their mean is left in,
    because the filters ignore it; they are rounded to multiples of 1 / PIXEL_STEPS. memory: for the
    result, at least n rows.
    """
    size = SIDE * SIDE * channels
    n = patches.size // size
    with_one = np.empty((n, size + 1), np.float32) if memory is None else memory[:n]
    with_one[:, :-1].reshape(patches.shape)[...] = patches  # a view
    with_one[:, -1] = 1
    # Integers up to 2^24 are exact in float32.
    total = (with_one @ np.ones(size + 1, np.float32) - 1).astype(np.float64)
    squares = (np.einsum("ij,ij->i", with_one, with_one) - 1).astype(np.float64)
    variance = (size * squares - total * total) / size**2
    scale = PIXEL_STEPS / np.sqrt(variance + CONTRAST)
    with_one *= scale.astype(np.float32)[:, np.newaxis]
    np.rint(with_one, out=with_one)
    with_one *= np.float32(1 / PIXEL_STEPS)
    with_one[:, -1] = 1
    return with_one


def mirrored(channels: int) -> NDArray[np.intp]:
    """Where the values of a mirrored patch, and the 1 after them, are in the patch."""
    size = SIDE * SIDE * channels
    places = np.arange(size).reshape(SIDE, SIDE, channels)[:, ::-1].reshape(-1)
    return np.append(places, size)


def _nearness(n_places: int, grid: int) -> NDArray[np.float64]:
    """The weight of each of n places in a row at each point of the grid: (n_places, grid).

    The points are the centres of equal parts. Between two points, the weights of both fall
    linearly with the distance, in _GRID_STEPS steps; they sum to 1.
    """
    position = _GRID_STEPS * ((2 * np.arange(n_places) + 1) * grid - n_places) / (2 * n_places)
    inside = np.clip(np.rint(position) / _GRID_STEPS, 0, grid - 1)
    return np.asarray(np.maximum(0, 1 - np.abs(inside[:, np.newaxis] - np.arange(grid))))
