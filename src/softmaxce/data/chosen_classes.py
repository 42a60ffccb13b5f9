"""A split → its pixel arrays, or the image files of its classes: those that are chosen, merged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from softmaxce.class_choice import ALL_CLASSES, ClassChoice
from softmaxce.class_names import in_class_order
from softmaxce.data.array_files import LabelledArrays
from softmaxce.data.class_folders import ClassFolder
from softmaxce.data.source_findings import finding, with_examples
from softmaxce.data.sources import Split, list_classes, read_labelled_arrays
from softmaxce.errors import DataError, first_and_more


class Contents(NamedTuple):
    """A split, with a finding about the classes that are left out; its arrays, None for image
    files; and its classes, in class order."""

    split: Split
    arrays: LabelledArrays | None
    classes: tuple[ClassFolder, ...]


def read_contents(
    split: Split, choice: ClassChoice = ALL_CLASSES, *, training: bool = False
) -> Contents:
    """The contents of a split. training: whether it must have all classes that `choice` names.

    Raises DataError; and InputError if `choice` does not suit the training images.
    """
    arrays = read_labelled_arrays(split)
    classes = list_classes(split) if arrays is None else _classes_of(arrays, split)
    if not choice:
        return Contents(split, arrays, classes)
    if training:
        choice.check(c.name for c in classes)
    chosen = choice.chosen(c.name for c in classes)
    left_out = [c for c in classes if c.name not in chosen]
    if not chosen:
        names = first_and_more([f"'{c.name}'" for c in left_out])
        raise DataError(f"no images: {split}: --only leaves out all of its classes: {names}")
    n_left_out, n_images = (sum(len(c.paths) for c in found) for found in (left_out, classes))
    text = f"left out of {split} ({n_left_out:,} of {n_images:,} images)"
    found = with_examples(finding("left_out_class", [c.name for c in left_out], "class", text))
    return Contents(
        replace(split, findings=(*split.findings, *found)),
        arrays and _chosen_rows(arrays, chosen),
        _merged(classes, chosen),
    )


def _classes_of(arrays: LabelledArrays, split: Split) -> tuple[ClassFolder, ...]:
    paths: dict[str, list[str]] = {}
    for path, label in arrays.labelled_in(split):
        paths.setdefault(label, []).append(path)
    return tuple(ClassFolder(name, tuple(paths[name])) for name in in_class_order(paths))


def _chosen_rows(arrays: LabelledArrays, chosen: Mapping[str, str]) -> LabelledArrays:
    labels = arrays.labels or ()
    rows = [row for row, label in enumerate(labels) if label in chosen]
    return arrays.chosen(rows, tuple(chosen[labels[row]] for row in rows))


def _merged(classes: Sequence[ClassFolder], chosen: Mapping[str, str]) -> tuple[ClassFolder, ...]:
    merged: dict[str, ClassFolder] = {}
    for c in classes:
        if name := chosen.get(c.name):
            other = merged.get(name)
            merged[name] = other.with_files_of(c) if other else replace(c, name=name)
    return tuple(merged[name] for name in in_class_order(merged))
