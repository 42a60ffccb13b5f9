"""Pixel arrays in files: .npz, pairs of .npy, and IDX (`…-ubyte`, also gzipped).

They are read without unpickling, and only if the sizes in the headers fit the file.
"""

from __future__ import annotations

import gzip
import os
import re
import struct
import zipfile
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from softmaxce.bounded_input import open_regular
from softmaxce.data.manifest import SPLIT_NAMES
from softmaxce.errors import DataError

MAX_BYTES = 4 * 2**30
_MAX_RATIO = 250  # unpacked to packed bytes: images stay far below, decompression bombs do not
_IDX_NAME = re.compile(r"(.*)images([-.])idx3([-.]ubyte.*)", re.ASCII)
_IMAGE_WORDS = {"x", "image", "images", "pixels", "data"}
_LABEL_WORDS = {"y", "label", "labels", "target", "targets"}
_SPLIT_OF_PREFIX = {**SPLIT_NAMES, "t10k": "test"}


@dataclass(frozen=True)
class PixelArrays:
    """images: (n, height, width) or (n, height, width, 3), uint8; labels: n names, or None."""

    images: NDArray[np.uint8]
    labels: tuple[str, ...] | None


def is_array_source(path: str | PathLike[str]) -> bool:
    """Whether `path` is named like a file of pixel arrays, or is a folder of IDX files."""
    name = os.path.basename(os.fspath(path))
    if os.path.isfile(path):
        return name.lower().endswith((".npz", ".npy")) or _IDX_NAME.fullmatch(name) is not None
    return os.path.isdir(path) and bool(_idx_files(path))


def read_arrays(path: str | PathLike[str], split: str = "train") -> PixelArrays:
    """The arrays of one split ("train", "validation" or "test"; "train" if none is named).

    Raises DataError, which names the file and the fault.
    """
    try:
        if str(path).lower().endswith(".npz"):
            images, labels = _read_npz(path, split)
        elif str(path).lower().endswith(".npy"):
            images, labels = _npy_pair(str(path))
        else:
            file = _idx_files(path)[split] if os.path.isdir(path) else path
            images, labels = _idx_pair(str(file))
        pixels = _checked_images(path, images)
        names = None if labels is None else _checked_labels(path, pixels, labels)
        return PixelArrays(pixels, names)
    except DataError:
        raise
    except Exception as error:  # NumPy's header parser alone raises SyntaxError and TokenError
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"cannot read the arrays: {path}: {reason}") from error


def array_splits(path: str | PathLike[str]) -> set[str]:
    """The splits that `read_arrays` can read. Raises DataError."""
    if os.path.isdir(path):
        return set(_idx_files(path))
    if not str(path).lower().endswith(".npz"):
        return {"train"}
    try:
        with _opened(path) as stream, zipfile.ZipFile(stream) as archive:
            return set(_npz_members(path, archive)[0]) or {"train"}
    except (OSError, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"cannot read the arrays: {path}: {reason}") from error


def _opened(path: str | PathLike[str]) -> BinaryIO:
    return open(open_regular(path, MAX_BYTES), "rb")


_Members = dict[str, zipfile.ZipInfo]
_Pair = tuple[NDArray[Any], NDArray[Any] | None]  # images, and labels if there are any


def _npz_members(path: str | PathLike[str], archive: zipfile.ZipFile) -> tuple[_Members, _Members]:
    """The arrays of images and of labels for each split, by their names."""
    images: _Members = {}
    labels: _Members = {}
    for info in archive.infolist():
        words = set(re.split(r"[_\-. ]", info.filename.removesuffix(".npy").lower()))
        split = next((SPLIT_NAMES[w] for w in sorted(words) if w in SPLIT_NAMES), "train")
        for kind, found in ((_IMAGE_WORDS, images), (_LABEL_WORDS, labels)):
            if words & kind:
                if split in found:
                    raise DataError(f"cannot read the arrays: {path}: two for the {split} split")
                found[split] = info
                break
    return images, labels


def _read_npz(path: str | PathLike[str], split: str) -> _Pair:
    with _opened(path) as stream, zipfile.ZipFile(stream) as archive:
        images, labels = _npz_members(path, archive)
        if not images:
            raise DataError(
                f"no images: {path}: it needs an array named x, images, x_train, train_images or "
                "similar, and one named y, labels, y_train or train_labels"
            )
        named = _read_member(archive, labels[split]) if split in labels else None
        return _read_member(archive, images[split]), named


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    if info.file_size > min(MAX_BYTES, _MAX_RATIO * max(info.compress_size, 1024)):
        raise ValueError(f"{info.filename} unpacks to too many bytes")
    with archive.open(info) as stream:
        return _read_npy(stream, info.file_size)


