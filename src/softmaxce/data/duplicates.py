"""Which images of a data set show the same picture, exactly or nearly.

Near duplicates (resized, saved again, slightly brighter) are found with a perceptual hash: for each
of the 8 × 8 lowest frequencies of the discrete cosine transform, whether it is above their median.
Images whose hashes differ in at most 3 of 64 bits are compared, and are near duplicates if the
correlation of their pixels is at least 0.98. (The hash follows Zauner, "Implementation and
benchmarking of perceptual image hash functions", 2010, section 3.2.1.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.preprocessing import Preprocessing
from softmaxce.row_threads import row_threads

MAX_BITS = 3
MIN_CORRELATION = 0.98
_SIDE = 8
_N_BANDS = MAX_BITS + 1  # hashes that differ in 3 bits agree in one of 4 bands
_MAX_BUCKET = 2000  # larger ones are mostly blank images
_BLOCK_ROWS = 4096
_PAIRS = 1 << 16  # compared at once, if a bucket has no more

Groups = list[NDArray[np.int64]]


def exact_groups(digests: NDArray[np.uint64]) -> Groups:
    """Groups of two or more rows with equal digests (n_images, 2)."""
    ordered = np.sort(digests[:, 0])  # halves: to sort whole rows takes 100 times as long
    rows = np.flatnonzero(np.isin(digests[:, 0], ordered[1:][ordered[1:] == ordered[:-1]]))
    _, first, which = np.unique(digests[rows], axis=0, return_index=True, return_inverse=True)
    return [rows[group] for group in _groups(first[which.reshape(-1)])]


def near_groups(
    pixels: NDArray[np.uint8], preprocessing: Preprocessing, rows: NDArray[np.int64]
) -> Groups:
    """Groups of these rows of `pixels` (n_images, n_pixels) that show nearly the same picture."""
    hashes = perceptual_hashes(pixels, preprocessing, rows)
    root = np.arange(len(hashes))

    def alike(buckets: NDArray[np.int64]) -> list[tuple[int, int]]:
        left, right = _candidates(hashes, buckets)
        is_alike = _correlation(pixels, rows[left], rows[right]) >= MIN_CORRELATION
        return list(zip(left[is_alike].tolist(), right[is_alike].tolist(), strict=True))

    with row_threads() as run_tasks:
        for pairs in run_tasks(alike, _buckets(hashes)):
            for a, b in pairs:
                a, b = _root(root, a), _root(root, b)
                root[max(a, b)] = min(a, b)
    roots = np.array([_root(root, i) for i in range(len(root))], np.int64)
    return [rows[group] for group in _groups(roots)]


def perceptual_hashes(
    pixels: NDArray[np.uint8], preprocessing: Preprocessing, rows: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """The 64-bit hash (len(rows),) of each of these rows of `pixels`."""
    shape = preprocessing.height, preprocessing.width, preprocessing.channels
    down, across = _cosines(preprocessing.height), _cosines(preprocessing.width)
    hashes = np.empty(len(rows), np.uint64)
    for start in range(0, len(rows), _BLOCK_ROWS):
        block = pixels[rows[start : start + _BLOCK_ROWS]]
        grey = block.reshape(len(block), *shape).mean(axis=3, dtype=np.float32)
        frequencies = (down @ grey @ across.T).reshape(len(block), -1)
        bits = frequencies > np.median(frequencies[:, 1:], axis=1, keepdims=True)
        hashes[start : start + len(block)] = np.packbits(bits, axis=1).view(">u8")[:, 0]
    return hashes


def _cosines(n: int) -> NDArray[np.float32]:
    """The first 8 rows (8, n) of the discrete cosine transform (type II) of n values."""
    angles = np.pi / n * np.outer(np.arange(_SIDE), np.arange(n) + 0.5)
    return np.cos(angles).astype(np.float32)


def _buckets(hashes: NDArray[np.uint64]) -> Iterator[NDArray[np.int64]]:
    """Rows (n_buckets, size) whose hashes agree in one band within each bucket."""
    for band in range(_N_BANDS):
        of_size: dict[int, Groups] = {}
        for rows in _groups((hashes >> np.uint64(16 * band)).astype(np.uint16)):
            of_size.setdefault(len(rows), []).append(rows)
        for size, buckets in of_size.items():
            step = max(1, _PAIRS // size**2)
            for start in range(0, len(buckets) if size <= _MAX_BUCKET else 0, step):
                yield np.stack(buckets[start : start + step])


def _candidates(
    hashes: NDArray[np.uint64], buckets: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs within these buckets (n_buckets, size) that differ in at most MAX_BITS bits."""
    differing = hashes[buckets][:, :, np.newaxis] ^ hashes[buckets][:, np.newaxis]
    is_near = np.triu(_bit_counts(differing) <= MAX_BITS, k=1)
    bucket, left, right = np.nonzero(is_near)
    return buckets[bucket, left], buckets[bucket, right]


def _bit_counts(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Number of bits set in each value: np.bitwise_count, which NumPy 1.26 lacks.

    Adds neighbouring bits, then pairs, then groups of 4; the product adds the bytes.
    """
    one, two, four, ones = (
        np.uint64(0x0101010101010101 * byte) for byte in (0x55, 0x33, 0x0F, 0x01)
    )
    sums = values - (values >> np.uint64(1) & one)
    sums = (sums & two) + (sums >> np.uint64(2) & two)
    sums = sums + (sums >> np.uint64(4)) & four
    return np.asarray(sums * ones >> np.uint64(56))


def _correlation(
    pixels: NDArray[np.uint8], left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Pearson's correlation of the pixels of each pair of rows; 0 if a row is constant."""
    result = np.zeros(len(left))
    for start in range(0, len(left), _BLOCK_ROWS):
        chosen = slice(start, start + _BLOCK_ROWS)
        a, b = (pixels[rows[chosen]].astype(np.float32) for rows in (left, right))
        a -= a.mean(axis=1, keepdims=True)
        b -= b.mean(axis=1, keepdims=True)
        norms = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
        result[chosen] = np.divide(
            (a * b).sum(axis=1), norms, out=np.zeros_like(norms), where=norms > 0
        )
    return result


def _root(root: NDArray[np.int64], row: int) -> int:
    while root[row] != row:
        root[row] = root[root[row]]
        row = int(root[row])
    return row


def _groups(keys: NDArray[np.integer[Any]]) -> Groups:
    """Groups of two or more positions with equal keys, sorted by key."""
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    ends = np.append(starts, len(order))[1:]
    several = ends - starts > 1
    bounds = zip(starts[several].tolist(), ends[several].tolist(), strict=True)
    return [order[start:end] for start, end in bounds]
