"""Pixel arrays in files: .npz, .npy, IDX (`…-ubyte`, also gzipped) and CSV files of pixels.

They are read without unpickling, and only if the sizes in the headers fit the file.
"""

from __future__ import annotations

import os
import re
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.data.array_readers import opened, read_idx, read_member, read_npy
from softmaxce.data.array_values import as_labels, as_pixels
from softmaxce.data.class_folders import visible_folders
from softmaxce.data.pixel_csv import is_pixel_csv, read_pixel_csv, splits_of_pixel_csv
from softmaxce.data.split_names import split_among, words_of
from softmaxce.errors import DataError, first_and_more

_IDX_END = re.compile(r"[-.]idx[13][-.]ubyte", re.ASCII | re.IGNORECASE)
_FILE_WORDS = {"npy", "npz", "idx1", "idx3", "ubyte", "gz"}
_ROLES = {
    "images": {"x", "image", "images", "imgs", "pixels", "data"},
    "labels": {"y", "label", "labels", "target", "targets"},
}
_CLASS_WORDS = {"class", "classes", "label", "target", "category", "categories"}
_OTHER_WORDS = {"names", "id", "ids", "path", "paths", "file", "files", "filenames", "shape"}
_POSITIONS = {"arr_0": "images", "arr_1": "labels"}  # as np.savez(file, x, y) calls them
_NAMES = "names", "train"  # of the classes, for all splits

_Contents = dict[tuple[str, str], Any]  # role and split → a file or a member of an archive
_Files = dict[tuple[str, str, tuple[str, ...]], list[str]]  # role, split and data set → paths


@dataclass(frozen=True)
class PixelArrays:
    """images: (n, height, width) or (n, height, width, 3), uint8; labels: n names, or None.

    notes: how the images were converted.
    """

    images: NDArray[np.uint8]
    labels: tuple[str, ...] | None
    notes: tuple[str, ...] = ()


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


def read_arrays(path: str | PathLike[str], split: str = "train") -> PixelArrays:
    """The arrays of one split ("train", "validation" or "test"; "train" if none is named).

    Raises DataError, which names the file and the fault.
    """
    try:
        name, images, labels, class_names = _read(path, split)
        pixels, notes = as_pixels(images)
        if name.lower().startswith("emnist") and not name.lower().endswith((".npy", ".npz")):
            pixels = pixels.swapaxes(1, 2)
            notes += (f"{name}: EMNIST's pictures are stored transposed; they were turned upright",)
        if labels is None:
            return PixelArrays(pixels, None, notes)
        return PixelArrays(pixels, as_labels(labels, len(pixels), class_names), notes)
    except DataError:
        raise
    except Exception as error:  # NumPy's header parser alone raises SyntaxError and TokenError
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"cannot read the arrays: {path}: {reason}") from error


def _read(path: str | PathLike[str], split: str) -> tuple[str, Any, Any, Any]:
    """The file of the images, the images, and their labels and class names, None without them."""
    if is_pixel_csv(path):
        return os.path.basename(path), *read_pixel_csv(path, split), None
    contents = _contents(path)
    if str(path).lower().endswith(".npz"):
        return os.path.basename(path), *_read_npz(path, split, contents)
    images, labels = (
        None
        if (file := contents.get((role, split))) is None
        else read_npy(file)
        if file.lower().endswith(".npy")
        else read_idx(file, n_dimensions)
        for role, n_dimensions in (("images", 3), ("labels", 1))
    )
    return os.path.basename(contents["images", split]), images, labels, None


def _read_npz(path: str | PathLike[str], split: str, contents: _Contents) -> list[Any]:
    """Images, labels and class names."""
    with opened(path) as stream, zipfile.ZipFile(stream) as archive:
        if ("images", split) not in contents:
            found = first_and_more([info.filename for info in archive.infolist()])
            raise DataError(
                f"no images: {path}: it needs an array named x, images, x_train, train_images or "
                "similar, and one named y, labels, y_train or train_labels; it contains: "
                f"{found or 'nothing'}"
            )
        members = map(contents.get, (("images", split), ("labels", split), _NAMES))
        images, labels, names = (m and read_member(archive, m) for m in members)
        has_names = names is not None and names.dtype.kind in "US"
        return [images, labels, names if has_names else None]


def _contents(path: str | PathLike[str]) -> _Contents:
    """What holds the images and the labels of each split. Raises DataError."""
    folder, name = os.path.split(path)
    if name.lower().endswith(".npz"):
        return _members(path)
    if is_pixel_csv(path):
        roles = "images", "labels"
        return {(role, split): path for split in splits_of_pixel_csv(path) for role in roles}
    if not os.path.isdir(path):
        _, split, data_set = _parsed(name)
        labels = _labels_beside(_files_in(folder or "."), name, split, data_set)
        contents: _Contents = {("images", "train"): os.fspath(path)}
        return {**contents, ("labels", "train"): labels} if labels else contents
    files = _files_in(path)
    sets = _images_by_set(files)
    if len(sets) != 1:
        found = first_and_more([os.path.basename(images) for images in sets.values()])
        raise DataError(
            f"several data sets: {path}: it contains {found}; name one of these files, or keep "
            "each set in a folder of its own"
        )
    contents = {}
    for (role, split, data_set), paths in files.items():
        if role == "images" and data_set in sets:
            contents[role, split] = paths[0]
            labels = _labels_beside(files, paths[0], split, data_set)
            contents |= {("labels", split): labels} if labels else {}
    return contents


def _members(path: str | PathLike[str]) -> _Contents:
    """The arrays of an .npz file by their names."""
    contents: _Contents = {}
    try:
        with opened(path) as stream, zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
    except (OSError, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"cannot read the arrays: {path}: {reason}") from error
    for info in members:
        name = info.filename.removesuffix(".npy")
        role, split, _ = _parsed(name)
        role = _POSITIONS.get(name, role) if len(members) <= len(_POSITIONS) else role
        if role and (other := contents.setdefault((role, split), info)) is not info:
            raise DataError(
                f"cannot read the arrays: {path}: two for the {split} split: {other.filename} and "
                f"{info.filename}; keep one"
            )
    return contents


def _files_in(folder: str | PathLike[str]) -> _Files:
    """The IDX and .npy files in a folder, by their role, split and data set."""
    files: _Files = {}
    names: list[str] = []
    with suppress(OSError):  # whoever lists the folder next says what is wrong
        names = sorted(os.listdir(folder))
    for name in names:
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


def _labels_beside(files: _Files, images: str, split: str, data_set: tuple[str, ...]) -> str | None:
    """The file of labels for a file of images: y.npy for X.npy, labels.npy for images.npy."""
    is_x = "x" in words_of(os.path.basename(images))
    paths = files.get(("labels", split, data_set), [])
    return min(
        paths, key=lambda path: ("y" in words_of(os.path.basename(path))) != is_x, default=None
    )


def _parsed(name: str) -> tuple[str, str, tuple[str, ...]]:
    """The role of a file or an array by its name, "" if unknown; its split; all other words."""
    found = [word for word in words_of(name) if word not in _FILE_WORDS]
    if _CLASS_WORDS & {*found} and {"names", "classes", "categories"} & {*found}:
        return (*_NAMES, ())
    role = next((role for role, known in _ROLES.items() if known & {*found}), "")
    role = "" if _OTHER_WORDS & {*found} else role
    rest = [word for word in found if word not in _ROLES.get(role, ()) and not split_among([word])]
    return role, split_among(found) or "train", tuple(rest)
