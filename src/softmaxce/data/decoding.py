"""Many image files → the rows of one uint8 matrix, in worker processes where that pays.

The first files are read in this process; where the rest would take long, workers are started.
They write their rows into a mapped file, so that no pixel is sent from process to process and the
matrix needs no memory of its own.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from softmaxce.data.worker_processes import available_cores, in_workers, start_method
from softmaxce.errors import ImageError, OutputError
from softmaxce.images.files import Content, read_file
from softmaxce.images.reading import decode_content, quiet_decoders
from softmaxce.images.small_png import MAX_SIDE as MAX_SMALL_SIDE
from softmaxce.images.small_png import SmallPng
from softmaxce.mapped_rows import map_rows
from softmaxce.preprocessing import Preprocessing

OnDecoded = Callable[[int, int], None]
"""Called with (images decoded so far, images in all)."""

_FIRST_FILES = 4  # few, since the other cores wait meanwhile
_MAX_CHUNK_FILES = 4096
_MAX_CHUNK_BYTES = 2**24
_SECONDS_OF_CHUNK = 0.1  # of computing: the time of the clock also holds what others do
# The last chunks are shorter, so that all workers end at about one time, but not by much: small PNG
# files are unfiltered together, a chunk at a time.
_SECONDS_OF_LAST = 0.02
_SECONDS_WORTH_WORKERS = {"fork": 0.1, "spawn": 2.0}  # a spawned worker imports NumPy and Pillow
_BYTES_WORTH_A_FILE = 2**26


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
    pixel_file: str | None = None,
    offset: int = 0,
) -> DecodedImages:
    """Decode every file, in order. `jobs` worker processes at most (None: one a core).

    The pixels go into the file `pixel_file` from the byte `offset` on; without one they stay in
    memory, or in a temporary file that is gone when nobody uses the pixels any more. `on_decoded`
    hears of each chunk of files, unless there is but one. Raises OutputError where the pixels
    find no room.
    """
    n_files = len(paths)
    sizes = np.zeros((n_files, 2), np.int32)
    is_grey = np.zeros(n_files, np.bool_)
    digests = np.zeros((n_files, 2), np.uint64)
    failures: dict[int, ImageError] = {}
    n_done = 0
    with _Rows(n_files, preprocessing.n_pixels, pixel_file, offset) as rows:
        for part in _decode_chunks(paths, preprocessing, rows, jobs or available_cores()):
            chunk = slice(part.start, part.start + len(part.sizes))
            sizes[chunk] = part.sizes
            is_grey[chunk] = part.is_grey
            digests[chunk] = part.digests
            failures.update({part.start + i: error for i, error in part.failures.items()})
            n_done += len(part.sizes)
            if on_decoded is not None and len(part.sizes) < n_files:
                on_decoded(n_done, n_files)
        return DecodedImages(rows.all(), sizes, is_grey, digests, failures)


class _Rows:
    """Where decoded rows are put: an array in memory, or a part of a file."""

    def __init__(self, n_files: int, n_pixels: int, path: str | None, offset: int) -> None:
        self.path, self.offset = path, offset
        self._shape = (n_files, n_pixels)
        self._is_temporary = False
        self._array: NDArray[np.uint8] | None = None
        self._n_put = 0  # into the array
        if path is None:
            if n_files * n_pixels < _BYTES_WORTH_A_FILE:
                self._array = np.zeros(self._shape, np.uint8)
            else:
                self.move_into_file()

    def __enter__(self) -> _Rows:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_temporary and self.path is not None:
            with suppress(OSError):  # a mapped file goes only when the mapping does, on Windows
                os.unlink(self.path)
        if isinstance(error, OSError) and self.path is not None:
            raise OutputError(
                f"no room for the decoded pixels: {self.path}: {error.strerror or error}; make "
                "room there, or set TMPDIR or --cache to another folder"
            ) from error

    def move_into_file(self) -> None:
        """From now on rows are put into a file, which other processes can write to as well."""
        if self.path is not None:
            return
        handle, self.path = tempfile.mkstemp(prefix="softmaxce-pixels-")
        os.close(handle)
        self._is_temporary = True
        if self._array is not None:
            write_rows(self.path, 0, self._array[: self._n_put])
            os.truncate(self.path, self._array.nbytes)
            self._array = None

    def put(self, start: int, pixels: NDArray[np.uint8]) -> None:
        """Put rows from `start` on, behind those put before."""
        if self._array is not None:
            self._array[start : start + len(pixels)] = pixels
            self._n_put = start + len(pixels)
        elif self.path is not None:
            write_rows(self.path, self.offset + start * self._shape[1], pixels)

    def all(self) -> NDArray[np.uint8]:
        """All rows (n_files, n_pixels), those in a file mapped and read-only."""
        if self._array is not None or self.path is None:
            return np.zeros(self._shape, np.uint8) if self._array is None else self._array
        return map_rows(self.path, self.offset, self._shape)


def write_rows(path: str, position: int, rows: NDArray[np.uint8]) -> None:
    """Put `rows` into the existing file `path` from the byte `position` on."""
    with open(path, "r+b", buffering=0) as stream:
        stream.seek(position)
        left = rows.reshape(-1).data
        while left:
            left = left[stream.write(left) :]


def digests_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """(n_images, 2): the 128-bit BLAKE2b digest of each row of `pixels`."""
    digests = b"".join(hashlib.blake2b(row, digest_size=16).digest() for row in pixels)
    return np.frombuffer(digests, "<u8").reshape(-1, 2)


@dataclass(frozen=True)
class _Part:
    """What became of the files from position `start` on; pixels is None once they are put away."""

    start: int
    pixels: NDArray[np.uint8] | None
    sizes: NDArray[np.int32]
    is_grey: NDArray[np.bool_]
    digests: NDArray[np.uint64]
    failures: dict[int, ImageError]
    seconds: float


@dataclass(frozen=True)
class _Decoder:
    """Decodes chunks (start, stop) of `paths`; writes their rows into `file` if there is one."""

    paths: Sequence[str]
    preprocessing: Preprocessing
    file: str | None = None
    offset: int = 0

    def __call__(self, chunk: tuple[int, int]) -> _Part:
        began = time.process_time()
        start, stop = chunk
        pixels, sizes, is_grey, failures = decode_some(self.paths[start:stop], self.preprocessing)
        digests = digests_of(pixels)
        kept: NDArray[np.uint8] | None = pixels
        if self.file is not None:
            write_rows(self.file, self.offset + start * pixels.shape[1], pixels)
            kept = None
        seconds = time.process_time() - began
        return _Part(start, kept, sizes, is_grey, digests, failures, seconds)


def decode_some(
    paths: Sequence[str],
    wanted: Preprocessing,
    read: Callable[[str], Content] = read_file,
) -> tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.bool_], dict[int, ImageError]]:
    """Pixels, sizes, is_grey and failures, as in DecodedImages; `read` gives a file's content."""
    n_files = len(paths)
    pixels = np.zeros((n_files, wanted.n_pixels), np.uint8)
    sizes = np.zeros((n_files, 2), np.int32)
    is_grey = np.zeros(n_files, np.bool_)
    failures: dict[int, ImageError] = {}
    plain: list[int] = []
    scanlines: list[bytes] = []
    small = None
    if max(wanted.width, wanted.height) <= MAX_SMALL_SIDE:
        small = SmallPng(wanted.width, wanted.height, wanted.channels)
    with quiet_decoders():
        for i, path in enumerate(paths):
            try:
                content = read(path)
                lines = small and isinstance(content, bytes) and small.inflate(content)
                if lines:
                    plain.append(i)
                    scanlines.append(lines)
                    continue
                pixels[i], facts = decode_content(path, content, wanted)
            except ImageError as error:
                failures[i] = error
                continue
            sizes[i] = facts.width, facts.height
            is_grey[i] = facts.is_grey
    if small and plain:
        pixels[plain] = small.pixels(scanlines)
        sizes[plain] = wanted.width, wanted.height
        is_grey[plain] = wanted.channels == 1
    return pixels, sizes, is_grey, failures


