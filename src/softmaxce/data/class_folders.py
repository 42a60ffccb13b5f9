"""Class folders → the image files of each class."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

from softmaxce.class_names import in_class_order, normalized
from softmaxce.data.other_files import ACCEPTED, hint_among
from softmaxce.errors import DataError, first_and_more
from softmaxce.preprocessing import SUFFIXES

SYSTEM_FOLDERS = (
    {"$recycle.bin", "system volume information", "found.000", "cvs", "recycler"}
    | {"lost+found", "lost.dir", "temporary items", "network trash folder", "__pycache__"}
    | {"@eadir", "@tmp", "@recycle", "@recently-snapshot", "@__thumb", "#recycle", "#snapshot"}
    | {"~snapshot", "node_modules"}
)
_HIDDEN_NAMES = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx"})
_IGNORED_NAMES = _HIDDEN_NAMES | SYSTEM_FOLDERS


class NoClassFolders(DataError):
    """A folder contains no class folders, so its images have no labels."""


@dataclass(frozen=True)
class ClassFolder:
    """One class: its name, its image files in sorted order, and the other files in its folder.

    system_folders: ignored folders of operating systems and other programs; base: the innermost
    folder that contains all images; nested: the names of the folders in `base` that contain them,
    if none is directly in `base`.
    """

    name: str
    paths: tuple[str, ...]
    ignored_files: tuple[str, ...] = ()
    system_folders: tuple[str, ...] = ()
    base: str = ""
    nested: tuple[str, ...] = ()

    def with_files_of(self, other: ClassFolder) -> ClassFolder:
        """This class, merged with another one."""
        return replace(
            self,
            paths=tuple(sorted(self.paths + other.paths)),
            ignored_files=self.ignored_files + other.ignored_files,
            system_folders=self.system_folders + other.system_folders,
        )


def is_hidden(name: str) -> bool:
    """Whether a file or folder belongs to the system, such as .DS_Store or Thumbs.db."""
    return name.startswith(".") or name.lower() in _IGNORED_NAMES


def list_class_folders(folder: str | PathLike[str]) -> tuple[ClassFolder, ...]:
    """The class folders in `folder`, in class order. Raises DataError if there are none.

    Files at any depth below a class folder belong to the class. A link to a file or to a class
    folder is followed; a link to a folder further down is not (it is listed in `ignored_files`),
    so that links cannot form a loop.
    """
    root = Path(folder)
    entries = visible_folders(root)
    if not entries:
        raise NoClassFolders(f"no class folders: {root}: {_why_none(root)}")
    found: dict[str, ClassFolder] = {}  # by the name in NFC: folders with equal ones are merged
    for entry in entries:
        # In UTF-8, whatever the locale, so that a model can be used in another.
        name = os.fsencode(entry.name).decode("utf-8", "surrogateescape")
        c, key = _read_class(name, entry.path), normalized(name)
        if other := found.get(key):
            c = replace(other.with_files_of(c), name=key)
        found[key] = c
    by_name = {c.name: c for c in found.values()}
    return tuple(by_name[name] for name in in_class_order(by_name))


def _why_none(root: Path) -> str:
    """Why a folder without class folders is not a source, and what may be meant."""
    files = sorted(entry.path for entry in os.scandir(root) if not is_hidden(entry.name))
    n_loose = sum(map(is_image_name, files))
    hint = hint_among(files)
    if not n_loose:
        return f"it needs one folder of images per class{hint}"
    reason = f"{n_loose} image{'s' * (n_loose > 1)} not in class folders, so there are no labels"
    above = root.parent if root.name not in ("", "..") else root / ".."
    with suppress(DataError, OSError):
        folders = [e for e in visible_folders(above) if any(map(is_image_name, os.listdir(e)))]
        if len(folders) > 1 and not hint:
            names = first_and_more([entry.name for entry in folders], 5)
            return f"{reason}; did you mean {above}, which contains {names}?"
    return f"{reason}; move them into one folder per class{hint}"


def is_image_name(path: str) -> bool:
    """Whether a file is named like an image."""
    return os.path.splitext(path)[1].lower() in SUFFIXES


def visible_folders(root: Path) -> list[os.DirEntry[str]]:
    """The folders in `root` that are not hidden, sorted by name. Raises DataError."""
    try:
        entries = list(os.scandir(root))
    except FileNotFoundError:
        raise DataError(f"no such folder: {root}") from None
    except NotADirectoryError:
        raise DataError(f"not a folder: {root}: give {ACCEPTED}") from None
    except OSError as error:
        raise DataError(f"cannot read the folder: {root}: {error.strerror}") from error
    found = [entry for entry in entries if not is_hidden(entry.name) and _is_folder(entry)]
    return sorted(found, key=lambda entry: entry.name)


def list_images(folder: str) -> tuple[str, ...]:
    """All files below `folder` that have an image's suffix, in sorted order."""
    return _read_class("", folder).paths


def _read_class(name: str, root: str) -> ClassFolder:
    """The class whose files are those below `root`."""
    images: list[str] = []
    ignored_files: list[str] = []
    system_folders: list[str] = []
    with_images: list[str] = []
    folders = [root]
    while folders:
        folder = folders.pop()
        n_before = len(images)
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    lower = entry.name.lower()
                    has_suffix = lower[lower.rfind(".") :] in SUFFIXES
                    if lower.startswith(".") or lower in _IGNORED_NAMES:
                        if lower in SYSTEM_FOLDERS and _is_folder(entry):
                            system_folders.append(entry.path)
                    elif entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    elif has_suffix and not (entry.is_symlink() and _is_folder(entry)):
                        images.append(entry.path)
                    else:
                        ignored_files.append(entry.path)
        except OSError as error:
            raise DataError(f"cannot read the folder: {folder}: {error.strerror}") from error
        if len(images) > n_before:
            with_images.append(folder)
    base, nested = _nested_folders(root, with_images)
    return ClassFolder(
        name,
        tuple(sorted(images)),
        tuple(sorted(ignored_files)),
        tuple(system_folders),
        base=base,
        nested=nested,
    )


def _nested_folders(root: str, with_images: list[str]) -> tuple[str, tuple[str, ...]]:
    """`base` and `nested` of a ClassFolder in `root`, from its folders that contain images."""
    base = os.path.commonpath(with_images) if with_images else root
    inner = {os.path.relpath(folder, base).split(os.sep)[0] for folder in with_images}
    return base, () if os.curdir in inner else tuple(in_class_order(inner))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """entry.is_dir(), but False for a link that leads back to itself, where is_dir() raises."""
    return os.path.isdir(entry.path)
