"""Arrays of pixels or features in files: .npz, .npy, IDX (`…-ubyte`, also gzipped), CSV of pixels.

They are read without unpickling, and only if the sizes in the headers fit the file.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmaxce.data.array_readers import opened, read_idx, read_member, read_npy
from softmaxce.data.array_values import are_features, as_labels, as_pixels, check_features
from softmaxce.data.class_folders import visible_folders
from softmaxce.data.pixel_csv import is_pixel_csv, read_pixel_csv
from softmaxce.data.split_names import split_among, words_of
from softmaxce.errors import DataError, first_and_more
from softmaxce.file_rows import ChosenRows, FileRows
from softmaxce.preprocessing import FeatureVectors

_IDX_END = re.compile(r"[-.]idx[13][-.]ubyte", re.ASCII | re.IGNORECASE)
_FILE_WORDS = {"npy", "npz", "idx1", "idx3", "ubyte", "gz"}
_FEATURE_WORDS = {"feature", "features", "embedding", "embeddings"}
_ROLES = {
    "images": {"x", "image", "images", "imgs", "pixels", "data"} | _FEATURE_WORDS,
    "labels": {"y", "label", "labels", "target", "targets"},
}
_CLASS_WORDS = {"class", "classes", "label", "target", "category", "categories"}
_OTHER_WORDS = {"names", "id", "ids", "path", "paths", "file", "files", "filenames", "shape"}
_POSITIONS = {"arr_0": "images", "arr_1": "labels"}  # as np.savez(file, x, y) calls them
_NAMES = "names", "train"  # of the classes, for all splits
_FEATURE_NAMES = "feature_names", "train"

_Contents = dict[tuple[str, str], str]  # role and split → a file or a member of an archive
_Files = dict[tuple[str, str, tuple[str, ...]], list[str]]  # role, split and data set → paths


@dataclass(frozen=True)
class LabelledArrays:
    """images: (n, height, width) or (n, height, width, 3), uint8, or features (n, n_features) of
    floats, which may be in a file; labels: n names, or None.

    notes: how the images were converted; rows: where the images are in the file, None for all;
    vectors: the names of features, None for images.
    """

    images: NDArray[Any]
    labels: tuple[str, ...] | None
    notes: tuple[str, ...] = ()
    rows: Sequence[int] | None = None
    vectors: FeatureVectors | None = None

    def chosen(self, rows: Sequence[int], labels: tuple[str, ...] | None) -> LabelledArrays:
        """Only these rows of all, with these labels."""
        images: Any = self.images
        if len(rows) < len(images):
            is_in_file = isinstance(images, FileRows)
            images = ChosenRows(images, np.array(rows)) if is_in_file else images[rows]
        return replace(self, images=images, labels=labels, rows=rows)

    def labelled_in(self, source: object) -> list[tuple[str, str]]:
        """What each image is called (its source and its row there), and its label."""
        rows = range(len(self.images)) if self.rows is None else self.rows
        start = f"{source}["
        names = (f"{start}{row}]" for row in rows)
        return [*zip(names, self.labels or (), strict=True)]


def is_array_source(path: str | PathLike[str]) -> bool:
    """Whether `path` is named like a file of pixel arrays, or is a folder of IDX or .npy files."""
    name = os.path.basename(path).lower()
    if os.path.isfile(path):
        is_idx = _IDX_END.search(name) is not None
        return is_idx or name.endswith((".npz", ".npy")) or is_pixel_csv(path)
    if not os.path.isdir(path):
        return False
    images = _images_by_set(_files_in(path)).values()
    # Beside folders, .npy files may be somebody's copies of the images in these folders.
    return any(map(_IDX_END.search, images)) or (bool(images) and not visible_folders(Path(path)))


def array_splits(path: str | PathLike[str]) -> dict[str, bool]:
    """The splits that `read_arrays` can read, and whether each has labels. Raises DataError."""
    contents = _contents(path)
    splits = {split for role, split in contents if role == "images"} or {"train"}
    return {split: ("labels", split) in contents for split in splits}


def read_arrays(path: str | PathLike[str], split: str = "train") -> LabelledArrays:
    """The arrays of one split ("train", "validation" or "test"; "train" if none is named).

    Raises DataError, which names the file and the fault.
    """
    try:
        found = _read(path, split)
        name, images = found.name, found.images
        if _FEATURE_WORDS & {*words_of(name)} or are_features(images):
            vectors = check_features(images, found.feature_names)
            labels = found.labels_of(len(images), "rows of features")
            return LabelledArrays(images, labels, vectors=vectors)
        pixels, notes = as_pixels(_in_memory(images))
        if len(images.shape) == 2 and images.dtype.kind == "f":
            notes += (f"{name}: whole numbers are read as pixels unless it is named features",)
        is_emnist = any(word.startswith("emnist") for word in words_of(name.lower()))
        if is_emnist and not name.lower().endswith((".npy", ".npz")):
            pixels = pixels.swapaxes(1, 2)
            notes += (f"{name}: EMNIST's pictures are stored transposed; they were turned upright",)
        return LabelledArrays(pixels, found.labels_of(len(pixels)), notes)
    except DataError:
        raise
    except Exception as error:  # NumPy's header parser alone raises SyntaxError and TokenError
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"cannot read the arrays: {path}: {reason}") from error


class _Found(NamedTuple):
    """The arrays of a split, and the name of the file or the member that holds the images."""

    name: str
    images: Any
    labels: Any = None
    class_names: Any = None
    feature_names: Any = None

    def labels_of(self, n_images: int, images: str = "images") -> tuple[str, ...] | None:
        """The class of each of the images. Raises ValueError."""
        if self.labels is None:
            return None
        return as_labels(_in_memory(self.labels), n_images, self.class_names, images)


def _in_memory(array: NDArray[Any]) -> NDArray[Any]:
    return array[:] if isinstance(array, FileRows) else array


def _read(path: str | PathLike[str], split: str) -> _Found:
    if is_pixel_csv(path):
        return _Found(os.path.basename(path), *read_pixel_csv(path))
    contents = _contents(path)
    if str(path).lower().endswith(".npz"):
        return _read_npz(path, split, contents)
    images, labels = (
        None
        if (file := contents.get((role, split))) is None
        else read_npy(file)
        if file.lower().endswith(".npy")
        else read_idx(file, n_dimensions)
        for role, n_dimensions in (("images", 3), ("labels", 1))
    )
    return _Found(os.path.basename(contents["images", split]), images, labels)


def _read_npz(path: str | PathLike[str], split: str, contents: _Contents) -> _Found:
    with opened(path) as stream, zipfile.ZipFile(stream) as archive:
        if ("images", split) not in contents:
            raise DataError(
                f"no images: {path}: it needs an array named x, images, features, x_train or "
                "similar, and one named y, labels, y_train or similar; it contains: "
                f"{first_and_more(archive.namelist()) or 'nothing'}"
            )
        keys = ("images", split), ("labels", split), _NAMES, _FEATURE_NAMES
        images, labels, names, feature_names = (
            None if m is None else read_member(archive, archive.getinfo(m))
            for m in map(contents.get, keys)
        )
        has_names = names is not None and names.dtype.kind in "US"
        name, names = contents["images", split], names if has_names else None
        return _Found(name, images, labels, names, feature_names)


def _contents(path: str | PathLike[str]) -> _Contents:
    """What holds the images and the labels of each split. Raises DataError."""
    folder, name = os.path.split(path)
    images, labels = ("images", "train"), ("labels", "train")
    if is_pixel_csv(path):
        return {images: name, labels: name}
    if name.lower().endswith(".npz"):
        return _one_each(path, _members(path))
    if not os.path.isdir(path):
        _, split, data_set = _parsed(name)
        beside = _files_in(folder or ".").get(("labels", split, data_set), [])
        return _one_each(path, {images: [os.fspath(path)], labels: beside})
    files = _files_in(path)
    sets = _images_by_set(files)
    if len(sets) != 1:
        found = first_and_more(list(map(os.path.basename, sets.values())))
        raise DataError(
            f"several data sets: {path}: it contains {found}; name one of these files, or keep "
            "each set in a folder of its own"
        )
    return _one_each(path, {(role, split): f for (role, split, s), f in files.items() if s in sets})


def _one_each(
    path: str | PathLike[str], found: Mapping[tuple[str, str], Sequence[str]]
) -> _Contents:
    for (role, split), names in found.items():
        if role and len(names) > 1:
            raise DataError(
                f"cannot read the arrays: {path}: two for the {split} split: "
                f"{' and '.join(map(os.path.basename, names[:2]))}; keep one"
            )
    return {key: names[0] for key, names in found.items() if names}


def _members(path: str | PathLike[str]) -> dict[tuple[str, str], list[str]]:
    """The names of the arrays in an .npz file, by their role and split."""
    try:
        with opened(path) as stream, zipfile.ZipFile(stream) as archive:
            members = archive.namelist()
    except (OSError, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"cannot read the arrays: {path}: {reason}") from error
    found: dict[tuple[str, str], list[str]] = {}
    for member in members:
        name = member.removesuffix(".npy")
        role, split, _ = _parsed(name)
        role = _POSITIONS.get(name, role) if len(members) <= len(_POSITIONS) else role
        found.setdefault((role, split), []).append(member)
    return found


def _files_in(folder: str | PathLike[str]) -> _Files:
    """The IDX and .npy files in a folder, by their role, split and data set."""
    files: _Files = {}
    names: list[str] = []
    with suppress(OSError):  # whoever lists the folder next says what is wrong
        names = sorted(os.listdir(folder))
    for name in names:
        if name.endswith(".gz") and name[:-3] in names:
            continue  # torchvision keeps the packed file beside the unpacked one
        if name.lower().endswith(".npy") or _IDX_END.search(name):
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                files.setdefault(_parsed(name), []).append(path)
    return files


def _images_by_set(files: _Files) -> dict[tuple[str, ...], str]:
    """A file of images of each data set. A set of .npy files counts only with its labels."""
    return {
        data_set: paths[0]
        for (role, split, data_set), paths in files.items()
        if role == "images" and (_IDX_END.search(paths[0]) or ("labels", split, data_set) in files)
    }


def _parsed(name: str) -> tuple[str, str, tuple[str, ...]]:
    """The role of a file or an array by its name, "" if unknown; its split; all other words."""
    found = [word for word in words_of(name) if word not in _FILE_WORDS]
    if _CLASS_WORDS & {*found} and {"names", "classes", "categories"} & {*found}:
        return (*_NAMES, ())
    if _FEATURE_WORDS & {*found} and "names" in found:
        return (*_FEATURE_NAMES, ())
    role = next((role for role, known in _ROLES.items() if known & {*found}), "")
    role = "" if _OTHER_WORDS & {*found} else role
    rest = [word for word in found if word not in _ROLES.get(role, ()) and not split_among([word])]
    return role, split_among(found) or "train", tuple(rest)
