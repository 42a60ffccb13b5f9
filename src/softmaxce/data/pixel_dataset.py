"""Images of any source → PixelDataset: a uint8 matrix, labels, names; which rows are held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmaxce.data.array_files import PixelArrays
from softmaxce.data.class_folders import ClassFolder
from softmaxce.data.decoding import OnDecoded, digests_of
from softmaxce.data.pixel_cache import PixelCache
from softmaxce.data.preprocessing_choice import PreprocessingOptions, Reader, decode_all
from softmaxce.data.sources import Part, Source, list_classes, part_of, read_labelled_arrays
from softmaxce.errors import DataError, ImageError
from softmaxce.images.reading import array_pixels
from softmaxce.preprocessing import Preprocessing

_N_NAMED = 10


@dataclass(frozen=True)
class PixelDataset:
    """Images as rows.

    pixels: (n_images, n_pixels) uint8; labels: (n_images,) integers from 0 into class_names;
    paths: n_images file names; digests: (n_images, 2) uint64, equal for equal pixels;
    preprocessing_reason: why the images have this preprocessing, in words; unreadable: the image
    files that were skipped; ignored_files: files whose names are not those of images.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    paths: tuple[str, ...]
    digests: NDArray[np.uint64]
    preprocessing: Preprocessing
    preprocessing_reason: str = ""
    unreadable: tuple[ImageError, ...] = ()
    ignored_files: tuple[str, ...] = ()

    @property
    def n_images(self) -> int:
        """How many images (rows) there are."""
        return len(self.labels)

    @property
    def left_out(self) -> tuple[str, ...]:
        """A line for each file that was passed over: which, and why."""
        ignored_files = (f"{path}: it is no image by its name" for path in self.ignored_files)
        return (*map(str, self.unreadable), *ignored_files)


def load_for_training(
    source: Source,
    *,
    request: PreprocessingOptions | None = None,
    skip_bad: bool = False,
    cache: PixelCache | None = None,
    jobs: int | None = None,
    on_decoded: OnDecoded | None = None,
    reader: Reader | None = None,
) -> PixelDataset:
    """The images of `source` (class folders, a manifest or arrays), in the order of class and path.

    Raises DataError for what cannot train a classifier, and, unless `skip_bad`, for unreadable
    images. A `reader` reads the files in place of this process.
    """
    part, request = part_of(source), request or PreprocessingOptions()
    arrays = read_labelled_arrays(part)
    if arrays is not None:
        _refuse_arrays(reader, part)
        _refuse_one_class(sorted(set(arrays.labels or ())), part)
        return _from_arrays(part, arrays, sorted(set(arrays.labels or ())), request)
    classes = list_classes(part)
    _refuse_one_class([c.name for c in classes], part)
    _refuse_empty_classes(classes, part)
    names = tuple(c.name for c in classes)
    dataset = _read(part, classes, names, request, skip_bad, cache, jobs, on_decoded, reader)
    _refuse_lost_classes(dataset, part)
    return dataset


def load_for_model(
    source: Source,
    class_names: Sequence[str],
    preprocessing: Preprocessing,
    *,
    skip_bad: bool = False,
    cache: PixelCache | None = None,
    jobs: int | None = None,
    on_decoded: OnDecoded | None = None,
    reader: Reader | None = None,
) -> PixelDataset:
    """The images of `source` in the form of a model, labelled by name among `class_names`.

    A class without a folder has no images; a folder of another name raises DataError.
    """
    part, request = part_of(source), PreprocessingOptions.exactly(preprocessing)
    arrays = read_labelled_arrays(part)
    if arrays is not None:
        _refuse_arrays(reader, part)
        _refuse_unknown_classes(sorted(set(arrays.labels or ())), class_names, part)
        return _from_arrays(part, arrays, class_names, request)
    classes = list_classes(part)
    _refuse_unknown_classes([c.name for c in classes], class_names, part)
    if not any(c.paths for c in classes):
        raise DataError(f"no images: {part}: its class folders hold no image file")
    return _read(
        part, classes, tuple(class_names), request, skip_bad, cache, jobs, on_decoded, reader
    )


