"""Class folders → the image files of each class."""

from __future__ import annotations

import os
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from softmaxce.errors import DataError
from softmaxce.preprocessing import SUFFIXES

_HIDDEN_NAMES = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx"})


@dataclass(frozen=True)
class ClassFolder:
    """One class: its name, its image files in sorted order, and the other files in its folder."""

    name: str
    paths: tuple[str, ...]
    ignored_files: tuple[str, ...] = ()


def is_hidden(name: str) -> bool:
    """Whether a file or folder belongs to the system, such as .DS_Store or Thumbs.db."""
    return name.startswith(".") or name.lower() in _HIDDEN_NAMES


def list_class_folders(folder: str | PathLike[str]) -> tuple[ClassFolder, ...]:
    """The class folders in `folder`, sorted by name. Raises DataError if there are none.

    Files at any depth below a class folder belong to the class. A link to a file or to a class
    folder is followed; a link to a folder further down is not (it is listed in `ignored_files`),
    so that links cannot form a loop.
    """
    root = Path(folder)
    entries = visible_folders(root)
    if not entries:
        loose = [e.name for e in os.scandir(root) if Path(e.name).suffix.lower() in SUFFIXES]
        if loose:
            raise DataError(
                f"no class folders: {root}: its {len(loose)} images are not in class folders; "
                "move them into one folder per class"
            )
        raise DataError(f"no class folders: {root}: it needs one folder of images per class")
    return tuple(ClassFolder(entry.name, *_sorted_files(entry.path)) for entry in entries)


def visible_folders(root: Path) -> list[os.DirEntry[str]]:
    """The folders in `root` that are not hidden, sorted by name. Raises DataError."""
    try:
        entries = list(os.scandir(root))
    except FileNotFoundError:
        raise DataError(f"no such folder: {root}") from None
    except NotADirectoryError:
        raise DataError(
            f"not a folder: {root}: name the folder that contains the class folders"
        ) from None
    except OSError as error:
        raise DataError(f"cannot read the folder: {root}: {error.strerror}") from error
    found = [entry for entry in entries if not is_hidden(entry.name) and _is_folder(entry)]
    return sorted(found, key=lambda entry: entry.name)


def list_images(folder: str) -> tuple[str, ...]:
    """All files below `folder` that have an image's suffix, in sorted order."""
    return _sorted_files(folder)[0]


def _sorted_files(root: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The files below `root`: images and other files, each in sorted order."""
    images: list[str] = []
    ignored_files: list[str] = []
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    name = entry.name
                    has_suffix = name[name.rfind(".") :].lower() in SUFFIXES
                    if is_hidden(name):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    elif has_suffix and not (entry.is_symlink() and _is_folder(entry)):
                        images.append(entry.path)
                    else:
                        ignored_files.append(entry.path)
        except OSError as error:
            raise DataError(f"cannot read the folder: {folder}: {error.strerror}") from error
    return tuple(sorted(images)), tuple(sorted(ignored_files))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """entry.is_dir(), but False for a link that leads back to itself, where is_dir() raises."""
    return os.path.isdir(entry.path)
