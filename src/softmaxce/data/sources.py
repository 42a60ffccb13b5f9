"""Where the images of each split are: class folders, a CSV manifest, or files of pixel arrays."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

from softmaxce.data.array_files import (
    PixelArrays,
    array_splits,
    is_array_source,
    read_arrays,
    unlabelled_splits,
)
from softmaxce.data.class_folders import ClassFolder, list_class_folders, visible_folders
from softmaxce.data.manifest import is_manifest, read_manifest
from softmaxce.errors import DataError


@dataclass(frozen=True)
class Split:
    """The images of one split: a folder, or the split `name` of a manifest or array file.

    listed: the classes of each split of a manifest, which is read once for all of them.
    """

    path: Path
    name: str | None = None
    listed: Mapping[str, tuple[ClassFolder, ...]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def __str__(self) -> str:
        return str(self.path) if self.name is None else f"{self.path} ({self.name})"


AnySource = Split | str | PathLike[str]


def find_splits(source: str | PathLike[str]) -> dict[str, Split]:
    """The splits of a folder (train/, validation/, test/), a manifest or a file of arrays.

    They are called "train", which always exists, "validation" and "test", in this order.
    A folder that contains anything else beside such folders is the training split as a whole, as
    is a file that names no splits.
    """
    root = Path(source)
    listed = read_manifest(root) if is_manifest(root) else {}
    if listed or is_array_source(root):
        names = set(listed) or array_splits(root)
        if names == {"train"}:
            return {"train": Split(root, None, listed)}
        if "train" not in names:
            raise DataError(f"no training images: {root}: it has no split named train")
        names -= set() if listed else unlabelled_splits(root) - {"train"}
        ordered = (name for name in ("train", "validation", "test") if name in names)
        return {name: Split(root, name, listed) for name in ordered}
    names = {entry.name for entry in visible_folders(root)}
    validation = names & {"validation", "valid", "val"}
    known = {"train", "test"} | validation
    if "train" not in names or len(names) < 2 or names - known:
        return {"train": Split(root)}
    if len(validation) > 1:
        raise DataError(f"two validation folders: {root}: {' and '.join(sorted(validation))}")
    folders = {"train": "train", "validation": "".join(validation), "test": "test"}
    return {split: Split(root / name) for split, name in folders.items() if name in names}


def as_split(source: AnySource) -> Split:
    """`source` as a Split. Raises DataError for a manifest that cannot be read."""
    if isinstance(source, Split):
        return source
    path = Path(source)
    return Split(path, None, read_manifest(path) if is_manifest(path) else {})


def list_classes(split: Split) -> tuple[ClassFolder, ...]:
    """The image files of each class, sorted by its name. Raises DataError."""
    if split.listed:
        return split.listed[_chosen(split, split.listed)]
    return list_class_folders(split.path)


def read_labelled_arrays(split: Split) -> PixelArrays | None:
    """The pixel arrays of `split` with their labels, or None if it consists of image files."""
    if not is_array_source(split.path):
        return None
    arrays = read_arrays(split.path, _chosen(split, array_splits(split.path)))
    if arrays.labels is None:
        raise DataError(
            f"no labels: {split}: store them with the images: an array y or labels in an .npz, "
            "a file y.npy or labels.npy, or …labels-idx1-ubyte"
        )
    return arrays


def _chosen(split: Split, names: Collection[str]) -> str:
    """The split's name in its file: the one asked for, else the only one, else "test"."""
    name = split.name
    if name is None:
        # A model is evaluated on images that it was not trained on.
        name = next(iter(names)) if len(names) == 1 else "test"
    if name not in names:
        raise DataError(f"no images: {split}: no such split; it has {', '.join(sorted(names))}")
    return name
