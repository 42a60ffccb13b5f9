"""Decoded pixels, or the features of a network, kept on disk for the next run.

An entry belongs to one folder (or manifest) with one preprocessing, and is valid only for the files
it was made from: their paths, sizes, and times of change. Its file:

    4096 bytes   one line of JSON (key, shape, preprocessing, checksum), padded with spaces
    n · D bytes  the pixels or features, row by row; D is 0 if neither is kept
    n · 25       sizes int32 (n, 2), digests uint64 (n, 2), kind uint8 (n): 1 grey, 2 unreadable

If a file does not match its key, its shape or its checksum, it is ignored and the images are
decoded again. Files are written to a temporary name and renamed; the least recently used entries
are removed when the cache or the disk is full.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from softmaxce.bounded_input import open_regular
from softmaxce.errors import DataError, OutputError
from softmaxce.file_rows import rows_of_file
from softmaxce.images.decoded import DecodedImages
from softmaxce.preprocessing import Preprocessing
from softmaxce.temporary_files import TemporaryFile, remove_abandoned

FORMAT = "softmaxce pixels 2"
MAX_BYTES = 4 * 2**30
HEADER_BYTES = 4096
_SUFFIX = ".pixels"
_TEMPORARY = ".new-"
_SETTLED_NS = 2 * 10**9  # FAT, the coarsest file system in use, stores times in steps of 2 seconds
_INFO_BYTES = 25
_GREY, _UNREADABLE = 1, 2
_CHECKED_WORDS = 1024
_CHECKED_BYTES = 2**20  # small enough that the allocator reuses the memory


@dataclass(frozen=True)
class CacheKey:
    """The name of the entry for a set of files, and the digest of what it must be made from.

    n_columns: bytes of a row; None: those of the pixels; 0: the entry contains no pixels.
    """

    name: str
    digest: str
    n_files: int
    newest_ns: int
    n_columns: int | None = None


@dataclass(frozen=True)
class CacheEntry:
    """One file of the cache, as `softmaxce cache info` lists it. form: its preprocessing."""

    path: str
    source: str
    form: str
    n_images: int
    n_bytes: int
    last_used: float


def default_folder() -> Path | None:
    """SOFTMAXCE_CACHE, or softmaxce in the user's cache folder; None if there is no home folder.

    A relative XDG_CACHE_HOME is ignored, as the XDG Base Directory Specification requires.
    """
    if own := os.environ.get("SOFTMAXCE_CACHE"):
        return Path(own)
    if os.path.isabs(caches := os.environ.get("XDG_CACHE_HOME", "")):
        return Path(caches, "softmaxce")
    if sys.platform == "win32":
        local = Path(os.environ.get("LOCALAPPDATA", ""))
        return local / "softmaxce" / "cache" if local.is_absolute() else None
    home = Path(os.path.expanduser("~"))
    if not home.is_absolute():
        return None
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "softmaxce"


def usable_folder(path: str | PathLike[str]) -> Path:
    """`path`, created if it does not exist. Raises OutputError if it cannot be written to."""
    folder = Path(path)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot use the cache: {path}: {error.strerror or error}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"cannot use the cache: {path}: the folder cannot be written to")
    return folder


def key_of(
    source: str, request: Sequence[object], paths: Sequence[str], n_columns: int | None = None
) -> CacheKey | None:
    """The key of the images `paths` of `source` with the preprocessing that was asked for.

    n_columns: see `CacheKey`. None if the status of a file cannot be read, because its age is then
    unknown.
    """
    stamps = np.empty((len(paths), 3), "<i8")
    try:
        for i, path in enumerate(paths):
            status = os.stat(path)
            stamps[i] = status.st_size, status.st_mtime_ns, status.st_ctime_ns
    except (OSError, ValueError, OverflowError):
        return None
    columns = [] if n_columns is None else [n_columns]
    origin = json.dumps([FORMAT, os.path.realpath(source), *map(str, request), *columns])
    digest = hashlib.blake2b(origin.encode(), digest_size=16)
    name = digest.hexdigest()
    digest.update("\0".join(paths).encode("utf-8", "surrogatepass"))
    digest.update(stamps.tobytes())
    newest = int(stamps[:, 1:].max()) if len(paths) else 0
    return CacheKey(name, digest.hexdigest(), len(paths), newest, n_columns)


class PixelCache:
    """The cache in `folder`, which is created when it is first needed.

    on_note: called with a line for the user when the cache is not used.
    """

    def __init__(
        self,
        folder: Path,
        max_bytes: int = MAX_BYTES,
        on_note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.folder, self.max_bytes, self._on_note = folder, max_bytes, on_note

    def find(self, key: CacheKey) -> tuple[Preprocessing, DecodedImages, list[int]] | None:
        """What an earlier run decoded from exactly these files, and the positions of those that
        it could not decode; or None."""
        path = self._path_of(key)
        try:
            # Opened once, because another run may replace the file.
            with open(open_regular(path), "rb") as stream:
                header = _read_header(stream)
                if header["key"] != key.digest or header["n_images"] != key.n_files:
                    return None
                preprocessing = Preprocessing(**header["form"])
                if preprocessing.fault():
                    return None
                own = preprocessing.n_pixels if key.n_columns is None else key.n_columns
                decoded, failed = _read_entry(stream, path, (key.n_files, own))
                if header.pop("checksum") != _checksum(stream, header):
                    return None
                os.utime(stream.fileno() if os.utime in os.supports_fd else path)
        except (OSError, DataError, ValueError, KeyError, TypeError):
            return None
        return preprocessing, decoded, failed

    def new_file(self, shape: tuple[int, int]) -> TemporaryFile | None:
        """A new file for pixels of this shape from the byte HEADER_BYTES on.

        Old entries are removed if the disk is full. None, and a note, if that is not enough; None
        if the cache cannot be used at all.
        """
        n_bytes = _entry_bytes(shape)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = TemporaryFile(self.folder, _TEMPORARY)
        except OSError:
            return None
        while True:
            try:
                file.reserve(n_bytes)
                return file
            except OSError as error:
                is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
                if not is_full or n_bytes > self.max_bytes or not self._remove_oldest():
                    file.close()
                    self.say_unused(error)
                    return None

    def say_unused(self, error: BaseException | None) -> None:
        """Note that the images are decoded without the cache, and the error that is the reason."""
        reason = getattr(error, "strerror", None) or error
        self._on_note(f"the cache is not used: {self.folder}: {reason}; decoding without it")

    def keep(
        self,
        key: CacheKey,
        source: str,
        preprocessing: Preprocessing,
        decoded: DecodedImages,
        file: TemporaryFile,
    ) -> None:
        """Turn the file from `new_file`, which contains the pixels of `decoded`, into an entry.

        The file stays as it is, without an error, if an image is so new that another change could
        have the same time, if the file was closed because the disk is full, or if the disk has no
        room for the rest.
        """
        shape = decoded.pixels.shape
        n_bytes = _entry_bytes(shape)
        too_new = key.newest_ns > time.time_ns() - _SETTLED_NS
        is_lost = file.handle < 0
        if is_lost or too_new or n_bytes > self.max_bytes:
            return
        kinds = decoded.is_grey.astype(np.uint8)
        kinds[list(decoded.failures)] = _UNREADABLE
        with suppress(OSError):
            with open(file.handle, "r+b", closefd=False) as stream:
                stream.seek(HEADER_BYTES + shape[0] * shape[1])
                stream.write(decoded.sizes.astype("<i4").tobytes())
                stream.write(decoded.digests.astype("<u8").tobytes())
                stream.write(kinds.tobytes())
                stream.flush()
                header = {
                    "format": FORMAT,
                    "key": key.digest,
                    "source": os.path.realpath(source),
                    "n_images": shape[0],
                    "form": asdict(preprocessing),
                }
                header["checksum"] = _checksum(stream, header)
                stream.seek(0)
                stream.write(json.dumps(header).encode().ljust(HEADER_BYTES))
            file.rename(self._path_of(key))
            self._make_room()

    def entries(self) -> list[CacheEntry]:
        """The entries, most recently used first. Raises OutputError if they cannot be listed."""
        found = []
        for path in self._files():
            with suppress(FileNotFoundError):
                status = os.stat(path)
                try:
                    with open(open_regular(path), "rb") as stream:
                        header = _read_header(stream)
                    form = str(Preprocessing(**header["form"]))
                    what = str(header["source"]), form, int(header["n_images"])
                except (OSError, ValueError, KeyError, TypeError):
                    what = "", "damaged", 0
                found.append(CacheEntry(path, *what, status.st_size, status.st_mtime))
        return sorted(found, key=lambda entry: -entry.last_used)

    def clear(self) -> tuple[int, int]:
        """Remove every entry. Returns their number and their total size in bytes.

        Files that running commands write are left alone. They can still read removed entries.
        """
        n_files, n_bytes = remove_abandoned(self.folder, _TEMPORARY)
        for path in self._files():
            try:
                size = os.path.getsize(path)
                os.unlink(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise OutputError(f"cannot remove: {path}: {error.strerror}") from error
            n_files, n_bytes = n_files + 1, n_bytes + size
        return n_files, n_bytes

    def _path_of(self, key: CacheKey) -> str:
        return str(self.folder / (key.name + _SUFFIX))

    def _files(self) -> list[str]:
        try:
            names = sorted(os.listdir(self.folder))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise OutputError(f"cannot read the cache: {self.folder}: {error.strerror}") from error
        return [str(self.folder / name) for name in names if name.endswith(_SUFFIX)]

    def _make_room(self) -> None:
        """Remove the least recently used entries that exceed the limit."""
        with suppress(OSError, OutputError):
            n_bytes = 0
            for entry in self.entries():
                n_bytes += entry.n_bytes
                if n_bytes > self.max_bytes:
                    os.unlink(entry.path)

    def _remove_oldest(self) -> bool:
        """Remove the least recently used entry. Returns whether that was possible."""
        with suppress(OSError, OutputError, IndexError):
            os.unlink(self.entries()[-1].path)
            return True
        return False


def _entry_bytes(shape: tuple[int, int]) -> int:
    return HEADER_BYTES + shape[0] * (shape[1] + _INFO_BYTES)


def _read_header(stream: BinaryIO) -> dict[str, Any]:
    """The header written by `keep`. Raises ValueError for any other file."""
    header = json.loads(stream.read(HEADER_BYTES))
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ValueError("not a file of the pixel cache")
    return header


def _read_entry(
    stream: BinaryIO, path: str, shape: tuple[int, int]
) -> tuple[DecodedImages, list[int]]:
    """The images, and the positions of those that could not be decoded."""
    n_images, n_pixels = shape
    if os.fstat(stream.fileno()).st_size != _entry_bytes(shape):
        raise ValueError("the file is shorter or longer than its header says")
    stream.seek(HEADER_BYTES + n_images * n_pixels)
    info = stream.read(n_images * _INFO_BYTES)
    kinds = np.frombuffer(info, np.uint8, n_images, 24 * n_images)
    decoded = DecodedImages(
        pixels=rows_of_file(stream.fileno(), path, HEADER_BYTES, shape),
        sizes=np.frombuffer(info, "<i4", 2 * n_images).reshape(-1, 2),
        digests=np.frombuffer(info, "<u8", 2 * n_images, 8 * n_images).reshape(-1, 2),
        is_grey=kinds == _GREY,
        failures={},
    )
    return decoded, np.flatnonzero(kinds == _UNREADABLE).tolist()


def _checksum(stream: BinaryIO, header: Mapping[str, Any]) -> str:
    """A checksum of the header and everything after it, against accidental damage.

    It runs at the speed of memory. For each block of 8 KB, the 64-bit words are multiplied by
    different odd numbers and summed modulo 2^64, so that changing any one word changes the sum.
    The sums are then hashed.
    """
    weights = np.arange(1, _CHECKED_WORDS + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    weights |= np.uint64(1)
    digest = hashlib.blake2b(json.dumps(header, sort_keys=True).encode(), digest_size=16)
    stream.seek(HEADER_BYTES)
    while content := stream.read(_CHECKED_BYTES):
        digest.update(len(content).to_bytes(8, "little"))
        content += bytes(-len(content) % weights.nbytes)
        words = np.frombuffer(content, "<u8").reshape(-1, _CHECKED_WORDS)
        digest.update(np.einsum("ij,j->i", words, weights).astype("<u8").tobytes())
    return digest.hexdigest()
