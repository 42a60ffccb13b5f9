"""Images from any source → PixelDataset: a uint8 matrix, labels and names; and subsets of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.class_choice import ALL_CLASSES, ClassChoice
from softmaxce.class_names import closest, labels_of
from softmaxce.data.array_files import LabelledArrays
from softmaxce.data.chosen_classes import read_contents
from softmaxce.data.class_folders import ClassFolder
from softmaxce.data.decoded_rows import DecodedRows
from softmaxce.data.feature_arrays import check_values, wanted_vectors
from softmaxce.data.grouping import about_single_images, group_keys, joined_by_copies
from softmaxce.data.preprocessing_choice import PreprocessingOptions, decode_all, decode_arrays
from softmaxce.data.read_options import ReadOptions
from softmaxce.data.source_findings import (
    Finding,
    about_copies,
    about_names,
    finding,
    with_examples,
)
from softmaxce.data.sources import AnySource, Split, as_split
from softmaxce.data.split_names import split_of
from softmaxce.errors import DataError, ImageError, first_and_more
from softmaxce.preprocessing import FeatureVectors, Form, Preprocessing


@dataclass(frozen=True)
class PixelDataset:
    """Images as rows.

    pixels: (n_images, n_pixels) uint8; labels: (n_images,) integers from 0 into class_names;
    paths: n_images file names; digests: (n_images, 2) uint64, equal for equal pixels;
    preprocessing_reason: why the images have this preprocessing, in words; unreadable: the image
    files that were skipped; ignored_files: files whose names are not those of images; findings:
    what is worth knowing about the source; features: (n_images, n_features) uint8 or floats, which
    a model sees instead of the pixels, if it does; groups: (n_images,) keys, equal for the images
    of a group, if images are grouped. If `preprocessing` is a FeatureVectors, there are no pixels:
    n_pixels is 0, and the rows of `features` were computed by another program.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    paths: tuple[str, ...]
    digests: NDArray[np.uint64]
    preprocessing: Form
    preprocessing_reason: str = ""
    unreadable: tuple[ImageError, ...] = ()
    ignored_files: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    features: NDArray[Any] | None = None
    groups: NDArray[np.uint64] | None = None

    @property
    def inputs(self) -> NDArray[Any]:
        """What a model sees of the images: the features, or else the pixels."""
        return self.pixels if self.features is None else self.features

    @cached_property
    def split_keys(self) -> NDArray[np.uint64]:
        """(n_images,): images with equal keys share a split: copies, and those of a group."""
        copies = np.asarray(self.digests[:, 0])
        return copies if self.groups is None else joined_by_copies(self.groups, copies)

    @property
    def n_images(self) -> int:
        """Number of images (rows)."""
        return len(self.labels)

    @property
    def left_out(self) -> tuple[str, ...]:
        """A line for each file that was skipped: which, and why."""
        ignored = (f"{path}: not named like an image" for path in self.ignored_files)
        return (*map(str, self.unreadable), *ignored)


@dataclass(frozen=True)
class Subset:
    """Some images of a dataset: those of one split. rows: (n_images,), ascending."""

    dataset: PixelDataset
    rows: NDArray[np.int64]

    @classmethod
    def whole(cls, dataset: PixelDataset) -> Subset:
        """All images of a dataset."""
        return cls(dataset, np.arange(dataset.n_images))

    @property
    def n_images(self) -> int:
        """Number of images."""
        return len(self.rows)

    @property
    def labels(self) -> NDArray[np.int64]:
        """(n_images,)."""
        return self.dataset.labels[self.rows]

    @property
    def half_digests(self) -> NDArray[np.uint64]:
        """(n_images,): 64 of the 128 bits of each image's digest.

        Among a million images and a million others, two different ones agree in these bits with
        a probability of 1 in 18 million.
        """
        return np.asarray(self.dataset.digests[self.rows, 0])

    def path(self, position: int) -> str:
        """The file of the image at this position."""
        return self.dataset.paths[int(self.rows[position])]

    def pixels(self, position: int) -> NDArray[np.uint8]:
        """The pixel vector (n_pixels,) of the image at this position."""
        return np.asarray(self.dataset.pixels[self.rows[position]])


