"""A folder of images → everything that `check` looks at: names, headers, pixels and labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmaxce.class_choice import ALL_CLASSES, ClassChoice
from softmaxce.class_names import in_class_order, labels_of, normalized
from softmaxce.data.chosen_classes import Contents, read_contents
from softmaxce.data.feature_arrays import check_values
from softmaxce.data.grouping import group_keys
from softmaxce.data.inspection import inspect_files
from softmaxce.data.pixel_dataset import PixelDataset, Subset
from softmaxce.data.preprocessing_choice import PreprocessingOptions, decode_all, decode_arrays
from softmaxce.data.read_options import ReadOptions
from softmaxce.data.source_findings import Finding, finding
from softmaxce.data.sources import find_splits
from softmaxce.errors import DataError, ImageError
from softmaxce.file_rows import JoinedRows
from softmaxce.images.decoded import DecodedImages, without_files
from softmaxce.images.info import ImageDetails, ImageInfo
from softmaxce.preprocessing import Form
from softmaxce.workflows.progress import OnProgress, counted, ignore

Outcomes = Sequence[ImageDetails | ImageError]


@dataclass(frozen=True, eq=False)
class CheckedImages:
    """The images of all splits, as files or arrays.

    labels: the split and the class of each path; outcomes: what each header says, none of features;
    form and decoded are None if there are no images; features: rows of them instead of pixels;
    array_findings: what is worth knowing about arrays.
    """

    folder: str
    splits: Mapping[str, Contents]
    paths: Sequence[str]
    labels: Sequence[tuple[str, str]]
    outcomes: Outcomes
    form: Form | None
    form_reason: str
    decoded: DecodedImages | None
    features: NDArray[Any] | None
    array_findings: Sequence[Finding]
    is_of_arrays: bool
    group_by: str | None

    @cached_property
    def readable(self) -> NDArray[np.int64]:
        """The positions of the images that can be read."""
        failures = self.decoded.failures if self.decoded else {}
        return np.setdiff1d(np.arange(len(self.paths)), list(failures))

    @cached_property
    def groups(self) -> Mapping[str, tuple[NDArray[np.uint64], Sequence[str]]]:
        """The keys of the groups, and the paths, of each split; empty if images are not grouped."""
        found = {}
        for name, (split, _, classes) in self.splits.items():
            if self.group_by is not None:
                paths = [path for c in classes for path in c.paths]
                found[name] = group_keys(split, paths, self.group_by), paths
        return found

    def subset(self) -> Subset:
        """The readable images of all splits, as one set. Raises DataError unless they have at
        least two classes."""
        rows = self.readable  # others have no digest, and would seem to be copies
        of_rows = [normalized(self.labels[row][1]) for row in rows.tolist()]
        names = in_class_order({*of_rows})
        if self.decoded is None or self.form is None or not names:
            raise DataError(f"no readable images: {self.folder}")
        if len(names) < 2:
            raise DataError(
                f"only one class found: {self.folder}: '{names[0]}'; a classifier needs at least "
                "two"
            )
        pixels, groups = self.decoded.pixels, [keys for keys, _ in self.groups.values()]
        dataset = PixelDataset(
            pixels if len(rows) == len(self.paths) else pixels[rows],
            np.array(labels_of(of_rows, names), np.int64),
            tuple(names),
            tuple(self.paths[row] for row in rows.tolist()),
            self.decoded.digests[rows],
            self.form,
            self.form_reason,
            features=self.features,
            groups=np.concatenate(groups)[rows] if groups else None,
        )
        return Subset.whole(dataset)


def read_images(
    folder: str | PathLike[str],
    *,
    class_choice: ClassChoice = ALL_CLASSES,
    group_by: str | None = None,
    jobs: int | None = None,
    on_progress: OnProgress = ignore,
) -> CheckedImages:
    """Read all images in the chosen classes of `folder`.

    Raises DataError if there are no classes, and InputError for a choice of others.
    """
    splits = {
        name: read_contents(split, class_choice, training=name == "train")
        for name, split in find_splits(folder, is_grouped=group_by is not None).items()
    }
    arrays = {name: s.arrays for name, s in splits.items() if s.arrays is not None}
    files = [(p, (n, c.name)) for n, s in splits.items() for c in s.classes for p in c.paths]
    rows = [(p, (n, c)) for n, a in arrays.items() for p, c in a.labelled_in(splits[n].split)]
    paths, labels = zip(*(rows or files), strict=True) if rows or files else ((), ())
    read = _of_arrays(splits) if arrays else _of_files(str(folder), paths, jobs, on_progress)
    return CheckedImages(str(folder), splits, paths, labels, *read, bool(arrays), group_by)


class _Read(NamedTuple):
    """As in CheckedImages."""

    outcomes: list[ImageDetails | ImageError]
    form: Form | None = None
    form_reason: str = ""
    decoded: DecodedImages | None = None
    features: Any = None
    array_findings: tuple[Finding, ...] = ()


def _of_files(
    source: str, paths: Sequence[str], jobs: int | None, on_progress: OnProgress
) -> _Read:
    """The headers, the preprocessing and the reason for it, and the pixels of image files."""
    outcomes = inspect_files(paths, jobs=jobs, on_inspected=counted(on_progress, "Reading headers"))
    if not paths:
        return _Read(outcomes)
    options = ReadOptions(jobs=jobs, on_decoded=counted(on_progress, "Reading images"))
    form, decoded, reason = decode_all(source, paths, PreprocessingOptions(), options)
    outcomes = [decoded.failures.get(i, outcome) for i, outcome in enumerate(outcomes)]
    return _Read(outcomes, form, reason, decoded)


def _of_arrays(splits: Mapping[str, Contents]) -> _Read:
    """As _of_files."""
    named = {str(s.split): s.arrays for s in splits.values() if s.arrays is not None}
    kinds = sorted({str(a.vectors or "images") for a in named.values()})
    source = next(iter(named))
    if len(kinds) > 1:
        raise DataError(
            f"the splits differ: {source}: they have {kinds[0]} and {kinds[1]}; save the same kind "
            "of rows for all of them"
        )
    rows = [a.images for a in named.values()]
    if vectors := named[source].vectors:
        checked = [check_values(a, s, training=s == source) for s, a in named.items()]
        digests = np.concatenate([c.digests for c in checked])
        found = tuple(dict.fromkeys(about for c in checked for about in c.findings))
        decoded = without_files(np.empty((len(digests), 0), np.uint8), digests)
        features = JoinedRows(rows) if len(rows) > 1 else rows[0]
        return _Read([], vectors, "", decoded, features, found)
    form, decoded, reason = decode_arrays(rows, PreprocessingOptions())
    details: list[ImageDetails | ImageError] = [
        ImageDetails(ImageInfo(w, h, is_grey), "array", "L" if is_grey else "RGB", 1, False, False)
        for (w, h), is_grey in zip(decoded.sizes.tolist(), decoded.is_grey, strict=True)
    ]
    notes = [note for a in named.values() for note in a.notes]
    about = finding("arrays", notes, "remark", "on the arrays")
    return _Read(details, form, reason, decoded, None, (about,))
