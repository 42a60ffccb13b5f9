"""The content of an image file, without waiting for pipes and devices, or for slow headers."""

from __future__ import annotations

import io
import os
import re
from typing import BinaryIO

from softmaxce.bounded_input import MAX_BYTES, open_regular
from softmaxce.errors import ImageError

SMALL_FILE_BYTES = 2**16
Content = bytes | BinaryIO

# Pillow reads headers in Python, often byte by byte, and takes 1 to 3 µs for each read. No encoder
# needs so many: the smallest pieces are those of GIF, 255 bytes, and are read in two steps.
_FREE_READS = 20_000
_BYTES_PER_READ = 120
_MAX_READS = 150_000  # half a second, for a file of any size


class _CountedReader(io.BufferedReader):
    """Reading in too many small pieces raises ValueError. n_bytes: the size of the file."""

    def __init__(self, raw: io.FileIO | io.BytesIO, n_bytes: int) -> None:
        super().__init__(raw)
        self.n_reads_left = min(_FREE_READS + n_bytes // _BYTES_PER_READ, _MAX_READS)

    def read(self, size: int | None = -1, /) -> bytes:
        self.n_reads_left -= 1
        if self.n_reads_left < 0:
            raise ValueError("it consists of too many small parts")
        return super().read(size)


def stream_of(content: Content) -> BinaryIO:
    """The content as a stream on which decoders cannot loop for long."""
    if not isinstance(content, bytes):
        return content
    stream = io.BytesIO(content)
    return stream if len(content) < SMALL_FILE_BYTES else _CountedReader(stream, len(content))


def read_file(path: str) -> Content:
    """The bytes of a small file, or a large file opened for reading. Raises ImageError."""
    try:
        handle = open_regular(path, MAX_BYTES)
        try:
            content = os.read(handle, SMALL_FILE_BYTES)
            if len(content) == SMALL_FILE_BYTES:
                os.lseek(handle, 0, os.SEEK_SET)
                return _CountedReader(io.FileIO(os.dup(handle)), os.fstat(handle).st_size)
        finally:
            os.close(handle)
    except OSError as error:
        raise ImageError(path, _why_not_opened(path, error)) from None
    except ValueError:
        raise ImageError(path, "its name contains a NUL character") from None
    if not content:
        raise ImageError(path, "the file is empty")
    return content


def _why_not_opened(path: str, error: OSError) -> str:
    if os.path.isdir(path):
        return "it is a folder"
    if os.path.exists(path) and not os.path.isfile(path):
        return "not a regular file"
    if not isinstance(error, FileNotFoundError):
        return f"it cannot be read ({error.strerror or error})"
    if re.match(r"[A-Za-z][\w+.-]+:/", path):
        return "it is a URL; download it first (only --dask reads URLs)"
    return "no such file"
