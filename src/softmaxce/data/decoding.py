"""Many image files → the rows of one matrix: their pixels, or a network's features of them.

The first files are decoded in this process. If the rest would take long, worker processes are
started, which write their rows into a file: no pixel is sent from process to process, and a large
matrix needs no memory. A network runs in threads of this process, each of which decodes the images
that it is given next, so that no pixel is kept.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.data.worker_processes import (
    StartMethod,
    in_workers,
    start_method,
)
from softmaxce.errors import DataError, ImageError, OutputError
from softmaxce.file_rows import RowWriter, rows_of_file
from softmaxce.images.decoded import DecodedImages
from softmaxce.networks.features import NetworkFeatures, not_finite
from softmaxce.preprocessing import MAX_FEATURE, Preprocessing
from softmaxce.row_threads import available_cores, row_threads
from softmaxce.temporary_files import TemporaryFile

OnDecoded = Callable[[int, int], None]
"""Called with (number of images decoded so far, number of images)."""

_FIRST_FILES = 4  # few, since the other cores are idle meanwhile
_MAX_CHUNK_FILES = 4096
_MAX_CHUNK_BYTES = 2**24
_SECONDS_PER_CHUNK = 0.1  # processor time: wall-clock time also counts other programs
# The last chunks are shorter, so that all workers finish at about the same time; but not much
# shorter, because the small PNG files of a chunk are unfiltered together.
_SECONDS_PER_LAST_CHUNK = 0.02
# Decoding must take longer than this to start workers: a spawned one imports NumPy and Pillow.
_MIN_SECONDS_FOR_WORKERS = {"fork": 0.1, "spawn": 2.0}
_MIN_BYTES_FOR_FILE = 2**26
# A thread that runs a network decodes a few images at a time, which leaves the network's weights in
# its cache more often. Its tasks are planned in blocks, since each waiting one takes memory.
_FILES_PER_TASK = 4
_TASKS_AHEAD = 512


def decode_files(
    paths: Sequence[str],
    preprocessing: Preprocessing,
    *,
    jobs: int | None = None,
    on_decoded: OnDecoded | None = None,
    pixel_file: TemporaryFile | None = None,
    offset: int = 0,
    network: NetworkFeatures | None = None,
    skip_bad: bool = True,
) -> DecodedImages:
    """Decode every file, in order, with at most `jobs` worker processes (None: one per core).

    The pixels are written to `pixel_file`, starting at the byte `offset`. Without one, they stay in
    memory, or in a temporary file that disappears when the pixels are no longer used. With a
    network, `jobs` threads work, and the result has its features and pixels (n_files, 0). Unless
    `skip_bad`, the network stops at the first file that fails; the missing features are 0.
    `on_decoded` is called after each chunk of files, unless there is only one chunk. Raises
    OutputError if the disk is full, and DataError if a feature is NaN, infinite or too large.
    """
    n_files = len(paths)
    sizes = np.zeros((n_files, 2), np.int32)
    is_grey = np.zeros(n_files, np.bool_)
    digests = np.zeros((n_files, 2), np.uint64)
    failures: dict[int, ImageError] = {}
    n_done = 0
    jobs = jobs or available_cores()
    method = start_method() if jobs > 1 and network is None else None
    n_columns = network.row_bytes if network else preprocessing.n_pixels
    with (
        pixel_store((n_files, n_columns), pixel_file, offset, method) as store,
        closing(
            _chunks_of_features(paths, preprocessing, store, jobs, _NetworkRun(network, skip_bad))
            if network
            else _decode_chunks(paths, preprocessing, store, jobs, method)
        ) as chunks,
    ):
        for chunk in chunks:
            start, decoded = chunk.start, chunk.decoded
            rows = slice(start, start + chunk.n_files)
            sizes[rows], is_grey[rows] = decoded.sizes, decoded.is_grey
            digests[rows] = decoded.digests
            failures.update({start + i: error for i, error in decoded.failures.items()})
            n_done += chunk.n_files
            if on_decoded is not None and chunk.n_files < n_files:
                on_decoded(n_done, n_files)
        matrix = store.matrix()
        features: Any = matrix.view(network.dtype) if network else None
        pixels = np.empty((n_files, 0), np.uint8) if network else matrix
        return DecodedImages(pixels, sizes, is_grey, digests, failures, features)


class PixelStore:
    """Where decoded rows are kept: an array in memory, or part of a file.

    method: how the processes that write to the file are started, if there are any.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        file: TemporaryFile | None,
        offset: int,
        method: StartMethod | None,
    ) -> None:
        self.file = file
        self._is_named = method == "spawn" or not hasattr(os, "pwrite")
        self._shape, self._offset = shape, offset
        self._array: NDArray[np.uint8] | None = None
        self._n_stored = 0  # rows in the array
        if file is None and shape[0] * shape[1] < _MIN_BYTES_FOR_FILE:
            self._array = np.zeros(shape, np.uint8)
        else:
            self.move_to_file()

    def move_to_file(self) -> RowWriter:
        """From now on, store rows in a file, which other processes can write to as well.

        If the disk has no room, raises OSError; rows are then still stored in memory.
        """
        if self.file is None:
            file = TemporaryFile(tempfile.gettempdir(), "softmaxce-pixels-")
            try:
                file.reserve(self._shape[0] * self._shape[1])
            except OSError:
                file.close()
                raise
            if not self._is_named:
                file.remove_name()
            self.file = file
        path = self.file.path if self._is_named else None
        self.writer = RowWriter(self.file.handle, path, self._offset, self._shape[1])
        if self._array is not None:
            stored, n_bytes = self._array[: self._n_stored], self._array.nbytes
            self._array = None
            self.store(0, stored)
            os.truncate(self.file.handle, n_bytes)
        return self.writer

    def store(self, start: int, pixels: NDArray[np.uint8]) -> None:
        """Store rows starting at the row `start`; in memory, after those stored before."""
        if self._array is None:
            self.writer.store(start, pixels)
        else:
            self._n_stored = start + len(pixels)
            self._array[start : self._n_stored] = pixels

    def matrix(self) -> NDArray[np.uint8]:
        """All rows (n_files, n_pixels)."""
        if self._array is not None:
            return self._array
        assert self.file is not None  # it is set whenever there is no array
        return rows_of_file(self.file.handle, self.file.path, self._offset, self._shape)


