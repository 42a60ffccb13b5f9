"""Filters for patch features, learned from patches of the training images.

Patches from random places are contrast-normalised, whitened (ZCA) and clustered by spherical
k-means (Coates and Ng 2012). Every step treats a patch and its mirror image alike, so that filters
come in mirror pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.errors import DataError
from softmaxce.patches import (
    FILTER_STEPS,
    PIXEL_STEPS,
    SIDE,
    PatchFeatures,
    mirrored,
    normalised,
    windows,
)
from softmaxce.row_threads import row_threads

_N_PATCHES = 50_000
_N_IMAGES = 10_000  # that patches are taken from
_N_ROUNDS = 10
_RIDGE = 0.1  # added to the variances, of about 0.01 to 10, before they are whitened
_DEVIATIONS = 6.0  # above the mean; larger sums become 255
_LARGE = 48  # pixels of the shorter side
_SMALLEST = 0.1  # sum that becomes 255, so that features that hardly ever respond stay small
_FLAT = 1e-3  # smallest norm of a contrast-normalised patch that shows something

Matrix = NDArray[np.floating[Any]]
RunTasks = Callable[..., Iterator[Any]]


def learn_patches(
    pixels: Any,
    rows: NDArray[np.integer[Any]],
    shape: tuple[int, int, int],
    *,
    n_pairs: int,
    seed: int = 0,
) -> PatchFeatures:
    """Features for pictures of this shape (height, width, channels), without symmetry and scales.

    pixels: (n, n_pixels) uint8; rows: which of them to learn from, in an order on which the result
    depends. Raises DataError if the pictures are too small or their patches too few or too flat.
    """
    if min(shape[:2]) < SIDE:
        raise DataError(
            f"no patches: the images are {shape[1]} × {shape[0]} pixels, smaller than a patch of "
            f"{SIDE} × {SIDE}; use a larger --size, or --features pixels"
        )
    rng = np.random.default_rng(seed)
    patches = _sampled(pixels, rows, shape, rng)
    if len(patches) < n_pairs:
        fewer = "use fewer with --features patches:N, or " if len(patches) > 1 else "use "
        raise DataError(
            f"too few patches for {n_pairs} filters: only {len(patches):,} in the training images "
            f"are not of one colour; {fewer}--features pixels"
        )
    twin = mirrored(shape[2])[:-1]
    centre = patches.mean(axis=0)
    centre = (centre + centre[twin]) / 2
    patches -= centre
    whitening = _whitening(patches, twin)
    white = _unit(patches @ whitening.astype(np.float32))
    with row_threads() as run_tasks:
        clusters = _cluster(white, n_pairs, twin, run_tasks).astype(np.float64)
    exact = whitening @ clusters.T
    filters = _in_steps(exact - exact.mean(axis=0))  # the mean of a patch does not matter
    steps = FILTER_STEPS * PIXEL_STEPS
    offsets = np.rint(-centre @ filters * steps) / steps
    with_offset = np.vstack([filters, offsets]).astype(np.float32)
    grid = grid_of(shape, is_symmetric=True)
    return PatchFeatures(shape, grid, False, with_offset, np.ones(0, np.float32))


def _in_steps(filters: Matrix) -> Matrix:
    """Filters (n_values, n) of sum 0, rounded to multiples of 1 / FILTER_STEPS whose sum is exactly
    0: down, except for the values with the largest remainders."""
    steps = filters * FILTER_STEPS
    down = np.floor(steps)
    n_up = np.rint((steps - down).sum(axis=0))
    ranks = np.argsort(np.argsort(down - steps, axis=0, kind="stable"), axis=0)
    return np.asarray((down + (ranks < n_up)) / FILTER_STEPS)


def grid_of(shape: tuple[int, int, int], is_symmetric: bool) -> int:
    """Number of grid points in each direction: more for large pictures, and for digits and other
    signs without mirror symmetry, where the place of a stroke matters more."""
    if min(shape[:2]) >= _LARGE:
        return 5
    return 3 if is_symmetric else 4


def _sampled(
    pixels: Any, rows: NDArray[Any], shape: tuple[int, int, int], rng: np.random.Generator
) -> Matrix:
    """Contrast-normalised patches (n, SIDE · SIDE · channels) of random places, none of them flat,
    in random order."""
    height, width, channels = shape
    n_places = (height - SIDE + 1) * (width - SIDE + 1)
    chosen = rows[:: -(-len(rows) // _N_IMAGES)]
    n_each = min(-(-_N_PATCHES // len(chosen)), n_places)
    size = SIDE * SIDE * channels
    patches = np.empty((len(chosen), n_each, size), np.uint8)
    places = [rng.choice(n_places, n_each, replace=False) for _ in chosen]
    for i in np.argsort(chosen):  # the order in which they are stored
        image = np.asarray(pixels[chosen[i]]).reshape(height, width * channels)
        cut = windows(image, channels)[np.divmod(places[i], width - SIDE + 1)]
        patches[i] = cut.reshape(n_each, size)
    found: Matrix = normalised(patches, channels)[:, :-1]
    found -= found.mean(axis=1, keepdims=True)
    norms = np.sqrt(np.einsum("ij,ij->i", found, found))
    return np.asarray(found[rng.permutation(np.flatnonzero(norms > _FLAT))])


def _whitening(patches: Matrix, twin: NDArray[np.intp]) -> Matrix:
    """The inverse of the symmetric square root of the covariance plus a ridge, of centred patches
    and their mirror images: (n_values, n_values), float64."""
    covariance = (patches.T @ patches).astype(np.float64) / len(patches)
    covariance = (covariance + covariance[np.ix_(twin, twin)]) / 2
    variances, directions = np.linalg.eigh(covariance)
    scaled = directions / np.sqrt(np.maximum(variances, 0) + _RIDGE)
    return np.asarray(scaled @ directions.T)


def _cluster(white: Matrix, n_pairs: int, twin: NDArray[np.intp], run_tasks: RunTasks) -> Matrix:
    """Spherical k-means over the patches and their mirror images: (n_pairs, n_values) of unit
    length. white: unit vectors in random order."""
    centres = white[:n_pairs]
    blocks = np.array_split(white, -(-len(white) // 5000))

    def assign(block: Matrix) -> Matrix:
        """The sum of the patches nearest to each centre, mirrored where that is nearer."""
        products = block @ np.vstack([centres, centres[:, twin]]).T
        nearest = products.argmax(axis=1)
        is_mirrored = nearest >= n_pairs
        block = np.where(is_mirrored[:, np.newaxis], block[:, twin], block)
        nearest -= n_pairs * is_mirrored
        order = np.argsort(nearest, kind="stable")
        numbers, starts = np.unique(nearest[order], return_index=True)
        sums = np.zeros_like(centres)
        sums[numbers] = np.add.reduceat(block[order], starts, axis=0)
        return sums

    for _ in range(_N_ROUNDS):
        total = np.sum(list(run_tasks(assign, blocks)), axis=0)
        is_empty = ~total.any(axis=1)
        total[is_empty] = centres[is_empty]
        centres = _unit(total)
    return centres


def _unit(vectors: Matrix) -> Matrix:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, np.finfo(vectors.dtype).tiny))


def scales_for(sums: Matrix) -> NDArray[np.float32]:
    """Scales that map sums (n, n_features) of up to _DEVIATIONS standard deviations above the mean
    to 0 … 255."""
    largest = sums.mean(axis=0) + np.float32(_DEVIATIONS) * sums.std(axis=0)
    largest[largest > 0] = np.maximum(largest[largest > 0], _SMALLEST)
    scales = np.zeros(largest.shape, np.float32)
    np.divide(255, largest, out=scales, where=largest > 0)
    return scales