def load_for_training(
    source: AnySource,
    wanted: PreprocessingOptions = PreprocessingOptions(),
    options: ReadOptions = ReadOptions(),
    choice: ClassChoice = ALL_CLASSES,
) -> PixelDataset:
    """The images of `source` (class folders, a manifest or arrays), in the order of class and path.

    Raises DataError for images that cannot train a classifier, and, unless `options.skip_bad`, for
    unreadable ones; and InputError for a choice of classes that does not suit them.
    """
    split, arrays, classes = read_contents(as_split(source), choice, training=True)
    names = [c.name for c in classes]
    if len(names) < 2:
        raise DataError(
            f"only one class found: {split}: '{names[0]}'; a classifier needs at least two"
        )
    if arrays is not None:
        return _from_arrays(split, arrays, names, wanted, options=options)
    empty = [c.name for c in classes if not c.paths]
    if empty:
        raise DataError(
            f"no images: {split}: no image files in {_listed(empty)}; "
            "add images or remove the folder"
        )
    dataset = _read(split, classes, names, wanted, options=options)
    lost = [names[label] for label in np.setdiff1d(np.arange(len(names)), dataset.labels)]
    if lost:
        raise DataError(f"no readable images: {split}: in {_listed(lost)}")
    return dataset


def load_for_model(
    source: AnySource,
    class_names: Sequence[str],
    preprocessing: Form,
    options: ReadOptions = ReadOptions(),
    choice: ClassChoice = ALL_CLASSES,
    *,
    training: bool = False,
) -> PixelDataset:
    """The images of `source` with a model's preprocessing, labelled by name among `class_names`.

    A class without a folder has no images. Raises DataError for a folder with another name, and as
    `load_for_training` does for unreadable images. training: whether `class_names` come from
    training images, not from a model; this changes only the message.
    """
    split, arrays, classes = read_contents(as_split(source), choice)
    names = [c.name for c in classes]
    labels = labels_of(names, class_names)
    unknown = [name for name, label in zip(names, labels, strict=True) if label is None]
    if unknown:
        theirs, known = _listed(unknown), _listed(class_names)
        hint = _hint(classes, class_names, training)
        raise DataError(
            f"unknown class: {split}: the training images do not have {theirs}; they have {known}"
            f"{hint}"
            if training
            else f"unknown class: {split}: the model does not know {theirs}; it knows {known}{hint}"
        )
    if arrays is not None:
        return _from_arrays(split, arrays, class_names, preprocessing, options=options)
    wanted_vectors(None, preprocessing, split)
    assert isinstance(preprocessing, Preprocessing)
    wanted = PreprocessingOptions.exactly(preprocessing)
    if not any(c.paths for c in classes):
        raise DataError(f"no images: {split}: its class folders contain no image files")
    return _read(split, classes, class_names, wanted, options=options)


def _read(
    split: Split,
    classes: Sequence[ClassFolder],
    class_names: Sequence[str],
    wanted: PreprocessingOptions,
    *,
    options: ReadOptions,
) -> PixelDataset:
    paths = [path for c in classes for path in c.paths]
    groups = None if options.group_by is None else group_keys(split, paths, options.group_by)
    preprocessing, decoded, reason = decode_all(str(split), paths, wanted, options)
    unreadable = tuple(decoded.failures[i] for i in sorted(decoded.failures))
    if unreadable and not options.skip_bad:
        raise _unreadable(unreadable)
    if len(unreadable) == len(paths):
        raise DataError(f"no readable images: {split}: all {len(unreadable)} are unreadable")
    labels = np.repeat(
        np.array(labels_of([c.name for c in classes], class_names), np.int64),
        [len(c.paths) for c in classes],
    )
    pixels, digests, features = decoded.pixels, decoded.digests, decoded.features
    if unreadable:
        kept = np.setdiff1d(np.arange(len(paths)), list(decoded.failures))
        digests, labels = digests[kept], labels[kept]
        groups = None if groups is None else groups[kept]
        features = None if features is None else features[kept]
        paths = [paths[i] for i in kept]
        pixels = _kept_pixels(pixels, kept, paths, preprocessing, options)
    return PixelDataset(
        pixels,
        labels,
        tuple(class_names),
        tuple(paths),
        digests,
        preprocessing,
        reason,
        unreadable,
        tuple(path for c in classes for path in c.ignored_files),
        (
            *split.findings,
            *about_names(class_names),
            *about_copies(digests, labels, paths),
            *about_single_images(groups, options.group_by),
        ),
        features,
        groups,
    )