@contextmanager
def pixel_store(
    shape: tuple[int, int], file: TemporaryFile | None, offset: int, method: StartMethod | None
) -> Iterator[PixelStore]:
    """A store; a temporary file of it is removed. Raises OutputError if the disk is full."""
    store = None
    try:
        store = PixelStore(shape, file, offset, method)
        yield store
    except OSError as error:
        place = store.file.path if store and store.file else "temporary folder"
        raise OutputError(
            f"not enough disk space: {place}: {error.strerror or error}; "
            "free some space, or set TMPDIR or --cache to another folder"
        ) from error
    finally:
        if store and store.file and file is None:
            store.file.close()


@dataclass(frozen=True)
class _Chunk:
    """The files starting at the position `start`, and the seconds that decoding them took."""

    start: int
    decoded: DecodedImages  # without pixels, which are stored
    seconds: float

    @property
    def n_files(self) -> int:
        return len(self.decoded.sizes)


def _decode_chunk(
    paths: Sequence[str],
    preprocessing: Preprocessing,
    store: PixelStore | RowWriter,
    limits: tuple[int, int],
) -> _Chunk:
    from softmaxce.images.batch import decode_batch  # Pillow is loaded with the first image

    started = time.process_time()
    start, stop = limits
    decoded = decode_batch(paths[start:stop], preprocessing)
    store.store(start, decoded.pixels)
    without_pixels = replace(decoded, pixels=decoded.pixels[:0])
    return _Chunk(start, without_pixels, time.process_time() - started)


