"""Temporary files: other processes leave them alone while they are used, and remove them later.

Each is locked until it is closed. The lock ends with the process, even if that is killed, so a file
that can be locked belongs to nobody. Whoever creates a file removes abandoned ones beside it.
"""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import AbstractContextManager, suppress
from os import PathLike

try:
    import fcntl
except ImportError:  # Windows, which does not remove open files: no lock is needed
    fcntl = None  # type: ignore[assignment]

_OPEN_FLAGS = os.O_RDWR | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)


class TemporaryFile(AbstractContextManager["TemporaryFile"]):
    """A new, locked file in `folder`, which is removed when it is closed. Raises OSError.

    handle: a descriptor for reading and writing; prefix: how its name begins.
    """

    def __init__(self, folder: str | PathLike[str], prefix: str) -> None:
        remove_abandoned(folder, prefix)
        while True:
            self.handle, self.path = tempfile.mkstemp(prefix=prefix, dir=folder)
            if fcntl is not None:
                with suppress(OSError):  # not every file system has locks
                    fcntl.flock(self.handle, fcntl.LOCK_EX)
            if os.fstat(self.handle).st_nlink:
                return
            os.close(self.handle)  # it was removed as abandoned before it was locked

    def reserve(self, n_bytes: int) -> None:
        """Reserve space on the disk, where that is possible. Raises OSError if it is full."""
        if hasattr(os, "posix_fallocate"):
            try:
                os.posix_fallocate(self.handle, 0, n_bytes)
            except OSError as error:
                if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
                    raise

    def remove_name(self) -> None:
        """Let the file disappear when it is closed by this process and those forked from it."""
        os.unlink(self.path)

    def rename(self, target: str | PathLike[str]) -> None:
        """Keep the file as `target`, which it replaces. Raises OSError."""
        if fcntl is None:
            self._close()  # Windows does not rename open files
        os.replace(self.path, target)

    def close(self) -> None:
        """Unlock and remove the file, unless it was renamed."""
        self._close()
        with suppress(OSError):  # Windows keeps a file that is still open elsewhere
            os.unlink(self.path)

    def _close(self) -> None:
        if self.handle >= 0:
            with suppress(OSError):  # what must be on the disk was flushed before
                os.close(self.handle)
            self.handle = -1

    def __exit__(self, *_: object) -> None:
        self.close()


def remove_abandoned(folder: str | PathLike[str], prefix: str) -> tuple[int, int]:
    """Remove the files in `folder` that killed processes left. Returns their number and size."""
    n_files = n_bytes = 0
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(prefix):
                with suppress(OSError):  # it is in use, another user's, or was just removed
                    n_bytes += _remove_unlocked(entry.path)
                    n_files += 1
    return n_files, n_bytes


def _remove_unlocked(path: str) -> int:
    """Remove a file and return its size. Raises OSError if it is locked."""
    handle = os.open(path, _OPEN_FLAGS) if fcntl is not None else None
    try:
        if handle is not None:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        size = os.lstat(path).st_size
        os.unlink(path)
        return size
    finally:
        if handle is not None:
            os.close(handle)
