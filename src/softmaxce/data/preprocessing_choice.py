"""Image files → rows of one form: the form is chosen, the files decoded or taken from the cache."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from softmaxce.data.decoding import DecodedImages, OnDecoded, decode_files
from softmaxce.data.pixel_cache import HEADER_BYTES, PixelCache, discard, key_of
from softmaxce.errors import ImageError
from softmaxce.images.reading import ImageInfo, read_info
from softmaxce.preprocessing import Preprocessing

DEFAULT_SIDE = 64
LARGEST_OWN_SIDE = 64
_N_PROBED = 32

_Sizes = Collection[tuple[int, int]]


class Reader(Protocol):
    """Who reads image files, where it is not this process and its children."""

    def check_size(self, n_pixels: int, n_classes: int) -> None:
        """Raise TrainingError where a classifier of this size cannot be trained so."""
        ...

    def headers(self, paths: Sequence[str]) -> list[ImageInfo]:
        """Sizes and colours of those of the files that can be read, from their headers."""
        ...

    def decode(
        self, paths: Sequence[str], form: Preprocessing, on_decoded: OnDecoded | None
    ) -> DecodedImages:
        """As `decode_files`; the pixels may stay where they were decoded."""
        ...


@dataclass(frozen=True)
class PreprocessingOptions:
    """What form is asked for. size: (width, height); channels: 1 or 3.

    None leaves it to the images: their own size where all share one of at most 64 × 64 pixels,
    else 64 × 64; grey only where all are.
    """

    size: tuple[int, int] | None = None
    channels: int | None = None
    fit: str = "stretch"
    background: str = "#ffffff"

    @classmethod
    def exactly(cls, form: Preprocessing) -> PreprocessingOptions:
        """The request that leaves no choice."""
        return cls((form.width, form.height), form.channels, form.fit, form.background)

    def form(self, sizes: _Sizes, all_grey: bool) -> Preprocessing:
        """The form for images of these sizes (width, height)."""
        width, height = self.size or _own_size(sizes) or (DEFAULT_SIDE, DEFAULT_SIDE)
        channels = self.channels or (1 if all_grey else 3)
        return Preprocessing(height, width, channels, self.fit, self.background)

    def reason(self, sizes: _Sizes, all_grey: bool) -> str:
        """Why `form` gives what it gives, in words."""
        if self.size:
            size = "the size asked for"
        elif _own_size(sizes):
            size = "the size they all have"
        elif len(sizes) == 1:
            size = "the default size, as their own is larger"
        else:
            size = "the default size, as their own differ"
        if self.channels:
            return f"{size} and the colour asked for"
        return f"{size}; {'all are grey' if all_grey else 'some have colour'}"


def _own_size(sizes: _Sizes) -> tuple[int, int] | None:
    """The one size that all share, if it is small enough."""
    if len(sizes) == 1:
        (own,) = sizes
        if max(own) <= LARGEST_OWN_SIDE:
            return own
    return None


def decode_all(
    source: str,
    paths: Sequence[str],
    request: PreprocessingOptions,
    *,
    cache: PixelCache | None = None,
    jobs: int | None = None,
    on_decoded: OnDecoded | None = None,
    reader: Reader | None = None,
) -> tuple[Preprocessing, DecodedImages, str]:
    """The form, the decoded images, and why this form. `source` is where the files are listed.

    A `reader` has a cache of its own, if any.
    """
    if reader is not None:
        form = _guess(reader.headers(paths[:: max(1, len(paths) // _N_PROBED)]), request)
        while True:
            decoded = reader.decode(paths, form, on_decoded)
            settled = _settled(decoded, form, request)
            if settled == form:
                return form, decoded, request.reason(*_seen(decoded))
            form = settled
    asked = (request.size, request.channels, request.fit, request.background)
    key = None if cache is None else key_of(source, asked, paths)
    found = cache.find(key) if cache and key else None
    if found:
        form, decoded = found
        return form, decoded, request.reason(*_seen(decoded))
    form = _probe(paths, request)
    while True:
        file = cache.new_file() if cache and key else None
        try:
            decoded = decode_files(
                paths,
                form,
                jobs=jobs,
                on_decoded=on_decoded,
                pixel_file=file,
                offset=HEADER_BYTES if file else 0,
            )
            settled = _settled(decoded, form, request)
            if settled == form:
                if cache and key and file:
                    cache.keep(key, source, form, decoded, file)
                return form, decoded, request.reason(*_seen(decoded))
        finally:
            if file:
                discard(file)
        form = settled


def _probe(paths: Sequence[str], request: PreprocessingOptions) -> Preprocessing:
    """A first guess of the form from the headers of some images, so that one decoding will do."""
    facts = []
    for path in paths[:: max(1, len(paths) // _N_PROBED)]:
        try:
            facts.append(read_info(path))
        except ImageError:
            continue  # named when it is decoded
    return _guess(facts, request)


def _guess(facts: Sequence[ImageInfo], request: PreprocessingOptions) -> Preprocessing:
    sizes = {(f.width, f.height) for f in facts}
    return request.form(sizes, all(f.is_grey for f in facts))


def _settled(
    decoded: DecodedImages, form: Preprocessing, request: PreprocessingOptions
) -> Preprocessing:
    """The form that the images ask for now that all are known; `form` if none could be read."""
    seen = _seen(decoded)
    return request.form(*seen) if seen[0] else form


def _seen(decoded: DecodedImages) -> tuple[set[tuple[int, int]], bool]:
    """The sizes of the images that could be read, and whether all are grey."""
    seen = np.ones(len(decoded.pixels), np.bool_)
    seen[list(decoded.failures)] = False
    width, height = decoded.sizes[seen].astype(np.int64).T
    # One number a size: sorting those is several times as fast as sorting rows.
    sizes = {(int(size) >> 32, int(size) & 0xFFFFFFFF) for size in np.unique(width << 32 | height)}
    return sizes, bool(decoded.is_grey[seen].all())