class _ChunkPlan:
    """Cuts the files into chunks that take about the same time to decode."""

    def __init__(self, n_files: int, max_files: int) -> None:
        self.n_files, self.max_files = n_files, max_files
        self.n_planned = 0
        self.seconds_per_file: float | None = None

    @property
    def seconds_left(self) -> float:
        """How long the remaining files would take, estimated from the last chunk."""
        return (self.seconds_per_file or 0.0) * (self.n_files - self.n_planned)

    def next_limits(self) -> tuple[int, int] | None:
        """The next chunk (start, stop), or None when all files are planned."""
        start = self.n_planned
        if start >= self.n_files:
            return None
        n_wanted = _FIRST_FILES
        if self.seconds_per_file:
            n_wanted = max(1, int(_SECONDS_PER_CHUNK / self.seconds_per_file))
            shortest = max(_FIRST_FILES, int(_SECONDS_PER_LAST_CHUNK / self.seconds_per_file))
            n_wanted = min(n_wanted, max(shortest, (self.n_files - start) // 4))
        self.n_planned = min(self.n_files, start + min(n_wanted, self.max_files))
        return start, self.n_planned

    def learn(self, chunk: _Chunk) -> None:
        """Update the estimate of the time per file from a decoded chunk."""
        self.seconds_per_file = max(1e-6, chunk.seconds / chunk.n_files)


def _decode_chunks(
    paths: Sequence[str],
    preprocessing: Preprocessing,
    store: PixelStore,
    jobs: int,
    method: StartMethod | None,
) -> Generator[_Chunk, None, None]:
    max_files = max(1, min(_MAX_CHUNK_FILES, _MAX_CHUNK_BYTES // preprocessing.n_pixels))
    plan = _ChunkPlan(len(paths), max_files)
    decode = partial(_decode_chunk, paths, preprocessing, store)
    while limits := plan.next_limits():
        chunk = decode(limits)
        if chunk.start > 0:  # the first chunk also loads Pillow's plug-ins: its time says nothing
            plan.learn(chunk)
        yield chunk
        if method and plan.seconds_left > _MIN_SECONDS_FOR_WORKERS[method]:
            with suppress(OSError):
                decode = partial(_decode_chunk, paths, preprocessing, store.move_to_file())
                break
            method = None  # no space for a file: this process decodes into memory
    else:
        return
    for chunk in in_workers(decode, plan.next_limits, jobs, method):
        plan.learn(chunk)
        yield chunk


class _NetworkRun:
    """A network that several threads run until it is stopped; its features are then 0."""

    def __init__(self, network: NetworkFeatures, skip_bad: bool) -> None:
        self.network, self.skip_bad, self.is_stopped = network, skip_bad, False
        self.n_at_once = network.opened.n_images

    def features_of(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The features (n, n_features) of pixel vectors (n, n_pixels), in the calling thread."""
        features = np.zeros((len(pixels), self.network.n_features), np.float32)
        for start in range(0, len(pixels), self.n_at_once):
            rows = slice(start, start + self.n_at_once)
            if not self.is_stopped:
                features[rows] = self.network.of_batch(pixels[rows])
        return features

    def check(self, paths: Sequence[str], features: NDArray[np.float32], failed: list[int]) -> None:
        """Raise DataError if a feature is NaN, infinite or too large, unless its file failed."""
        is_bad = not_finite(features)
        is_bad[failed] = False
        if is_bad.any():
            raise DataError(
                f"cannot use the network: {self.network.opened.path}: the features of "
                f"{paths[int(is_bad.argmax())]} are NaN, infinite or above {MAX_FEATURE:.0e}; "
                "check --onnx-mean and --onnx-std"
            )


def _chunks_of_features(
    paths: Sequence[str],
    preprocessing: Preprocessing,
    store: PixelStore,
    jobs: int,
    run: _NetworkRun,
) -> Generator[_Chunk, None, None]:
    """Chunks of a few images, whose features are stored."""
    # Pillow is loaded with the first image.
    from softmaxce.images.batch import decode_batch
    from softmaxce.images.decoder_guards import silenced

    n_files = run.n_at_once * max(1, _FILES_PER_TASK // run.n_at_once)

    def task(start: int) -> tuple[DecodedImages, NDArray[np.float32]]:
        decoded = decode_batch(paths[start : start + n_files], preprocessing)
        nothing = np.empty((0, preprocessing.n_pixels), np.uint8)  # not a view, which keeps pixels
        return replace(decoded, pixels=nothing), run.features_of(decoded.pixels)

    with row_threads(jobs) as run_tasks:
        try:
            for block in range(0, len(paths), n_files * _TASKS_AHEAD):
                starts = range(block, min(block + n_files * _TASKS_AHEAD, len(paths)), n_files)
                for start, (decoded, features) in zip(starts, run_tasks(task, starts), strict=True):
                    run.check(paths[start : start + n_files], features, [*decoded.failures])
                    run.is_stopped |= bool(decoded.failures) and not run.skip_bad
                    store.store(start, features.view(np.uint8))
                    with silenced.paused():  # so that progress can be shown
                        yield _Chunk(start, decoded, 0.0)  # no plan needs the time
        finally:
            run.is_stopped = True
