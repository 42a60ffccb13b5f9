"""What is not a source of images, and what to do with it."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterable
from contextlib import suppress
from os import PathLike

from softmaxce.bounded_input import open_regular
from softmaxce.errors import DataError
from softmaxce.preprocessing import SUFFIXES

ACCEPTED = (
    "a folder with one folder of images per class, a CSV file (paths and labels, or labels and "
    "pixels), .npz, .npy or IDX files"
)
_TO_NPZ = 'save its images and labels with np.savez("images.npz", x=images, y=labels)'
_ARCHIVE = "an archive; unpack it first"
_PICKLE = f"a pickle, which is never read, because it can run any program; {_TO_NPZ}"
_ARRAYS = f"not in a format that can be read; {_TO_NPZ}"
_ADVICE = {
    _ARCHIVE: ".zip .tar .gz .tgz .bz2 .tbz .tbz2 .xz .txz .zst .lz4 .7z .rar",
    _PICKLE: ".pkl .pickle .p .pck .joblib .dill .pt .pth .ckpt",
    _ARRAYS: ".mat .h5 .hdf5 .hdf .nc .parquet .feather .arrow .tfrecord .tfrecords "
    ".mdb .sqlite .db .rec .bin .dat .rds .rdata .safetensors",
    "not a CSV file; save it as a CSV manifest with the columns path and label": ".xlsx .xls .ods "
    ".json .jsonl .xml .yaml .yml",
    "one image; name the folder that contains the class folders": " ".join(sorted(SUFFIXES)),
    "a video; save its frames as images": ".mp4 .avi .mov .mkv .webm",
}
_ADVICE_BY_SUFFIX = {suffix: advice for advice, all in _ADVICE.items() for suffix in all.split()}
_ADVICE_BY_FIRST_BYTES = (
    (re.compile(rb"\x80[\x02-\x05]"), _PICKLE),
    (re.compile(rb"PK\x03\x04|\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|Rar!"), _ARCHIVE),
    (re.compile(rb"\x89HDF|PAR1|MATLAB"), _ARRAYS),
)


def advice_for(path: str) -> str | None:
    """What the file `path` is by its name or its first bytes, and what to do with it; or None."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix in _ADVICE_BY_SUFFIX or not os.path.isfile(path):
        return _ADVICE_BY_SUFFIX.get(suffix)
    with suppress(OSError), open(open_regular(path), "rb") as stream:
        head = stream.read(16)
        return next((a for start, a in _ADVICE_BY_FIRST_BYTES if start.match(head)), None)
    return None


def refuse_other_sources(source: str | PathLike[str]) -> None:
    """Raise DataError for a URL, a model, or another file that is not a source of images."""
    path = os.fspath(source)
    if re.match(r"[A-Za-z][\w+.-]+:/", path) and not os.path.exists(path):
        raise DataError(f"cannot read: {path}: it is a URL; download it first")
    if os.path.isfile(path):
        if is_model(path):
            raise DataError(f"not a source of images: {path}: it is a model")
        if advice := advice_for(path):
            raise DataError(f"not a source of images: {path}: it is {advice}; accepted: {ACCEPTED}")


def is_model(path: str | PathLike[str]) -> bool:
    """Whether the file contains the weights of a model."""
    with suppress(OSError, zipfile.BadZipFile), open(open_regular(path), "rb") as stream:
        return {"header.npy", "weights_0.npy"} <= set(zipfile.ZipFile(stream).namelist())
    return False


def hint_among(paths: Iterable[str]) -> str:
    """What may be meant by a folder that contains these files: a manifest, arrays; or ""."""
    for path in paths:
        suffix = os.path.splitext(path)[1].lower()
        if suffix == ".csv" or (suffix == ".npz" and not is_model(path)):
            return f"; did you mean {path}?"
        if (advice := advice_for(path)) in (_ARCHIVE, _PICKLE, _ARRAYS):
            return f"; {os.path.basename(path)} is {advice}"
    return ""
