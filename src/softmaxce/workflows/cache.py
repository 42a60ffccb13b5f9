"""The contents of the pixel cache, and clearing it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from softmaxce.data.pixel_cache import MAX_BYTES, CacheEntry, PixelCache, default_folder
from softmaxce.errors import InputError


@dataclass(frozen=True)
class CacheInfo:
    """The cache in `folder`: its entries, most recently used first, size limit and total size."""

    folder: str
    entries: tuple[CacheEntry, ...]
    max_bytes: int
    n_bytes: int


@dataclass(frozen=True)
class Cleared:
    """The number and total size of the files removed from `folder`."""

    folder: str
    n_files: int
    n_bytes: int


def info(folder: str | None) -> CacheInfo:
    """The contents of the cache in `folder` (None: the default). Raises OutputError, InputError."""
    cache = _cache(folder)
    entries = tuple(cache.entries())
    return CacheInfo(str(cache.folder), entries, MAX_BYTES, sum(e.n_bytes for e in entries))


def clear(folder: str | None) -> Cleared:
    """Remove all entries. Raises OutputError, InputError."""
    cache = _cache(folder)
    return Cleared(str(cache.folder), *cache.clear())


def _cache(folder: str | None) -> PixelCache:
    path = default_folder() if folder is None else Path(folder)
    if path is None:
        raise InputError("no cache: there is no home folder; choose a folder with --cache")
    return PixelCache(path)