def _read(
    part: Part,
    classes: Sequence[ClassFolder],
    class_names: tuple[str, ...],
    request: PreprocessingOptions,
    skip_bad: bool,
    cache: PixelCache | None,
    jobs: int | None,
    on_decoded: OnDecoded | None,
    reader: Reader | None,
) -> PixelDataset:
    paths = [path for c in classes for path in c.paths]
    form, decoded, reason = decode_all(
        str(part), paths, request, cache=cache, jobs=jobs, on_decoded=on_decoded, reader=reader
    )
    unreadable = tuple(decoded.failures[i] for i in sorted(decoded.failures))
    if unreadable and not skip_bad:
        raise DataError(_describe_unreadable(unreadable))
    if len(unreadable) == len(paths):
        raise DataError(f"no readable image: {part}: all {len(unreadable)} are unreadable")
    index_of = {name: index for index, name in enumerate(class_names)}
    labels = np.repeat([index_of[c.name] for c in classes], [len(c.paths) for c in classes])
    pixels, digests = decoded.pixels, decoded.digests
    if unreadable:
        kept = np.setdiff1d(np.arange(len(paths)), list(decoded.failures))
        digests, labels = digests[kept], labels[kept]
        paths = [paths[i] for i in kept]
        # Elsewhere, the rows of a matrix must be those of files in a row: it is made again.
        pixels = reader.decode(paths, form, None).pixels if reader else pixels[kept]
    return PixelDataset(
        pixels,
        labels.astype(np.int64),
        class_names,
        tuple(paths),
        digests,
        form,
        reason,
        unreadable,
        tuple(path for c in classes for path in c.ignored_files),
    )


def _from_arrays(
    part: Part, arrays: PixelArrays, class_names: Sequence[str], request: PreprocessingOptions
) -> PixelDataset:
    images = arrays.images
    size, is_grey = (images.shape[2], images.shape[1]), images.ndim == 3
    form = request.form({size}, is_grey)
    pixels = array_pixels(images, form)
    index_of = {name: index for index, name in enumerate(class_names)}
    return PixelDataset(
        pixels,
        np.array([index_of[label] for label in arrays.labels or ()], np.int64),
        tuple(class_names),
        tuple(f"{part.path}[{i}]" for i in range(len(images))),
        digests_of(pixels),
        form,
        request.reason({size}, is_grey),
    )


def _refuse_arrays(reader: Reader | None, part: Part) -> None:
    if reader is not None:
        raise DataError(
            f"cannot distribute: {part}: a cluster reads image files, from class folders or a "
            "CSV manifest; leave --dask out for arrays"
        )


def _refuse_one_class(names: Sequence[str], part: Part) -> None:
    if len(names) < 2:
        raise DataError(
            f"one class only: {part}: '{names[0]}' stands alone; "
            "a classifier needs at least two class folders"
        )


def _refuse_unknown_classes(names: Sequence[str], known: Sequence[str], part: Part) -> None:
    unknown = [name for name in names if name not in known]
    if unknown:
        inner = next((name for name in ("test", "validation") if name in unknown), None)
        hint = f"; did you mean {part.path / inner}?" if inner else ""
        raise DataError(
            f"unknown class: {part}: the model does not know {_listed(unknown)}; "
            f"it knows {_listed(known)}{hint}"
        )


def _refuse_empty_classes(classes: Sequence[ClassFolder], part: Part) -> None:
    empty = [c.name for c in classes if not c.paths]
    if empty:
        raise DataError(
            f"no images: {part}: nothing that is an image by its name in {_listed(empty)}; "
            "add images or remove the folder"
        )


def _refuse_lost_classes(dataset: PixelDataset, part: Part) -> None:
    counts = np.bincount(dataset.labels, minlength=len(dataset.class_names))
    lost = [name for name, n in zip(dataset.class_names, counts, strict=True) if n == 0]
    if lost:
        raise DataError(f"no readable image: {part}: in {_listed(lost)}")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:_N_NAMED])
    rest = len(names) - _N_NAMED
    return f"{shown} and {rest} more" if rest > 0 else shown


def _describe_unreadable(unreadable: Sequence[ImageError]) -> str:
    shown = "; ".join(str(error) for error in unreadable[:_N_NAMED])
    rest = len(unreadable) - _N_NAMED
    more = f"; and {rest} more" if rest > 0 else ""
    noun = "image" if len(unreadable) == 1 else "images"
    return (
        f"{len(unreadable)} unreadable {noun}: {shown}{more}. "
        "Mend or remove them, or go on without them with --skip-bad"
    )


def held_out(dataset: PixelDataset, fraction: float, seed: int) -> NDArray[np.bool_]:
    """Which images (n_images,) are held out: about `fraction` of each class.

    An image's side depends on its pixels and the seed alone, so adding images never moves old
    ones and copies of a picture share a side. Where that would leave a class nothing to train
    on, its pictures, and their copies, stay in training.
    """
    keys = _mixed(dataset.digests[:, 0] ^ _mixed(np.array([seed], np.uint64)))
    is_out = keys < np.uint64(int(fraction * 2**64)) if fraction else np.zeros(len(keys), np.bool_)
    n_kept = np.bincount(dataset.labels[~is_out], minlength=len(dataset.class_names))
    without = (n_kept == 0)[dataset.labels]
    return np.asarray(is_out & ~np.isin(keys, keys[without]))


def _mixed(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A bijection of 64-bit numbers that spreads any change over all bits (SplitMix64's mix)."""
    keys = keys + np.uint64(0x9E3779B97F4A7C15)
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))
