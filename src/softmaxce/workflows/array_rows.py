"""The rows of a source of arrays, images or features, or the one row that is named: x.npz[3]."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from softmaxce.data.class_folders import list_images
from softmaxce.errors import DataError
from softmaxce.images.decoded import DecodedImages, without_files
from softmaxce.preprocessing import SUFFIXES, Form

_ROW = re.compile(r"(.+)\[(\d{1,15})\]", re.DOTALL)


@dataclass(frozen=True, eq=False)
class ArrayRows:
    """What each row is called, and the rows: pixels, or features in their place."""

    paths: tuple[str, ...]
    decoded: DecodedImages


def read_rows(source: str, form: Form) -> ArrayRows | None:
    """The rows of arrays, with or without labels; None for a source that is not of arrays.

    Raises DataError, also for rows that are not as `form` says.
    """
    if os.path.splitext(source)[1].lower() in SUFFIXES:
        return None
    from softmaxce.data.array_files import is_array_source  # image files do not need these modules
    from softmaxce.data.feature_arrays import check_values, wanted_vectors
    from softmaxce.data.other_files import is_model
    from softmaxce.data.preprocessing_choice import decode_arrays
    from softmaxce.data.sources import Split, read_split_arrays

    match = None if os.path.exists(source) else _ROW.fullmatch(source)
    path = match[1] if match else source
    has_images = os.path.isdir(path) and is_array_source(path) and bool(list_images(path))
    arrays = None if has_images or is_model(path) else read_split_arrays(Split(Path(path)))
    if arrays is None:
        return None
    n_rows = len(arrays.images)
    rows = [int(match[2])] if match else range(n_rows)
    if match and rows[0] >= n_rows:
        raise DataError(f"no such row: {source}: it has {n_rows:,} rows; the first is {path}[0]")
    arrays = arrays.chosen(rows, None)
    paths = tuple(f"{path}[{row}]" for row in rows)
    if wanted_vectors(arrays.vectors, form, source) is None:
        return ArrayRows(paths, decode_arrays([arrays.images], form.images)[1])
    return ArrayRows(paths, without_files(arrays.images, check_values(arrays, source).digests))