class _Chunks:
    """Cuts the files into chunks that take about the same time."""

    def __init__(self, n_files: int, max_files: int) -> None:
        self.n_files, self.max_files = n_files, max_files
        self.n_given = 0
        self.seconds_per_file: float | None = None

    @property
    def seconds_left(self) -> float:
        """How long the files not yet given would take, by the last chunk."""
        return (self.seconds_per_file or 0.0) * (self.n_files - self.n_given)

    def give(self) -> tuple[int, int] | None:
        """The next chunk (start, stop), None where there is none."""
        start = self.n_given
        if start >= self.n_files:
            return None
        n_wanted = _FIRST_FILES
        if self.seconds_per_file:
            n_wanted = max(1, int(_SECONDS_OF_CHUNK / self.seconds_per_file))
            shortest = max(_FIRST_FILES, int(_SECONDS_OF_LAST / self.seconds_per_file))
            n_wanted = min(n_wanted, max(shortest, (self.n_files - start) // 4))
        self.n_given = min(self.n_files, start + min(n_wanted, self.max_files))
        return start, self.n_given

    def took(self, part: _Part) -> None:
        """Learn from a chunk that was decoded."""
        self.seconds_per_file = max(1e-6, part.seconds / len(part.sizes))


def _decode_chunks(
    paths: Sequence[str], wanted: Preprocessing, rows: _Rows, jobs: int
) -> Iterator[_Part]:
    max_files = max(1, min(_MAX_CHUNK_FILES, _MAX_CHUNK_BYTES // wanted.n_pixels))
    chunks = _Chunks(len(paths), max_files)
    decode = _Decoder(paths, wanted)
    while chunk := chunks.give():
        part = decode(chunk)
        if part.pixels is not None:
            rows.put(part.start, part.pixels)
        if part.start > 0:  # the first chunk also loads Pillow's plugins, so its time says nothing
            chunks.took(part)
        yield part
        if jobs > 1 and chunks.seconds_left > _SECONDS_WORTH_WORKERS[start_method()]:
            break
    else:
        return
    rows.move_into_file()
    work = _Decoder(paths, wanted, rows.path, rows.offset)
    for part in in_workers(work, chunks.give, jobs):
        chunks.took(part)
        yield part