def _read_npy(stream: IO[bytes], size: int) -> NDArray[Any]:
    version = np.lib.format.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise ValueError("an array has an unknown version")
    read = getattr(np.lib.format, f"read_array_header_{version[0]}_0")
    shape, fortran_order, dtype = read(stream)
    n_bytes = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if dtype.hasobject or not 0 <= size - n_bytes <= 2**16:
        raise ValueError("an array does not have the size in its header, or holds objects")
    content = stream.read(n_bytes)
    if len(content) != n_bytes:
        raise ValueError("an array ends too early")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran_order else "C")


def _npy_pair(path: str) -> _Pair:
    """An .npy file of images, and the file of labels in the same folder, if there is one."""
    images = _read_npy_file(path)
    folder, name = os.path.split(path)
    for word, counterpart in (("images", "labels"), ("X", "y"), ("x", "y"), ("data", "labels")):
        beside = re.sub(rf"(?<![A-Za-z]){word}(?![A-Za-z])", counterpart, name)
        if beside != name and os.path.isfile(os.path.join(folder, beside)):
            return images, _read_npy_file(os.path.join(folder, beside))
    return images, None


def _read_npy_file(path: str) -> NDArray[Any]:
    with _opened(path) as stream:
        return _read_npy(stream, os.fstat(stream.fileno()).st_size)


def _idx_files(folder: str | PathLike[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for name in sorted(os.listdir(folder)):
        match = _IDX_NAME.fullmatch(name)
        split = _SPLIT_OF_PREFIX.get(match[1].strip("-_.").lower()) if match else None
        if split is not None:
            found.setdefault(split, Path(folder, name))
    return found


def _idx_pair(path: str) -> _Pair:
    """An IDX file of images, and the file of their labels in the same folder, if there is one."""
    images = _read_idx(path, 3)
    folder, name = os.path.split(path)
    match = _IDX_NAME.fullmatch(name)
    labels = None
    if match:
        beside = os.path.join(folder, f"{match[1]}labels{match[2]}idx1{match[3]}")
        for candidate in (beside, beside + ".gz", beside.removesuffix(".gz")):
            if labels is None and os.path.isfile(candidate):
                labels = _read_idx(candidate, 1)
    return images, labels


def _read_idx(path: str, n_dimensions: int) -> NDArray[np.uint8]:
    """An array of unsigned bytes as in LeCun's MNIST files: magic, sizes, values."""
    with _opened(path) as raw:
        limit = min(MAX_BYTES, _MAX_RATIO * max(os.fstat(raw.fileno()).st_size, 1024))
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        stream = gzip.GzipFile(fileobj=raw) if packed else raw
        head = stream.read(4 + 4 * n_dimensions)
        if len(head) != 4 + 4 * n_dimensions or head[:4] != bytes((0, 0, 8, n_dimensions)):
            raise ValueError(f"it is not an IDX file of bytes in {n_dimensions} dimensions")
        shape = struct.unpack(f">{n_dimensions}I", head[4:])
        n_bytes = int(np.prod(shape, dtype=object))
        if n_bytes > limit:
            raise ValueError("its header names more bytes than the file can hold")
        content = stream.read(n_bytes)
        if len(content) != n_bytes or stream.read(1):
            raise ValueError("it is shorter or longer than its header says")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _checked_images(path: str | PathLike[str], images: NDArray[Any]) -> NDArray[np.uint8]:
    if images.dtype != np.uint8:
        raise DataError(
            f"cannot use the arrays: {path}: the pixels are {images.dtype}; save them as uint8, "
            "0 to 255"
        )
    if images.ndim == 2:
        side = round(images.shape[1] ** 0.5)
        if side * side == images.shape[1]:
            images = images.reshape(-1, side, side)
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    is_grey, is_colour = images.ndim == 3, images.ndim == 4 and images.shape[3] == 3
    if not (is_grey or is_colour) or 0 in images.shape:
        raise DataError(
            f"cannot use the arrays: {path}: the pixels have the shape {images.shape}; "
            "save them as (images, height, width) or (images, height, width, 3)"
        )
    return images


def _checked_labels(
    path: str | PathLike[str], images: NDArray[Any], labels: NDArray[Any]
) -> tuple[str, ...]:
    if labels.shape[:1] != (len(images),) or labels.size != len(images):
        raise DataError(
            f"cannot use the arrays: {path}: there are {len(images)} images, but the labels have "
            f"the shape {labels.shape}"
        )
    if labels.dtype.kind not in "iuU":
        raise DataError(
            f"cannot use the arrays: {path}: the labels are {labels.dtype}; save them as integers "
            "or names"
        )
    return tuple(map(str, labels.reshape(-1).tolist()))
