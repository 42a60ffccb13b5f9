"""Many image files → the rows of one uint8 matrix, in worker processes where that pays."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmaxce.errors import ImageError
from softmaxce.images import Preprocessing, read_image

OnDecoded = Callable[[int, int], None]
"""Called with (images decoded so far, images in all)."""

_CHUNK_FILES = 256
_MIN_FILES_FOR_WORKERS = 400  # below, starting the processes costs more than they save


@dataclass(frozen=True)
class DecodedImages:
    """pixels: (n_files, n_pixels) uint8; a file that failed leaves a row of zeros.

    sizes: (n_files, 2) width and height before preprocessing; is_grey: (n_files,);
    digests: (n_files, 2) uint64, BLAKE2b of each row, equal for equal pixels;
    failures: position in the list of files → why it could not be read.
    """

    pixels: NDArray[np.uint8]
    sizes: NDArray[np.int32]
    is_grey: NDArray[np.bool_]
    digests: NDArray[np.uint64]
    failures: dict[int, ImageError]


def decode_files(
    paths: Sequence[str],
    preprocessing: Preprocessing,
    *,
    jobs: int | None = None,
    on_decoded: OnDecoded | None = None,
) -> DecodedImages:
    """Decode every file, in order. `jobs` worker processes at most (None: one a core).

    `on_decoded` hears of each chunk of files, unless there is but one.
    """
    n_files = len(paths)
    decoded = _empty(n_files, preprocessing)
    chunks = [
        (start, paths[start : start + _CHUNK_FILES], preprocessing)
        for start in range(0, n_files, _CHUNK_FILES)
    ]
    n_done = 0
    for start, part in _map_chunks(chunks, n_files, jobs or available_cores()):
        stop = start + len(part.pixels)
        decoded.pixels[start:stop] = part.pixels
        decoded.sizes[start:stop] = part.sizes
        decoded.is_grey[start:stop] = part.is_grey
        decoded.digests[start:stop] = part.digests
        decoded.failures.update({start + i: error for i, error in part.failures.items()})
        n_done += stop - start
        if on_decoded is not None and len(chunks) > 1:
            on_decoded(n_done, n_files)
    return decoded


def available_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_Chunk = tuple[int, Sequence[str], Preprocessing]


def _empty(n_files: int, preprocessing: Preprocessing) -> DecodedImages:
    return DecodedImages(
        pixels=np.zeros((n_files, preprocessing.n_pixels), np.uint8),
        sizes=np.zeros((n_files, 2), np.int32),
        is_grey=np.zeros(n_files, np.bool_),
        digests=np.zeros((n_files, 2), np.uint64),
        failures={},
    )


def _decode_chunk(chunk: _Chunk) -> tuple[int, DecodedImages]:
    start, paths, preprocessing = chunk
    part = _empty(len(paths), preprocessing)
    for i, path in enumerate(paths):
        try:
            part.pixels[i], facts = read_image(path, preprocessing)
        except ImageError as error:
            part.failures[i] = error
            continue
        part.sizes[i] = facts.width, facts.height
        part.is_grey[i] = facts.is_grey
        digest = hashlib.blake2b(part.pixels[i], digest_size=16).digest()
        part.digests[i] = np.frombuffer(digest, "<u8")
    return start, part


def _map_chunks(
    chunks: list[_Chunk], n_files: int, jobs: int
) -> Iterator[tuple[int, DecodedImages]]:
    n_workers = min(jobs, len(chunks))
    if n_workers < 2 or n_files < _MIN_FILES_FOR_WORKERS:
        yield from map(_decode_chunk, chunks)
        return
    with multiprocessing.get_context(_start_method()).Pool(n_workers, _start_worker) as pool:
        yield from pool.imap_unordered(_decode_chunk, chunks)


def _start_method() -> str:
    """Forking is instant, but safe only while no other thread may hold a lock."""
    if sys.platform == "linux" and threading.active_count() == 1:
        return "fork"
    return "spawn"


def _start_worker() -> None:
    """Ctrl-C reaches the whole group of processes; only the parent answers it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
