"""Decoded pixels kept on disk, memory-mapped, so that a set is decoded once.

An entry belongs to one folder (or manifest) and one form of its images, and is valid for exactly
the files it was made of: their paths, sizes, and times of change. Its file:

    4096 bytes   one line of JSON (key, shape, form, checksum), filled up with spaces
    n · D bytes  the pixels, row by row
    n · 25       sizes int32 (n, 2), digests uint64 (n, 2), is_grey uint8 (n)

A file that does not fit its key, its shape or its checksum is no entry: the images are decoded
again. Files are written aside and renamed; entries used longest ago are removed for room.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from softmaxce.data.decoding import DecodedImages
from softmaxce.errors import OutputError
from softmaxce.mapped_rows import map_rows
from softmaxce.preprocessing import Preprocessing

FORMAT = "softmaxce pixels 1"
MAX_BYTES = 4 * 2**30
HEADER_BYTES = 4096
_SUFFIX = ".pixels"
_TEMPORARY = ".new-"
_ABANDONED_SECONDS = 24 * 3600.0
_SETTLED_NS = 2 * 10**9  # the coarsest clock of a file system in use (FAT) ticks every 2 seconds
_FACT_BYTES = 25
_CHECKED_WORDS = 1024
_CHECKED_BYTES = 2**20  # read into memory that is at hand, not asked of the system each time


@dataclass(frozen=True)
class CacheKey:
    """Which entry a set of files has, and what that entry must have been made of."""

    name: str
    digest: str
    n_files: int
    newest_ns: int


@dataclass(frozen=True)
class CacheEntry:
    """One file of the cache, as `softmaxce cache info` lists it."""

    path: str
    source: str
    form: str
    n_images: int
    n_bytes: int
    last_used: float


def default_folder() -> Path | None:
    """SOFTMAXCE_CACHE, or softmaxce in the user's cache folder; None where there is no home."""
    given = os.environ.get("SOFTMAXCE_CACHE") or os.environ.get("XDG_CACHE_HOME")
    if given:
        own = Path(given)
        return own if os.environ.get("SOFTMAXCE_CACHE") else own / "softmaxce"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return Path(local) / "softmaxce" / "cache" if local else None
    home = Path(os.path.expanduser("~"))
    if not home.is_absolute():
        return None
    caches = Path("Library", "Caches") if sys.platform == "darwin" else Path(".cache")
    return home / caches / "softmaxce"


def usable_folder(path: str | PathLike[str]) -> Path:
    """`path`, made if it is not there. Raises OutputError where it is no folder to write to."""
    folder = Path(path)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot use the cache: {path}: {error.strerror or error}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"cannot use the cache: {path}: the folder cannot be written to")
    return folder


def key_of(source: str, request: Sequence[object], paths: Sequence[str]) -> CacheKey | None:
    """The key of the images `paths` of `source` in the form that was asked for.

    None where a file cannot be looked at, so that nothing could be said about its age.
    """
    stamps = np.empty((len(paths), 3), "<i8")
    try:
        for i, path in enumerate(paths):
            status = os.stat(path)
            stamps[i] = status.st_size, status.st_mtime_ns, status.st_ctime_ns
    except (OSError, ValueError, OverflowError):
        return None
    origin = json.dumps([FORMAT, os.path.realpath(source), *map(str, request)])
    digest = hashlib.blake2b(origin.encode(), digest_size=16)
    name = digest.hexdigest()
    digest.update("\0".join(paths).encode("utf-8", "surrogatepass"))
    digest.update(stamps.tobytes())
    newest = int(stamps[:, 1:].max()) if len(paths) else 0
    return CacheKey(name, digest.hexdigest(), len(paths), newest)


