"""Files are written to a temporary name and renamed, so the old file or the new one is complete."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from os import PathLike
from pathlib import Path

from softmaxce.errors import OutputError
from softmaxce.temporary_files import TemporaryFile

Chunk = bytes | bytearray | memoryview

_TEMPORARY_PREFIX = ".softmaxce-"  # not the target's name, which may have the maximal length


def check_can_write(path: str | PathLike[str]) -> None:
    """Raise OutputError unless `path` can be written.

    A temporary file is created and removed, because permissions alone do not tell.
    """
    target, fault = os.path.realpath(path), None
    if not os.path.isdir(os.path.dirname(target)):
        fault = f"the folder {Path(path).parent} does not exist; create it first"
    elif os.path.isdir(target):
        fault = "it is a folder; name a file"
    elif os.path.exists(target) and not os.path.isfile(target):
        fault = "not a regular file"
    elif os.path.exists(target) and not os.access(target, os.W_OK):
        fault = "it is read-only"
    if fault:
        raise OutputError(f"cannot write: {path}: {fault}")
    try:
        with suppress(FileNotFoundError):
            os.stat(target)  # fails if the name is too long
        TemporaryFile(os.path.dirname(target), _TEMPORARY_PREFIX).close()
    except OSError as error:
        raise _cannot_write(path, error) from error


def write_atomically(
    path: str | PathLike[str], chunks: Iterable[Chunk], *, follow_link: bool = True
) -> None:
    """Write `chunks`, one after the other, to the file `path`, all of them or none.

    A temporary file in the same folder is flushed to the disk and renamed to `path`. A link is
    followed: the file it points to is replaced, not the link; without `follow_link` it is the link.
    Raises OutputError and removes the temporary file; `path` then contains the old file, or the new
    one completely.
    """
    try:
        target = Path(os.path.realpath(path) if follow_link else path)
        with TemporaryFile(target.parent, _TEMPORARY_PREFIX) as temporary:
            with open(temporary.handle, "wb", closefd=False) as stream:
                for chunk in chunks:
                    stream.write(chunk)
            os.chmod(temporary.path, _mode_for(target))
            os.fsync(temporary.handle)
            _put_in_place(temporary, target)
    except OSError as error:
        raise _cannot_write(path, error) from error


def _cannot_write(path: str | PathLike[str], error: OSError) -> OutputError:
    reason = error.strerror or str(error)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        reason = f"the folder {Path(path).parent} cannot be written to ({reason})"
    return OutputError(f"cannot write: {path}: {reason}")


def _mode_for(target: Path) -> int:
    """The permissions of the file to be replaced, or those of a new file."""
    with suppress(OSError):
        status = target.lstat()
        if stat.S_ISREG(status.st_mode):
            return status.st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _put_in_place(temporary: TemporaryFile, target: Path) -> None:
    """Rename, and flush the folder so that the rename survives a power failure."""
    if os.name != "posix":  # elsewhere folders cannot be flushed
        temporary.rename(target)
        return
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        temporary.rename(target)
        os.fsync(folder)
    finally:
        with suppress(OSError):
            os.close(folder)
