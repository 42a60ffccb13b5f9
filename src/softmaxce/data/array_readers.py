"""The bytes of .npy and IDX files → arrays, without unpickling, within the bounds of the file.

Rows of floats stay in the file, unless it is compressed: they are read when they are needed.
"""

from __future__ import annotations

import gzip
import os
import struct
import zipfile
from os import PathLike
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from softmaxce.bounded_input import open_regular
from softmaxce.data.tables import MAX_RATIO
from softmaxce.file_rows import rows_of_file

MAX_BYTES = 4 * 2**30
_NEVER_A_BOMB = 2**25  # bytes: sorted labels take 1,000 times as much unpacked
_CHUNK_BYTES = 2**20
_MAX_ROWS = 2**27  # each row gets a name
OBJECTS = (
    "holds Python objects, which are never read, because they can run programs; save it with a "
    'plain type, for example with y.astype(str) or x.astype("uint8")'
)


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    """An array of an .npz file. Raises DataError or ValueError."""
    if info.file_size > min(MAX_BYTES, max(MAX_RATIO * info.compress_size, _NEVER_A_BOMB)):
        raise ValueError(f"{info.filename} unpacks to too many bytes")
    file, start = archive.fp, None
    if file is not None and info.compress_type == zipfile.ZIP_STORED:
        file.seek(info.header_offset + 26)
        start = info.header_offset + 30 + sum(struct.unpack("<2H", file.read(4)))
    with archive.open(info) as stream:
        place = None if file is None or start is None else (file.fileno(), start)
        array = _read_npy(stream, info.filename, info.file_size, place)
        while stream.read(_CHUNK_BYTES):  # at the end, zipfile compares the checksums
            pass
        return array


def opened(path: str | PathLike[str]) -> BinaryIO:
    """A file of arrays. Raises OSError for a large one, and for anything but a regular file."""
    return open(open_regular(path, MAX_BYTES), "rb")


def read_npy(path: str) -> NDArray[Any]:
    """The array of an .npy file. Raises DataError, OSError or ValueError."""
    with open(open_regular(path), "rb") as stream:
        size, place = os.fstat(stream.fileno()).st_size, (stream.fileno(), 0)
        return _read_npy(stream, os.path.basename(path), size, place)


def _read_npy(
    stream: IO[bytes], name: str, size: int, place: tuple[int, int] | None
) -> NDArray[Any]:
    """The array in a stream of `size` bytes. place: a descriptor, and where the stream starts
    there; None if the stream is compressed."""
    try:
        version = np.lib.format.read_magic(stream)
    except ValueError:
        raise ValueError(f"{name} is not an .npy file") from None
    if version not in ((1, 0), (2, 0)):
        raise ValueError("an array has an unknown version")
    read = getattr(np.lib.format, f"read_array_header_{version[0]}_0")
    shape, fortran_order, dtype = read(stream)
    n_bytes = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if dtype.hasobject:
        raise ValueError(f"{name} {OBJECTS}")
    if not 0 <= size - n_bytes <= 2**16:
        raise ValueError(f"{name} does not have the size in its header")
    are_rows = dtype.kind == "f" and dtype.isnative and not fortran_order and len(shape) == 2
    if place and are_rows and min(shape) > 0 and shape[0] <= _MAX_ROWS:
        return rows_of_file(place[0], name, place[1] + stream.tell(), shape, dtype)
    if n_bytes > MAX_BYTES:
        raise ValueError(f"{name} unpacks to too many bytes")
    content = stream.read(n_bytes)
    if len(content) != n_bytes:
        raise ValueError("an array ends too early")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran_order else "C")


def read_idx(path: str, n_dimensions: int) -> NDArray[np.uint8]:
    """An array of unsigned bytes as in LeCun's MNIST files: magic, sizes, values.

    Raises ValueError.
    """
    with opened(path) as raw:
        limit = min(MAX_BYTES, MAX_RATIO * max(os.fstat(raw.fileno()).st_size, 1024))
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
