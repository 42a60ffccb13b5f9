"""The content of an image file, without waiting for pipes and devices."""

from __future__ import annotations

import os
import re
from stat import S_ISDIR, S_ISREG
from typing import BinaryIO

from softmaxce.errors import ImageError

SMALL_FILE_BYTES = 2**16
Content = bytes | BinaryIO
_BINARY = getattr(os, "O_BINARY", 0)
_OPEN_FLAGS = os.O_RDONLY | _BINARY | getattr(os, "O_NONBLOCK", 0)  # opening a FIFO must not block


def read_file(path: str) -> Content:
    """The bytes of a small file, or a large file opened for reading. Raises ImageError."""
    try:
        handle = os.open(path, _OPEN_FLAGS)
        try:
            content = os.read(handle, SMALL_FILE_BYTES)
            if 0 < len(content) < SMALL_FILE_BYTES:
                return content
            if not S_ISREG(os.fstat(handle).st_mode):
                raise ImageError(path, "not a regular file")
            if not content:
                raise ImageError(path, "the file is empty")
            os.lseek(handle, 0, os.SEEK_SET)
            stream = os.fdopen(handle, "rb")
            handle = -1
            return stream
        finally:
            if handle >= 0:
                os.close(handle)
    except OSError as error:
        raise ImageError(path, _why_not_opened(path, error)) from None
    except ValueError:
        raise ImageError(path, "its name contains a NUL character") from None


def _why_not_opened(path: str, error: OSError) -> str:
    try:
        mode = os.stat(path).st_mode
    except OSError:
        mode = None
    if mode is not None and S_ISDIR(mode):
        return "it is a folder"
    if mode is not None and not S_ISREG(mode):
        return "not a regular file"
    if isinstance(error, FileNotFoundError):
        is_url = re.match(r"[A-Za-z][\w+.-]+:/", path)
        return (
            "it is a URL; download it first (only --dask reads URLs)" if is_url else "no such file"
        )
    return f"it cannot be read ({error.strerror or error})"
