"""Reading what a stranger may have made: regular files only, and at most so many bytes.

Opening a FIFO would wait for a writer, and a device such as /dev/zero has no end.
"""

from __future__ import annotations

import errno
import os
import stat
from os import PathLike
from typing import BinaryIO

MAX_BYTES = 2**28  # of an input that is read as a whole: an image, a manifest, standard input
_CHUNK_BYTES = 2**20
_BINARY = getattr(os, "O_BINARY", 0)
_FLAGS = _BINARY | getattr(os, "O_NONBLOCK", 0)  # opening a FIFO must not block


def open_regular(path: str | PathLike[str], max_bytes: int | None = None) -> int:
    """A descriptor of the regular file `path`, opened for reading.

    Raises OSError, also for anything but a regular file and for more than `max_bytes`.
    """
    handle = os.open(path, os.O_RDONLY | _FLAGS)
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        fault = OSError(errno.EINVAL, "not a regular file", os.fspath(path))
    elif max_bytes is not None and status.st_size > max_bytes:
        fault = _too_large(max_bytes, os.fspath(path))
    else:
        return handle
    os.close(handle)
    raise fault


def read_at_most(stream: BinaryIO, max_bytes: int = MAX_BYTES) -> bytes:
    """All bytes of a stream. Raises OSError as soon as they are more than `max_bytes`."""
    chunks, n_left = [], max_bytes
    while chunk := stream.read(_CHUNK_BYTES):
        chunks.append(chunk)
        n_left -= len(chunk)
        if n_left < 0:
            raise _too_large(max_bytes)
    return b"".join(chunks)


def _too_large(max_bytes: int, path: str | None = None) -> OSError:
    return OSError(errno.EFBIG, f"more than {max_bytes // 2**20} MB", path)
