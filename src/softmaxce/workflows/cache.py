"""What the pixel cache holds, and removing it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from softmaxce.data.pixel_cache import MAX_BYTES, CacheEntry, PixelCache, default_folder
from softmaxce.errors import InputError


@dataclass(frozen=True)
class CacheInfo:
    """The entries of the cache in `folder`, used last first, and how many bytes it may have."""

    folder: str
    entries: tuple[CacheEntry, ...]
    max_bytes: int

    @property
    def n_bytes(self) -> int:
        """How many bytes all entries have."""
        return sum(entry.n_bytes for entry in self.entries)


@dataclass(frozen=True)
class Cleared:
    """How many files were removed from `folder`, and how many bytes they had."""

    folder: str
    n_files: int
    n_bytes: int


def info(folder: str | None) -> CacheInfo:
    """What the cache in `folder` (None: the default one) holds. Raises OutputError, InputError."""
    cache = _cache(folder)
    return CacheInfo(str(cache.folder), tuple(cache.entries()), MAX_BYTES)


def clear(folder: str | None) -> Cleared:
    """Remove all that the cache holds. Raises OutputError, InputError."""
    cache = _cache(folder)
    return Cleared(str(cache.folder), *cache.clear())


def _cache(folder: str | None) -> PixelCache:
    path = default_folder() if folder is None else Path(folder)
    if path is None:
        raise InputError("no cache: there is no home folder; name a folder with --cache")
    return PixelCache(path)
