"""Features that another program computed: one pass over their values, block by block."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmaxce.data.array_files import LabelledArrays
from softmaxce.data.array_values import blocks_of_rows
from softmaxce.data.preprocessing_choice import PreprocessingOptions
from softmaxce.data.source_findings import Finding, finding, with_examples
from softmaxce.errors import DataError, InputError, first_and_more
from softmaxce.images.decoded import digests_of
from softmaxce.preprocessing import MAX_FEATURE, FeatureVectors, Form

_N_SHOWN = 3
_MIN_LARGEST = 1e-9  # of all: the weights of smaller ones would be too large for a model file


class CheckedFeatures(NamedTuple):
    """digests: (n_rows, 2) uint64, equal for equal rows; findings: about the values."""

    digests: NDArray[np.uint64]
    findings: tuple[Finding, ...]


def check_values(
    arrays: LabelledArrays, source: object, *, training: bool = False
) -> CheckedFeatures:
    """The digests of the rows, after checking their values.

    training: whether a model will be trained on them, so that constant features are worth knowing.
    Raises DataError if some values are not finite or too large, or, in training, all are too small.
    """
    digests, bad, n_bad = [], list[int](), 0
    vectors, start = arrays.vectors, 0
    assert vectors is not None
    least, most = np.full(vectors.n_features, np.inf), np.full(vectors.n_features, -np.inf)
    for block in blocks_of_rows(arrays.images):
        with np.errstate(invalid="ignore"):
            is_bad = ~(np.abs(block) <= MAX_FEATURE)
        if is_bad.any():
            n_bad += int(is_bad.sum())
            bad += (start + np.flatnonzero(is_bad.any(axis=1))).tolist()
        np.minimum(least, block.min(axis=0), out=least)
        np.maximum(most, block.max(axis=0), out=most)
        block = np.ascontiguousarray(block)
        block += 0  # -0 becomes 0
        digests.append(digests_of(block))
        start += len(block)
    if bad:
        numbers = range(start) if arrays.rows is None else arrays.rows
        rows = first_and_more([str(numbers[row]) for row in bad], _N_SHOWN)
        raise DataError(
            f"cannot use the features: {source}: {n_bad:,} values in {len(bad):,} of {start:,} "
            f"rows are NaN, infinite or above {MAX_FEATURE:.0e}, in rows {rows}; leave these rows "
            "out"
        )
    largest = float(np.maximum(np.abs(least), np.abs(most)).max())
    if training and 0 < largest < _MIN_LARGEST:
        raise DataError(
            f"cannot use the features: {source}: none is larger than {largest:.0e}; multiply them "
            "by a constant, so that they vary by about 1"
        )
    is_same, names = np.flatnonzero(least == most), vectors.name
    constant = finding(
        "constant_feature",
        [names(k) for k in is_same.tolist()] if training else [],
        "feature",
        "with the same value in every row",
    )
    pixels = finding("arrays", _likely_pixels(least, most), "remark", "on the arrays")
    return CheckedFeatures(np.concatenate(digests), with_examples(constant, pixels))


def _likely_pixels(least: NDArray[Any], most: NDArray[Any]) -> Sequence[str]:
    """What to do if these are the pixels of square images, from 0 to 1."""
    side = isqrt(len(least))
    if side < 8 or side**2 != len(least) or least.min() < 0 or most.max() > 1:
        return []
    remedy = f'(x * 255).round().astype("uint8").reshape(-1, {side}, {side})'
    return [f"rows of {len(least)} values from 0 to 1: if they are pixels, save them as {remedy}"]


def wanted_vectors(
    vectors: FeatureVectors | None, wanted: Form | PreprocessingOptions, source: object
) -> FeatureVectors | None:
    """The features of a source, None for images, if they are what is wanted.

    Raises DataError if they are not what a model was trained on, InputError for options that
    only images have.
    """
    if isinstance(wanted, PreprocessingOptions):
        if vectors is not None and wanted != PreprocessingOptions():
            raise InputError(
                "--size, --color, --fit and --background are for images, and so is --features "
                f"FILE.onnx: {source} contains {vectors}; leave them out"
            )
        return vectors
    vectors_wanted = wanted if isinstance(wanted, FeatureVectors) else None
    found, expected = (f"rows of {v}" if v else "images" for v in (vectors, vectors_wanted))
    if found != expected:
        raise DataError(
            f"cannot use the data: {source}: it contains {found}, but the training data are "
            f"{expected}; both must be of the same kind"
        )
    names = [v.names for v in (vectors, vectors_wanted) if v is not None and v.names]
    if len({*names}) > 1:
        raise DataError(
            f"cannot use the data: {source}: its feature_names are not those of the training data, "
            "in the same order; save the same features"
        )
    return vectors_wanted
