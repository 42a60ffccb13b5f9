"""A worker's side: ranges of image files, decoded once into files of raw pixels, and the tasks.

The files of pixels are read into a buffer, not mapped: Dask counts mapped pages as the process's
memory and restarts a process that has too much of it. If another worker takes over a range, it
decodes the range again and must get the same checksum. Each task is a pure function of its
arguments, so that Dask may run it on any worker, and repeat it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from distributed import get_worker
from numpy.typing import NDArray

from softmaxce.bounded_input import read_at_most
from softmaxce.errors import DataError, ImageError
from softmaxce.images.batch import decode_batch
from softmaxce.images.files import Content, read_file
from softmaxce.images.info import ImageInfo
from softmaxce.images.reading import read_info
from softmaxce.preprocessing import Preprocessing
from softmaxce.training.objective import Floats, Objective, Sums
from softmaxce.training.rows import Rows, thread_buffer

TOPIC = "softmaxce"  # of the notes that workers send to the driver
_FILES_AT_ONCE = 1024
_BYTES_AT_ONCE = 2**24
# Decoding an image takes at least 20 µs, as long as transferring about 2,000 bytes.
_BYTES_WORTH_DECODING = 2000


class _Damaged(DataError):
    """A file of pixels has changed or is gone."""


@dataclass(frozen=True)
class RangeFiles:
    """A range as the driver defines it. name: "run/number"; first: the number of its first row;
    paths: of its images."""

    name: str
    first: int
    paths: tuple[str, ...]
    preprocessing: Preprocessing

    @property
    def words(self) -> str:
        """The row numbers and the first file, for messages."""
        last = self.first + len(self.paths) - 1
        return f"rows {self.first}–{last}, starting with {self.paths[0]}"

    @property
    def shape(self) -> tuple[int, int]:
        """(n_images, n_pixels)."""
        return len(self.paths), self.preprocessing.n_pixels

    @property
    def pixel_path(self) -> str:
        """The file of its pixels on this worker."""
        return os.path.join(get_worker().local_directory, f"softmaxce-{self.name}.pixels")


@dataclass(frozen=True)
class RangeSummary:
    """columns: sizes, is_grey and digests, see DecodedImages; failures: position in the range →
    reason; checksum: of all pixels."""

    columns: tuple[NDArray[Any], ...]
    failures: dict[int, str]
    checksum: str


@dataclass(frozen=True)
class Range:
    """The handle of a decoded range. It reports the cost of decoding the range elsewhere as its
    size, so that Dask moves the work to the range instead of the handle to the work."""

    files: RangeFiles
    summary: RangeSummary

    def __sizeof__(self) -> int:
        return self.files.shape[0] * (self.files.shape[1] + _BYTES_WORTH_DECODING)


@dataclass(frozen=True)
class ChosenRows(Range):
    """The rows of a range that one objective sums over; see Rows and Objective."""

    labels: NDArray[np.integer[Any]]
    index: NDArray[np.integer[Any]] | None
    row_weights: Floats | None


class PixelFile:
    """A pixel matrix (n, n_pixels) of uint8 in a file. Rows are returned in this thread's buffer,
    which the next access overwrites."""

    dtype = np.dtype(np.uint8)

    def __init__(self, path: str, shape: tuple[int, int]) -> None:
        self.path, self.shape = path, shape

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, where: Any) -> NDArray[np.uint8]:
        if isinstance(where, slice):
            start, stop, _ = where.indices(self.shape[0])
            return self._read(start, max(stop, start))
        if not len(where):
            return self._read(0, 0)
        first = int(where[0])  # the numbers ascend, see Rows
        return np.asarray(self._read(first, int(where[-1]) + 1)[where - first])

    def _read(self, start: int, stop: int) -> NDArray[np.uint8]:
        rows = thread_buffer((stop - start, self.shape[1]), self.dtype)
        with suppress(OSError), open(self.path, "rb") as stream:
            stream.seek(start * self.shape[1])
            if stream.readinto(rows.data) == rows.nbytes:
                return rows
        raise _Damaged(
            f"cannot keep decoded pixels: {socket.gethostname()}: {self.path}: the file keeps "
            "changing after it is written"
        )


# The ranges that this process has decoded: name → (size and time of the file, summary).
_decoded: dict[str, tuple[tuple[int, int], RangeSummary]] = {}


def _summary(files: RangeFiles) -> RangeSummary:
    """The summary of a range, which is decoded first if its file does not hold its pixels."""
    path, known = files.pixel_path, None
    if files.name in _decoded:
        (stamp, known), now = _decoded[files.name], _stamp(path)
        if stamp == now or _checksum(path) == known.checksum:
            _decoded[files.name] = now, known
            return known
        note(f"{path} is damaged: decoding {files.words} again")
    summary = _decode(files, path)
    if known is not None:
        _check(files, summary, known.checksum)
    _decoded[files.name] = _stamp(path), summary
    return summary


def _decode(files: RangeFiles, path: str) -> RangeSummary:
    """Decode the images into a file, some at a time."""
    n_files, n_pixels = files.shape
    at_once = max(1, min(_FILES_AT_ONCE, _BYTES_AT_ONCE // n_pixels))
    digest = hashlib.blake2b(digest_size=16)
    columns = []
    failures: dict[int, str] = {}
    os.makedirs(os.path.dirname(path), exist_ok=True)
    new = f"{path}.{threading.get_ident()}"  # another thread may decode the same range
    with open(new, "wb") as stream:
        for start in range(0, n_files, at_once):
            some = files.paths[start : start + at_once]
            batch = decode_batch(some, files.preprocessing, read)
            stream.write(batch.pixels.data)
            digest.update(batch.pixels.data)
            columns.append((batch.sizes, batch.is_grey, batch.digests))
            failures.update({start + i: error.reason for i, error in batch.failures.items()})
    os.replace(new, path)
    joined = tuple(np.concatenate(column) for column in zip(*columns, strict=True))
    return RangeSummary(joined, failures, digest.hexdigest())


def _stamp(path: str) -> tuple[int, int]:
    with suppress(OSError):
        status = os.stat(path)
        return status.st_size, status.st_mtime_ns
    return 0, 0


def _checksum(path: str) -> str:
    with suppress(OSError), open(path, "rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    return ""


def _check(files: RangeFiles, summary: RangeSummary, checksum: str) -> None:
    """Raise DataError if the pixels of a range differ from those that were decoded first."""
    if summary.checksum != checksum:
        raise DataError(
            f"the images have changed: {socket.gethostname()}: {files.words}: decoding them again "
            "gives different pixels"
        )


def read(path: str) -> Content:
    """The content of a file, through fsspec if its path is a URL. Raises ImageError."""
    if "://" not in path:
        return read_file(path)
    import fsspec

    try:
        with fsspec.open(path, "rb") as stream:
            content = read_at_most(stream)
    except Exception as error:  # each file system has its own errors
        reason = "no such file" if isinstance(error, FileNotFoundError) else f"{error}"
        raise ImageError(path, reason or type(error).__name__) from None
    if not content:
        raise ImageError(path, "the file is empty")
    return content


def note(text: str) -> None:
    """Send a line to the driver, which prints it."""
    get_worker().log_event(TOPIC, f"{socket.gethostname()}: {text}")


# The tasks.


def identity(value: Any) -> Any:
    """`value`: as a task, it makes something that was sent once the result of a task."""
    return value


def fault_of(paths: tuple[str, ...]) -> str | None:
    """The first of these files that this worker cannot read, and why; None if it can read all."""
    for path in paths:
        try:
            content = read(path)
            if not isinstance(content, bytes):
                content.close()
        except ImageError as error:
            return str(error)
    return None


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


def open_range(files: RangeFiles) -> Range:
    """The range, decoded on this worker."""
    return Range(files, _summary(files))


def summary_of(handle: Range) -> RangeSummary:
    """The part of a handle that the driver needs."""
    return handle.summary


def choose(handle: Range, checksum: str, *fields: Any) -> ChosenRows:
    """A range together with the rows to sum. Raises DataError if its pixels have changed."""
    _check(handle.files, handle.summary, checksum)
    return ChosenRows(handle.files, handle.summary, *fields)


def sums(chosen: ChosenRows, parameters: NDArray[Any]) -> Sums:
    """The sums over the chosen rows of a range, which is an aligned subtree of blocks."""

    def over(pixels: Any) -> Sums:
        rows, n_classes = Rows(pixels, chosen.labels, chosen.index), parameters.shape[1]
        objective = Objective(rows, n_classes, 0.0, row_weights=chosen.row_weights)
        return objective.sums_at(parameters)

    return _with_pixels(chosen, over)  # type: ignore[no-any-return]


def apply(
    handle: Range, checksum: str, where: NDArray[Any], function: Callable[..., Any], *arguments: Any
) -> Any:
    """function(pixels of these rows of the range, *arguments)."""
    _check(handle.files, handle.summary, checksum)
    return _with_pixels(handle, lambda pixels: function(pixels[where].copy(), *arguments))


def rows_of(pixels: NDArray[np.uint8], _columns: NDArray[Any], _shared: None) -> NDArray[np.uint8]:
    """The pixels themselves, for `apply`."""
    return pixels


def forget(run: str) -> None:
    """Remove the files of a run from this worker."""
    for name in [name for name in list(_decoded) if name.startswith(run)]:
        del _decoded[name]
    shutil.rmtree(os.path.join(get_worker().local_directory, f"softmaxce-{run}"), True)


def _with_pixels(handle: Range, work: Callable[[PixelFile], Any]) -> Any:
    """work(pixels of the range). The range is decoded first if another worker had it so far."""

    def attempt() -> Any:
        _check(handle.files, handle.summary, _summary(handle.files).checksum)
        return work(PixelFile(handle.files.pixel_path, handle.files.shape))

    try:
        return attempt()
    except _Damaged:
        return attempt()
