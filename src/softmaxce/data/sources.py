"""Where the images are: class folders, a CSV manifest, files of arrays; for which purpose each."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TypeVar

from softmaxce.data.array_files import PixelArrays, array_splits, is_array_source, read_arrays
from softmaxce.data.class_folders import ClassFolder, list_class_folders, visible_folders
from softmaxce.data.manifest import is_manifest, read_manifest
from softmaxce.errors import DataError

T = TypeVar("T")


@dataclass(frozen=True)
class Part:
    """Where the images of one purpose are listed: a folder, or a file and its part `split`."""

    path: Path
    split: str | None = None

    def __str__(self) -> str:
        return str(self.path) if self.split is None else f"{self.path} ({self.split})"


Source = Part | str | PathLike[str]


@dataclass(frozen=True)
class Splits:
    """Where the images of each purpose are; None where there are none."""

    train: Part
    validation: Part | None = None
    test: Part | None = None


def find_splits(source: str | PathLike[str]) -> Splits:
    """The parts of a folder (train/, validation/, test/), a manifest or a file of arrays.

    A folder that holds anything else beside such folders is one whole, as is a file without
    splits.
    """
    root = Path(source)
    names = _splits_in_file(root)
    if names is not None:
        if names == {"train"}:
            return Splits(Part(root))
        if "train" not in names:
            raise DataError(f"no images to train on: {root}: it has no part named train")
        parts = {name: Part(root, name) for name in names}
        return Splits(parts["train"], parts.get("validation"), parts.get("test"))
    names = {entry.name for entry in visible_folders(root)}
    validation = names & {"validation", "valid", "val"}
    known = {"train", "test"} | validation
    if "train" not in names or len(names) < 2 or names - known:
        return Splits(Part(root))
    if len(validation) > 1:
        raise DataError(f"two validation folders: {root}: {' and '.join(sorted(validation))}")
    return Splits(
        Part(root / "train"),
        Part(root / validation.pop()) if validation else None,
        Part(root / "test") if "test" in names else None,
    )


def _splits_in_file(path: Path) -> set[str] | None:
    """The splits that a manifest or a source of arrays names; None for a folder of images."""
    if is_manifest(path):
        return set(read_manifest(path))
    return array_splits(path) if is_array_source(path) else None


def part_of(source: Source) -> Part:
    """`source` as a Part."""
    return source if isinstance(source, Part) else Part(Path(source))


def list_classes(part: Part) -> tuple[ClassFolder, ...]:
    """The image files of each class, sorted by its name. Raises DataError."""
    if is_manifest(part.path):
        return _of_split(part, read_manifest(part.path))
    return list_class_folders(part.path)


def read_labelled_arrays(part: Part) -> PixelArrays | None:
    """The pixel arrays of `part` with their labels, or None where it consists of image files."""
    if not is_array_source(part.path):
        return None
    arrays = _of_split(part, read_arrays(part.path))
    if arrays.labels is None:
        raise DataError(
            f"no labels: {part}: put them beside the images: an array y or labels in an .npz, "
            "a file y.npy or labels.npy, or …labels-idx1-ubyte"
        )
    return arrays


def _of_split(part: Part, of_split: dict[str, T]) -> T:
    split = part.split
    if split is None and len(of_split) == 1:
        (split,) = of_split
    if split is None and "test" in of_split:
        split = "test"  # a model is judged by what it was not trained on
    if split not in of_split:
        raise DataError(f"no images: {part}: it has no part for this; name one of its splits")
    return of_split[split]
