"""Image files → decoded rows, with the preprocessing that suits them all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.data.decoded_rows import DecodedRows, decode_for_network
from softmaxce.data.decoding import decode_files
from softmaxce.data.pixel_cache import HEADER_BYTES, CacheKey, PixelCache, key_of
from softmaxce.data.read_options import ReadOptions
from softmaxce.errors import ImageError, OutputError
from softmaxce.images.decoded import DecodedImages, digests_of
from softmaxce.images.info import ImageInfo, decoder_version
from softmaxce.preprocessing import Preprocessing
from softmaxce.temporary_files import TemporaryFile

DEFAULT_SIDE = 64
LARGEST_OWN_SIDE = 64
_N_PROBED = 32
_MAX_PASSES = 2  # the first is based on a sample; which files fail may depend on the preprocessing

_Sizes = Collection[tuple[int, int]]


@dataclass(frozen=True)
class PreprocessingOptions:
    """The preprocessing asked for. size: (width, height); channels: 1 or 3.

    None leaves it to the images: their own size if all share one of at most 64 × 64 pixels, else
    64 × 64; grey only if all are grey.
    """

    size: tuple[int, int] | None = None
    channels: int | None = None
    fit: str = "stretch"
    background: str = "#ffffff"

    @classmethod
    def exactly(cls, preprocessing: Preprocessing) -> PreprocessingOptions:
        """The options that leave no choice."""
        size = preprocessing.width, preprocessing.height
        return cls(size, preprocessing.channels, preprocessing.fit, preprocessing.background)

    def choose(self, sizes: _Sizes, all_grey: bool) -> Preprocessing:
        """The preprocessing for images of these sizes (width, height)."""
        width, height = self.size or _own_size(sizes) or (DEFAULT_SIDE, DEFAULT_SIDE)
        channels = self.channels or (1 if all_grey else 3)
        return Preprocessing(height, width, channels, self.fit, self.background)

    def reason(self, sizes: _Sizes, all_grey: bool) -> str:
        """Why `choose` returns what it returns, in words."""
        if self.size:
            size = "the requested size"
        elif _own_size(sizes):
            size = "the size of all images"
        elif len(sizes) == 1:
            size = "the default size, because their own is larger"
        else:
            size = "the default size, because their sizes differ"
        if self.channels:
            return f"{size} and the requested colour mode"
        return f"{size}; {'all are grey' if all_grey else 'some are in colour'}"


def _own_size(sizes: _Sizes) -> tuple[int, int] | None:
    """The size that all images share, if it is small enough."""
    if len(sizes) == 1:
        (own,) = sizes
        if max(own) <= LARGEST_OWN_SIDE:
            return own
    return None


def decode_all(
    source: str,
    paths: Sequence[str],
    wanted: PreprocessingOptions,
    options: ReadOptions = ReadOptions(),
) -> tuple[Preprocessing, DecodedImages, str]:
    """The preprocessing, the decoded images, and the reason for the preprocessing in words.

    `source` is the folder or file that lists the images. The preprocessing is chosen from the
    headers of a sample. If all images together need another one, they are decoded a second time.
    """
    cache = options.cache if options.backend is None else None
    asked: tuple[object, ...] = (wanted.size, wanted.channels, wanted.fit, wanted.background)
    n_columns = None
    if options.network:  # the cache keeps only the sizes and digests
        asked, n_columns = (*asked, decoder_version()), 0
    key = key_of(source, asked, paths, n_columns) if cache else None
    if cache and key and (found := _found(cache, key, paths, options)):
        preprocessing, decoded = found
        return preprocessing, decoded, wanted.reason(*_seen(decoded))
    headers = options.backend.headers if options.backend else _headers
    probed = headers(paths[:: max(1, len(paths) // _N_PROBED)])
    settled = wanted.choose({(h.width, h.height) for h in probed}, all(h.is_grey for h in probed))
    for _ in range(_MAX_PASSES):
        preprocessing = settled
        shape = len(paths), 0 if options.network else preprocessing.n_pixels
        with (cache.new_file(shape) if cache and key else None) or nullcontext() as file:
            decoded = _decode(paths, preprocessing, options, file)
            sizes, all_grey = _seen(decoded)
            if sizes:  # some images could be read
                settled = wanted.choose(sizes, all_grey)
            if cache and key and file and settled == preprocessing:
                kept: Any = np.empty(shape, np.uint8) if options.network else decoded.pixels
                cache.keep(key, source, preprocessing, replace(decoded, pixels=kept), file)
        if settled == preprocessing:
            break
    return preprocessing, decoded, wanted.reason(sizes, all_grey)


def _found(
    cache: PixelCache, key: CacheKey, paths: Sequence[str], options: ReadOptions
) -> tuple[Preprocessing, DecodedImages] | None:
    """What the cache keeps. Files that could not be decoded are tried again: the reason may have
    been the disk, or a plug-in that was not installed. If one can be decoded now, None."""
    found = cache.find(key)
    if found is None:
        return None
    preprocessing, decoded, failed = found
    failures: dict[int, ImageError] = {}
    if failed:
        again = decode_files([paths[i] for i in failed], preprocessing, jobs=options.jobs)
        if len(again.failures) < len(failed):
            return None
        failures = {failed[i]: error for i, error in again.failures.items()}
    pixels: Any = decoded.pixels
    if options.network:
        pixels = DecodedRows(paths, preprocessing, decoded.digests, options.jobs)
    return preprocessing, replace(decoded, pixels=pixels, failures=failures)


def decode_arrays(
    arrays: Sequence[NDArray[np.uint8]], wanted: PreprocessingOptions | Preprocessing
) -> tuple[Preprocessing, DecodedImages, str]:
    """As `decode_all`, for arrays (n, height, width) or (n, height, width, 3) of images."""
    from softmaxce.images.reading import array_pixels  # Pillow is loaded with the first image

    if isinstance(wanted, Preprocessing):
        wanted = PreprocessingOptions.exactly(wanted)
    sizes, are_grey = [(a.shape[2], a.shape[1]) for a in arrays], [a.ndim == 3 for a in arrays]
    preprocessing = wanted.choose({*sizes}, all(are_grey))
    rows, counts = [array_pixels(a, preprocessing) for a in arrays], [len(a) for a in arrays]
    pixels = rows[0] if len(rows) == 1 else np.concatenate(rows)
    all_sizes = np.repeat(np.array(sizes, np.int32), counts, axis=0)
    decoded = DecodedImages(
        pixels, all_sizes, np.repeat(are_grey, counts), digests_of(pixels), failures={}
    )
    return preprocessing, decoded, wanted.reason({*sizes}, all(are_grey))


def _decode(
    paths: Sequence[str],
    preprocessing: Preprocessing,
    options: ReadOptions,
    file: TemporaryFile | None,
) -> DecodedImages:
    if options.backend:
        return options.backend.decode(paths, preprocessing, options.on_decoded)
    how: Any = {"jobs": options.jobs, "on_decoded": options.on_decoded}
    if options.network:
        how["skip_bad"] = options.skip_bad
        return decode_for_network(paths, preprocessing, options.network, **how)
    decode = partial(decode_files, paths, preprocessing, **how)
    if file is not None and options.cache is not None:
        try:
            return decode(pixel_file=file, offset=HEADER_BYTES)
        except OutputError as error:
            options.cache.say_unused(error.__cause__)
            file.close()
    return decode()


def _headers(paths: Sequence[str]) -> list[ImageInfo]:
    from softmaxce.images.reading import read_info  # Pillow is loaded with the first image

    found = []
    for path in paths:
        try:
            found.append(read_info(path))
        except ImageError:
            continue  # decoding reports it
    return found


def _seen(decoded: DecodedImages) -> tuple[set[tuple[int, int]], bool]:
    """The sizes of the readable images, and whether all of them are grey."""
    seen = np.ones(len(decoded.pixels), np.bool_)
    seen[list(decoded.failures)] = False
    width, height = decoded.sizes[seen].astype(np.int64).T
    # One number per size: sorting numbers is several times as fast as sorting rows.
    sizes = {(int(size) >> 32, int(size) & 0xFFFFFFFF) for size in np.unique(width << 32 | height)}
    return sizes, bool(decoded.is_grey[seen].all())