def _kept_pixels(
    pixels: NDArray[np.uint8],
    kept: NDArray[np.int64],
    paths: Sequence[str],
    preprocessing: Preprocessing,
    options: ReadOptions,
) -> NDArray[np.uint8]:
    if options.backend:  # its rows must be those of consecutive files
        return options.backend.decode(paths, preprocessing, None).pixels
    return pixels.chosen(kept) if isinstance(pixels, DecodedRows) else pixels[kept]


def _unreadable(errors: Sequence[ImageError]) -> DataError:
    noun = "image" if len(errors) == 1 else "images"
    shown = first_and_more([str(error) for error in errors], separator="; ")
    return DataError(
        f"{len(errors)} unreadable {noun}: {shown}. "
        "Fix or remove them, or skip them with --skip-bad"
    )


def _from_arrays(
    split: Split,
    arrays: LabelledArrays,
    class_names: Sequence[str],
    wanted: PreprocessingOptions | Form,
    *,
    options: ReadOptions,
) -> PixelDataset:
    if options.group_by is not None:
        group_keys(split, (), options.group_by)  # which refuses arrays
    if options.backend is not None:
        raise DataError(
            f"cannot distribute: {split}: a cluster reads image files, listed by class folders or "
            "a CSV manifest; omit --dask for arrays"
        )
    labels = np.array(labels_of(arrays.labels or (), class_names), np.int64)
    paths = tuple(path for path, _ in arrays.labelled_in(split.path))
    form: Form | None = wanted_vectors(arrays.vectors, wanted, split)
    if form is not None:
        is_training = isinstance(wanted, PreprocessingOptions)
        digests, found = check_values(arrays, split, training=is_training)
        pixels, reason = np.empty((len(labels), 0), np.uint8), ""
    else:
        assert not isinstance(wanted, FeatureVectors)
        form, decoded, reason = decode_arrays([arrays.images], wanted)
        digests, pixels = decoded.digests, decoded.pixels
        found = with_examples(finding("arrays", arrays.notes, "remark", "on the arrays"))
    return PixelDataset(
        pixels,
        labels,
        tuple(class_names),
        paths,
        digests,
        form,
        reason,
        findings=(
            *split.findings,
            *found,
            *about_names(class_names),
            *about_copies(digests, labels, paths),
        ),
        features=arrays.images if arrays.vectors else None,
    )


def _hint(classes: Sequence[ClassFolder], known: Sequence[str], training: bool) -> str:
    """A folder among `classes` that contains folders of the known classes (in training, not the
    test images), or else a known class with a similar name, as a hint."""
    found: dict[str | None, str] = {}
    for c in (c for c in classes if c.nested):
        splits = {split_of(name): os.path.join(c.base, name) for name in c.nested}
        if None not in labels_of(c.nested, known):
            found[split_of(c.name)] = c.base
        elif None not in splits:
            found |= splits
    wanted = ("validation", None) if training else ("test", "validation", None)
    similar = (closest(c.name, known) for c in classes if c.name not in known)
    meant = next(
        (found[split] for split in wanted if split in found),
        next((f"'{name}'" for name in similar if name), None),
    )
    return f"; did you mean {meant}?" if meant else ""


def _listed(names: Sequence[str]) -> str:
    return first_and_more([f"'{name}'" for name in names])
