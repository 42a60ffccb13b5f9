"""Files are written aside and renamed: whatever happens, the old file or the new one is there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from os import PathLike
from pathlib import Path

from softmaxce.errors import OutputError

Chunk = bytes | bytearray | memoryview


def check_can_write(path: str | PathLike[str]) -> None:
    """Raise OutputError unless `path` can be a file: its folder is there and can be written."""
    target = Path(path)
    if target.is_dir():
        raise OutputError(f"cannot write: {path}: it is a folder; name a file")
    if target.exists() and not target.is_file():
        raise OutputError(f"cannot write: {path}: it is no regular file")
    folder = target.parent
    if not folder.is_dir():
        raise OutputError(f"cannot write: {path}: there is no folder {folder}; create it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write: {path}: the folder {folder} cannot be written to")


def write_atomically(path: str | PathLike[str], chunks: Iterable[Chunk]) -> None:
    """Put `chunks`, one after the other, into the file `path`, all of them or none.

    A temporary file in the same folder is flushed to the disk and renamed over `path`; a link
    is followed, so that the file it names is replaced and not the link. Raises OutputError, with
    the old file untouched and no temporary left.
    """
    target = Path(os.path.realpath(path))
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name[:64]}.", dir=target.parent)
        with os.fdopen(handle, "wb") as stream:
            for chunk in chunks:
                stream.write(chunk)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, _mode_for(target))
        os.replace(temporary, target)
        temporary = None
        _flush_folder(target.parent)
    except OSError as error:
        raise OutputError(f"cannot write: {path}: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)


def _mode_for(target: Path) -> int:
    """The permissions of the file that is replaced, or those a new file would get."""
    with suppress(OSError):
        return target.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _flush_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut, where folders can be flushed at all."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
