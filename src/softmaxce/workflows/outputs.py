"""Where results are written: checked before the work that produces them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from os import PathLike
from pathlib import Path

from softmaxce.atomic_files import check_can_write, write_atomically
from softmaxce.class_names import normalized
from softmaxce.errors import OutputError
from softmaxce.preprocessing import SUFFIXES

AnyPath = str | PathLike[str]
# A regular expression for how a file starts, what it is called, and the suffixes of its formats.
Kind = tuple[bytes, str, str]
REPORT = (rb"<!DOCTYPE html>", "an HTML page", ".html .htm")
ERRORS = (rb"path,label,predicted,", "a list of misclassified images", ".csv .txt")
# Not a model, which is a zip archive.
LESSON = (rb"(?!PK\x03\x04)", "a text file", ".html .htm .md .txt .json")
_FORMATS = re.compile(
    r"\.(html?|md|markdown|txt|jsonl?|[ct]sv|xlsx?|od[pst]|p[ds]f?|docx?|rtf|pptx?)"
)


def check_files(outputs: Sequence[tuple[AnyPath | None, Kind]], inputs: Sequence[AnyPath]) -> None:
    """Raise OutputError unless each output can be written, has a path of its own and replaces at
    most a file of its kind."""
    taken = {_file(path) for path in inputs}
    for output, (pattern, kind, suffixes) in outputs:
        if output is None:
            continue
        check_file(output)
        suffix = Path(output).suffix.lower()
        if _FORMATS.fullmatch(suffix) and suffix not in suffixes.split():
            instead = Path(output).with_suffix(suffixes.split()[0])
            advice = f"write {instead}"
            if suffix in (".pdf", ".ps"):
                advice = f"write {instead} and print the page"
            raise OutputError(f"cannot write: {output}: it would not be a {suffix} file; {advice}")
        if _file(output) in taken:
            raise OutputError(
                f"cannot write: {output}: it is also an input or another output of this command"
            )
        taken.add(_file(output))
        if os.path.exists(output):
            with open(output, "rb") as stream:
                old = stream.read(64)
            if old and not re.match(pattern, old):
                raise OutputError(f"cannot replace: {output}: not {kind}; choose another name")


def _file(path: AnyPath) -> object:
    """What all spellings of one file have in common. A new one may become a file of the same name
    in capitals or in another Unicode form, because not every file system tells them apart."""
    with suppress(OSError):
        status = os.stat(path)
        return status.st_dev, status.st_ino
    return normalized(os.path.realpath(path)).casefold()


def check_file(output: AnyPath) -> None:
    """Raise OutputError unless the file can be written. Names of images are refused: images are
    inputs."""
    check_can_write(output)
    if Path(os.path.realpath(output)).suffix.lower() in SUFFIXES:
        raise OutputError(f"cannot write: {output}: it is named like an image; choose another name")


def check_folder(folder: AnyPath | None) -> None:
    """Raise OutputError unless `folder` can be written to or created."""
    if folder is None:
        return
    if not os.path.exists(folder):
        check_can_write(folder)
    elif not os.path.isdir(folder):
        raise OutputError(f"cannot write: {folder}: not a folder")
    elif not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write: {folder}: the folder cannot be written to")


def write_folder(folder: AnyPath, files: Mapping[str, bytes]) -> None:
    """Write files, by name, into a folder, which is created if needed. Raises OutputError.

    Links in the folder are replaced, not followed: nobody named them on the command line.
    """
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write: {folder}: {error.strerror}") from error
    for name, content in files.items():
        write_atomically(os.path.join(folder, name), [content], follow_link=False)
