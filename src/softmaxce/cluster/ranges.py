"""A worker's side: ranges of image files, decoded once into files of raw pixels.

A file is read with `readinto` into a buffer, not mapped: Dask counts mapped pages as the process's
memory, and ends a process that has too much of it. A range that another worker takes over is
decoded anew, and must have the same checksum.
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

from softmaxce.data.decoding import digests_of
from softmaxce.errors import DataError, ImageError
from softmaxce.images.batch import decode_batch
from softmaxce.images.files import Content, read_file
from softmaxce.preprocessing import Preprocessing

TOPIC = "softmaxce"  # of the notes that workers send to the driver
_FILES_AT_ONCE = 1024
_BYTES_OF_FILE = 2000  # that a transfer would take as long as decoding an image: 20 µs and more
_BYTES_AT_ONCE = 2**24
_thread = threading.local()


class _Damaged(Exception):
    """A file of pixels is not what it was."""


@dataclass(frozen=True)
class Files:
    """What the driver says of a range: image files, their form, and a name for this run."""

    name: str
    run: str
    first: int
    paths: tuple[str, ...]
    form: Preprocessing

    @property
    def rows(self) -> str:
        """Which rows these are, in words."""
        return f"rows {self.first}–{self.first + len(self.paths) - 1}"

    @property
    def shape(self) -> tuple[int, int]:
        """(n_images, n_pixels)."""
        return len(self.paths), self.form.n_pixels


@dataclass(frozen=True)
class Facts:
    """As in DecodedImages, of one range; `checksum` is that of its pixels."""

    sizes: NDArray[np.int32]
    is_grey: NDArray[np.bool_]
    digests: NDArray[np.uint64]
    failures: dict[int, str]
    checksum: str


@dataclass(frozen=True)
class Range:
    """The handle of a decoded range. Its size is said to be that of its pixels and their files, so
    that Dask sends work to where they are, rather than the handle to the work."""

    files: Files
    facts: Facts

    def __sizeof__(self) -> int:
        return self.files.shape[0] * (self.files.shape[1] + _BYTES_OF_FILE)


class PixelFile:
    """A pixel matrix (n, n_pixels) of uint8 in a file. Rows lie in a buffer of the thread, which
    the next access overwrites."""

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
        first = int(where[0])  # ascending, as Rows has it
        return np.asarray(self._read(first, int(where[-1]) + 1)[where - first])

    def _read(self, start: int, stop: int) -> NDArray[np.uint8]:
        width = self.shape[1]
        rows = _buffer((stop - start) * width)
        try:
            with open(self.path, "rb", buffering=0) as stream:
                stream.seek(start * width)
                view = rows.data
                while view:
                    n_read = stream.readinto(view)
                    if not n_read:
                        raise _Damaged
                    view = view[n_read:]
        except OSError:
            raise _Damaged from None
        return rows.reshape(-1, width)


def _buffer(size: int) -> NDArray[np.uint8]:
    kept = getattr(_thread, "buffer", None)
    if kept is None or kept.size < size:
        kept = _thread.buffer = np.empty(size, np.uint8)
    return np.asarray(kept[:size])


class _Store:
    """The files of this worker process: what each was when it was written or last verified."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._known: dict[str, tuple[tuple[int, int], Facts]] = {}

    def facts(self, files: Files) -> Facts:
        """The facts of a range whose pixels are in its file, decoded now if need be."""
        with self._guard:
            lock = self._locks.setdefault(files.name, threading.Lock())
        with lock:
            known = self._known.get(files.name)
            path = path_of(files)
            if known is not None:
                if known[0] == _stamp(path) or _checksum(path) == known[1].checksum:
                    return known[1]
                note(f"{path} is damaged: decoding {files.rows} again")
            facts = _decode(files, path)
            if known is not None and facts.checksum != known[1].checksum:
                raise _changed(files)
            self._known[files.name] = _stamp(path), facts
            return facts

    def forget(self, run: str) -> None:
        """Remove what a run has left here."""
        for name in [name for name in self._known if name.startswith(run)]:
            del self._known[name]
            self._locks.pop(name, None)


_store = _Store()


def opened(files: Files) -> Range:
    """The range, decoded on this worker."""
    return Range(files, _store.facts(files))


def checked(handle: Range, checksum: str) -> Range:
    """The handle, if its pixels are those that were decoded first. Raises DataError."""
    if handle.facts.checksum != checksum:
        raise _changed(handle.files)
    return handle


def with_pixels(range_: Range, work: Callable[[PixelFile], Any]) -> Any:
    """work(pixels of the range), decoded here first where another worker had it so far."""
    for attempt in range(2):
        facts = _store.facts(range_.files)
        if facts.checksum != range_.facts.checksum:
            raise _changed(range_.files)
        try:
            return work(PixelFile(path_of(range_.files), range_.files.shape))
        except _Damaged:
            if attempt:
                raise DataError(
                    f"cannot keep decoded pixels: {socket.gethostname()}: "
                    f"{path_of(range_.files)}: it does not stay what was written to it"
                ) from None
    raise AssertionError


def path_of(files: Files) -> str:
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
    """Why the first of these files that this worker cannot read cannot be read; None if all can."""
    for path in paths:
        try:
            content = read(path)
            if not isinstance(content, bytes):
                content.close()
        except ImageError as error:
            return f"{path}: {error.reason}"
    return None


def read(path: str) -> Content:
    """The content of a file, through fsspec where its place is a URL. Raises ImageError."""
    if "://" not in path:
        return read_file(path)
    import fsspec

    try:
        with fsspec.open(path, "rb") as stream:
            content: bytes = stream.read()
    except Exception as error:  # each file system has errors of its own
        reason = "no such file" if isinstance(error, FileNotFoundError) else f"{error}"
        raise ImageError(path, reason or type(error).__name__) from None
    if not content:
        raise ImageError(path, "the file is empty")
    return content


def _decode(files: Files, path: str) -> Facts:
    """Decode into the file, a part at a time."""
    n_files, n_pixels = files.shape
    at_once = max(1, min(_FILES_AT_ONCE, _BYTES_AT_ONCE // n_pixels))
    digest = hashlib.blake2b(digest_size=16)
    parts = []
    failures: dict[int, str] = {}
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(f"{path}.new", "wb") as stream:
        for start in range(0, n_files, at_once):
            some = files.paths[start : start + at_once]
            batch = decode_batch(some, files.form, read)
            stream.write(batch.pixels.data)
            digest.update(batch.pixels.data)
            parts.append((batch.sizes, batch.is_grey, digests_of(batch.pixels)))
            failures.update({start + i: error.reason for i, error in batch.failures.items()})
    os.replace(f"{path}.new", path)
    sizes, is_grey, digests = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Facts(sizes, is_grey, digests, failures, digest.hexdigest())


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


def _changed(files: Files) -> DataError:
    return DataError(
        f"the images are not what they were: {socket.gethostname()}: {files.rows}, from "
        f"{files.paths[0]} on: decoded again, they give other pixels"
    )
