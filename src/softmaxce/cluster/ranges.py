"""A worker's side: ranges of image files, decoded once into files of raw pixels.

These files are read into a buffer, not mapped: Dask counts mapped pages as the process's memory and
restarts a process that has too much of it. If another worker takes over a range, it decodes the
range again and must get the same checksum.
"""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from distributed import get_worker
from numpy.typing import NDArray

from softmaxce.errors import DataError, ImageError
from softmaxce.images.batch import decode_batch
from softmaxce.images.files import Content, read_file
from softmaxce.preprocessing import Preprocessing
from softmaxce.training.rows import thread_buffer

TOPIC = "softmaxce"  # of the notes that workers send to the driver
_FILES_AT_ONCE = 1024
_BYTES_AT_ONCE = 2**24
# Decoding an image takes at least 20 µs, as long as transferring about 2,000 bytes.
_BYTES_WORTH_DECODING = 2000


class _Damaged(Exception):
    """A file of pixels has changed or is gone."""


@dataclass(frozen=True)
class RangeFiles:
    """A range as the driver defines it: a name, the run, the first row, image files and how they
    are preprocessed."""

    name: str
    run: str
    first: int
    paths: tuple[str, ...]
    preprocessing: Preprocessing

    @property
    def rows(self) -> str:
        """The row numbers, in words."""
        return f"rows {self.first}–{self.first + len(self.paths) - 1}"

    @property
    def shape(self) -> tuple[int, int]:
        """(n_images, n_pixels)."""
        return len(self.paths), self.preprocessing.n_pixels


@dataclass(frozen=True)
class RangeSummary:
    """The fields of DecodedImages for one range, and the checksum of its pixels."""

    sizes: NDArray[np.int32]
    is_grey: NDArray[np.bool_]
    digests: NDArray[np.uint64]
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
        width = self.shape[1]
        rows = thread_buffer((stop - start, width), self.dtype)
        try:
            with open(self.path, "rb", buffering=0) as stream:
                stream.seek(start * width)
                view = rows.reshape(-1).data
                while view:
                    n_read = stream.readinto(view)
                    if not n_read:
                        raise _Damaged
                    view = view[n_read:]
        except OSError:
            raise _Damaged from None
        return rows


class _Store:
    """The decoded ranges of this worker process, and when their files were last written."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._known: dict[str, tuple[tuple[int, int], RangeSummary]] = {}

    def summary(self, files: RangeFiles) -> RangeSummary:
        """The summary of a range, which is decoded first if its file does not hold its pixels."""
        with self._guard:
            lock = self._locks.setdefault(files.name, threading.Lock())
        with lock:
            known = self._known.get(files.name)
            path = path_of(files)
            if known is not None:
                if known[0] == _stamp(path) or _checksum(path) == known[1].checksum:
                    return known[1]
                note(f"{path} is damaged: decoding {files.rows} again")
            summary = _decode(files, path)
            if known is not None and summary.checksum != known[1].checksum:
                raise _changed(files)
            self._known[files.name] = _stamp(path), summary
            return summary

    def forget(self, run: str) -> None:
        """Forget the ranges of a run."""
        for name in [name for name in self._known if name.startswith(run)]:
            del self._known[name]
            self._locks.pop(name, None)


_store = _Store()


def open_range(files: RangeFiles) -> Range:
    """The range, decoded on this worker."""
    return Range(files, _store.summary(files))


def checked(handle: Range, checksum: str) -> Range:
    """The handle. Raises DataError if its pixels differ from those that were decoded first."""
    if handle.summary.checksum != checksum:
        raise _changed(handle.files)
    return handle


def with_pixels(range_: Range, work: Callable[[PixelFile], Any]) -> Any:
    """work(pixels of the range). The range is decoded first if another worker had it so far."""
    for attempt in range(2):
        checked(range_, _store.summary(range_.files).checksum)
        try:
            return work(PixelFile(path_of(range_.files), range_.files.shape))
        except _Damaged:
            if attempt:
                raise DataError(
                    f"cannot keep decoded pixels: {socket.gethostname()}: "
                    f"{path_of(range_.files)}: the file keeps changing after it is written"
                ) from None
    raise AssertionError


def path_of(files: RangeFiles) -> str:
    """The file of a range's pixels on this worker."""
    return os.path.join(_folder(files.run), f"{files.name}.pixels")


def _folder(run: str) -> str:
    return os.path.join(get_worker().local_directory, f"softmaxce-{run}")


def forget(run: str) -> None:
    """Remove the files of a run from this worker."""
    import shutil

    _store.forget(run)
    shutil.rmtree(_folder(run), ignore_errors=True)


def note(text: str) -> None:
    """Send a line to the driver, which prints it."""
    get_worker().log_event(TOPIC, f"{socket.gethostname()}: {text}")


def fault_of(paths: tuple[str, ...]) -> str | None:
    """The first of these files that this worker cannot read, and why; None if it can read all."""
    for path in paths:
        try:
            content = read(path)
            if not isinstance(content, bytes):
                content.close()
        except ImageError as error:
            return f"{path}: {error.reason}"
    return None


def read(path: str) -> Content:
    """The content of a file, through fsspec if its path is a URL. Raises ImageError."""
    if "://" not in path:
        return read_file(path)
    import fsspec

    try:
        with fsspec.open(path, "rb") as stream:
            content: bytes = stream.read()
    except Exception as error:  # each file system has its own errors
        reason = "no such file" if isinstance(error, FileNotFoundError) else f"{error}"
        raise ImageError(path, reason or type(error).__name__) from None
    if not content:
        raise ImageError(path, "the file is empty")
    return content


def _decode(files: RangeFiles, path: str) -> RangeSummary:
    """Decode the images into a file, some at a time."""
    n_files, n_pixels = files.shape
    at_once = max(1, min(_FILES_AT_ONCE, _BYTES_AT_ONCE // n_pixels))
    digest = hashlib.blake2b(digest_size=16)
    columns = []
    failures: dict[int, str] = {}
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(f"{path}.new", "wb") as stream:
        for start in range(0, n_files, at_once):
            some = files.paths[start : start + at_once]
            batch = decode_batch(some, files.preprocessing, read)
            stream.write(batch.pixels.data)
            digest.update(batch.pixels.data)
            columns.append((batch.sizes, batch.is_grey, batch.digests))
            failures.update({start + i: error.reason for i, error in batch.failures.items()})
    os.replace(f"{path}.new", path)
    sizes, is_grey, digests = (np.concatenate(column) for column in zip(*columns, strict=True))
    return RangeSummary(sizes, is_grey, digests, failures, digest.hexdigest())


def _stamp(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def _checksum(path: str) -> str:
    digest = hashlib.blake2b(digest_size=16)
    try:
        with open(path, "rb") as stream:
            while content := stream.read(_BYTES_AT_ONCE):
                digest.update(content)
    except OSError:
        return ""
    return digest.hexdigest()


def _changed(files: RangeFiles) -> DataError:
    return DataError(
        f"the images have changed: {socket.gethostname()}: {files.rows}, starting with "
        f"{files.paths[0]}: decoding them again gives different pixels"
    )
