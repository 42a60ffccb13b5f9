"""Datasets with features of their images: those of patches or of a pretrained network."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from softmaxce.data.decoded_rows import DecodedRows
from softmaxce.data.decoding import OnDecoded, pixel_store
from softmaxce.data.pixel_cache import HEADER_BYTES, CacheKey, PixelCache
from softmaxce.data.pixel_dataset import PixelDataset, Subset
from softmaxce.errors import OutputError
from softmaxce.images.decoded import without_files
from softmaxce.model.softmax_model import Features
from softmaxce.networks.features import NetworkFeatures
from softmaxce.temporary_files import TemporaryFile
from softmaxce.workflows.progress import OnProgress, counted

_BLOCK_BYTES = 2**24  # pixels or features that are in memory at a time


def with_features(
    dataset: PixelDataset,
    features: Features | None,
    on_done: OnDecoded,
    cache: PixelCache | None = None,
) -> PixelDataset:
    """The dataset with the features of its images, in memory or in a temporary file; the dataset
    itself if `features` is None, or if it has them and no cache is to keep them.

    cache: where those of a network are kept; patches are quicker to compute again. Raises
    OutputError if the disk is full, and DataError if a feature is NaN, infinite or too large.
    """
    if features is None or (cache is None and dataset.features is not None):
        return dataset
    if cache is None or not isinstance(features, NetworkFeatures):
        return _computed(dataset, features, on_done)
    key = _cache_key(dataset, features)
    if found := cache.find(key):
        return replace(dataset, features=found[1].pixels.view(features.dtype))
    if isinstance(dataset.pixels, DecodedRows) and dataset.features is None:
        dataset = replace(dataset, features=dataset.pixels.features_of(features, on_done))
    if file := cache.new_file((dataset.n_images, features.row_bytes)):
        form = dataset.preprocessing.images
        with file:
            try:
                done = _computed(dataset, features, on_done, file)
                kept = without_files(done.inputs.view(np.uint8), done.digests)
                cache.keep(key, features.opened.path, form, kept, file)
                return done
            except OutputError as error:
                cache.say_unused(error.__cause__)
    return dataset if dataset.features is not None else _computed(dataset, features, on_done)


def _computed(
    dataset: PixelDataset,
    features: Features,
    on_done: OnDecoded,
    file: TemporaryFile | None = None,
) -> PixelDataset:
    n_images, n_columns = dataset.n_images, features.row_bytes
    known = dataset.features
    step = max(1, _BLOCK_BYTES // max(n_columns, dataset.pixels.shape[1]))
    with pixel_store((n_images, n_columns), file, HEADER_BYTES if file else 0, None) as store:
        for start in range(0, n_images, step):
            rows = slice(start, start + step)
            if known is not None:
                block = known[rows]
            else:
                block = features.of(dataset.pixels[rows])
                on_done(min(start + step, n_images), n_images)
            store.store(start, block.view(np.uint8))
        return replace(dataset, features=store.matrix().view(features.dtype))


def _cache_key(dataset: PixelDataset, network: NetworkFeatures) -> CacheKey:
    """The pixels and all that the network's features depend on."""
    digest = hashlib.blake2b(str(network).encode(), digest_size=16)
    digest.update(dataset.digests.tobytes())
    name = digest.hexdigest()
    return CacheKey(name, name, dataset.n_images, newest_ns=0, n_columns=network.row_bytes)


def with_features_of_splits(
    splits: Mapping[str, Subset],
    features: Features,
    on_progress: OnProgress,
    cache: PixelCache | None = None,
) -> dict[str, Subset]:
    """The splits with the features of their images; datasets that they share stay shared."""
    done: dict[int, PixelDataset] = {}
    for name, subset in splits.items():
        if id(subset.dataset) not in done:
            listener = counted(on_progress, f"Computing the features of the {name} images")
            done[id(subset.dataset)] = with_features(subset.dataset, features, listener, cache)
    return {name: Subset(done[id(s.dataset)], s.rows) for name, s in splits.items()}
