"""Pixel arrays as `check` reads them: the images of each class, split by split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from softmaxce.class_names import in_class_order
from softmaxce.data.class_folders import ClassFolder
from softmaxce.data.preprocessing_choice import PreprocessingOptions
from softmaxce.data.source_findings import Finding, finding
from softmaxce.data.sources import Split, read_labelled_arrays
from softmaxce.images.decoded import DecodedImages, digests_of
from softmaxce.images.info import ImageDetails, ImageInfo
from softmaxce.images.reading import array_pixels
from softmaxce.preprocessing import Preprocessing


@dataclass(frozen=True)
class CheckedArrays:
    """The classes of each split, and all images in the order of splits and classes."""

    classes: Mapping[str, tuple[ClassFolder, ...]]
    preprocessing: Preprocessing
    reason: str
    decoded: DecodedImages
    details: list[ImageDetails]
    about: Finding


def read_checked_arrays(splits: Mapping[str, Split]) -> CheckedArrays | None:
    """The arrays of these splits; None if they consist of image files. Raises DataError."""
    found = {name: read_labelled_arrays(split) for name, split in splits.items()}
    arrays = {name: array for name, array in found.items() if array is not None}
    if not arrays:
        return None
    options, details = PreprocessingOptions(), list[ImageDetails]()
    sizes = {(a.images.shape[2], a.images.shape[1]) for a in arrays.values()}
    all_grey = all(a.images.ndim == 3 for a in arrays.values())
    preprocessing = options.choose(sizes, all_grey)
    classes, pixels = {}, []
    for name, array in arrays.items():
        labels = np.array(array.labels)
        rows = {c: np.flatnonzero(labels == c) for c in in_class_order(set(array.labels or ()))}
        classes[name] = tuple(
            ClassFolder(c, tuple(f"{splits[name]}[{i}]" for i in rows[c])) for c in rows
        )
        order = np.concatenate(list(rows.values()))
        pixels.append(array_pixels(array.images, preprocessing)[order])
        info = ImageInfo(array.images.shape[2], array.images.shape[1], array.images.ndim == 3)
        mode = "L" if info.is_grey else "RGB"
        details += [ImageDetails(info, "array", mode, 1, False, False)] * len(order)
    joined = np.concatenate(pixels)
    decoded = DecodedImages(
        joined,
        np.array([(d.info.width, d.info.height) for d in details], np.int32),
        np.array([d.info.is_grey for d in details]),
        digests_of(joined),
        {},
    )
    notes = [note for array in arrays.values() for note in array.notes]
    about = finding("arrays", notes, "remark", "on the arrays")
    reason = options.reason(sizes, all_grey)
    return CheckedArrays(classes, preprocessing, reason, decoded, details, about)