class PixelCache:
    """The cache in `folder`, which is made when it is first needed."""

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self.folder, self.max_bytes = folder, max_bytes

    def find(self, key: CacheKey) -> tuple[Preprocessing, DecodedImages] | None:
        """What an earlier run decoded of these very files, or None."""
        path = self._path_of(key)
        try:
            with open(path, "rb") as stream:  # opened once: another run may replace the file
                header = _read_header(stream)
                if header["key"] != key.digest or header["n_images"] != key.n_files:
                    return None
                form = Preprocessing(**header["form"])
                if form.fault() or header.pop("checksum") != _checksum(stream, header):
                    return None
                decoded = _read_entry(stream, (key.n_files, form.n_pixels))
            os.utime(path)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return form, decoded

    def new_file(self) -> str | None:
        """A new file to decode into, from the byte HEADER_BYTES on; None if none can be made."""
        with suppress(OSError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, path = tempfile.mkstemp(prefix=_TEMPORARY, dir=self.folder)
            os.close(handle)
            return path
        return None

    def keep(
        self, key: CacheKey, source: str, form: Preprocessing, decoded: DecodedImages, path: str
    ) -> None:
        """Make an entry of the file from `new_file` that holds the pixels of `decoded`.

        Nothing is kept of files that failed (the fault may pass), of files that are so new that
        another change could bear the same time, or where there is no room; that is no error.
        """
        shape = decoded.pixels.shape
        n_bytes = HEADER_BYTES + shape[0] * (shape[1] + _FACT_BYTES)
        too_new = key.newest_ns > time.time_ns() - _SETTLED_NS
        if decoded.failures or too_new or n_bytes > self.max_bytes:
            return discard(path)
        try:
            with open(path, "r+b") as stream:
                stream.seek(HEADER_BYTES + decoded.pixels.size)
                stream.write(decoded.sizes.astype("<i4").tobytes())
                stream.write(decoded.digests.astype("<u8").tobytes())
                stream.write(decoded.is_grey.astype(np.uint8).tobytes())
                stream.flush()
                header = {
                    "format": FORMAT,
                    "key": key.digest,
                    "source": os.path.realpath(source),
                    "n_images": shape[0],
                    "form": asdict(form),
                }
                header["checksum"] = _checksum(stream, header)
                stream.seek(0)
                stream.write(json.dumps(header).encode().ljust(HEADER_BYTES))
            os.replace(path, self._path_of(key))
        except OSError:
            return discard(path)
        self._make_room()
        return None

    def entries(self) -> list[CacheEntry]:
        """What the cache holds, used last first. Raises OutputError where it cannot be listed."""
        found = []
        for path in self._files(_SUFFIX):
            with suppress(FileNotFoundError):
                status = os.stat(path)
                try:
                    with open(path, "rb") as stream:
                        header = _read_header(stream)
                    form = str(Preprocessing(**header["form"]))
                    what = str(header["source"]), form, int(header["n_images"])
                except (OSError, ValueError, KeyError, TypeError):
                    what = "", "damaged", 0
                found.append(CacheEntry(path, *what, status.st_size, status.st_mtime))
        return sorted(found, key=lambda entry: -entry.last_used)

    def clear(self) -> tuple[int, int]:
        """Remove every entry. Returns how many there were and their bytes."""
        n_files = n_bytes = 0
        for path in (*self._files(_SUFFIX), *self._files("", _TEMPORARY)):
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

    def _files(self, suffix: str, prefix: str = "") -> list[str]:
        try:
            names = sorted(os.listdir(self.folder))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise OutputError(f"cannot read the cache: {self.folder}: {error.strerror}") from error
        chosen = [name for name in names if name.endswith(suffix) and name.startswith(prefix)]
        return [str(self.folder / name) for name in chosen]

    def _make_room(self) -> None:
        """Remove the entries used longest ago, and what interrupted runs left."""
        with suppress(OSError, OutputError):
            for path in self._files("", _TEMPORARY):
                if os.stat(path).st_mtime < time.time() - _ABANDONED_SECONDS:
                    os.unlink(path)
            n_bytes = 0
            for entry in self.entries():
                n_bytes += entry.n_bytes
                if n_bytes > self.max_bytes:
                    os.unlink(entry.path)


def discard(path: str) -> None:
    """Remove a file from `new_file`; its pixels stay where they are mapped."""
    with suppress(OSError):
        os.unlink(path)


def _read_header(stream: BinaryIO) -> dict[str, Any]:
    """The header as written by `keep`. Raises ValueError for any other file."""
    header = json.loads(stream.read(HEADER_BYTES))
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ValueError("no file of the pixel cache")
    return header


def _read_entry(stream: BinaryIO, shape: tuple[int, int]) -> DecodedImages:
    n_images, n_pixels = shape
    stream.seek(HEADER_BYTES + n_images * n_pixels)
    facts = stream.read()
    if len(facts) != n_images * _FACT_BYTES:
        raise ValueError("the file is shorter or longer than its header says")
    return DecodedImages(
        pixels=map_rows(stream, HEADER_BYTES, shape),
        sizes=np.frombuffer(facts, "<i4", 2 * n_images).reshape(-1, 2),
        digests=np.frombuffer(facts, "<u8", 2 * n_images, 8 * n_images).reshape(-1, 2),
        is_grey=np.frombuffer(facts, np.uint8, n_images, 24 * n_images).astype(np.bool_),
        failures={},
    )


def _checksum(stream: BinaryIO, header: Mapping[str, Any]) -> str:
    """Of the header and all behind it: it finds accidental damage at the speed of memory.

    Each block of 8 KB gives the sum of its 64-bit words, each times an odd number of its own,
    modulo 2^64; so any one changed word changes the sum. The sums are digested.
    """
    weights = np.arange(1, _CHECKED_WORDS + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    weights |= np.uint64(1)
    digest = hashlib.blake2b(json.dumps(header, sort_keys=True).encode(), digest_size=16)
    stream.seek(HEADER_BYTES)
    while content := stream.read(_CHECKED_BYTES):
        digest.update(len(content).to_bytes(8, "little"))
        content = content.ljust(
            -(-len(content) // (8 * _CHECKED_WORDS)) * 8 * _CHECKED_WORDS, b"\0"
        )
        words = np.frombuffer(content, "<u8").reshape(-1, _CHECKED_WORDS)
        digest.update(np.einsum("ij,j->i", words, weights).astype("<u8").tobytes())
    return digest.hexdigest()
