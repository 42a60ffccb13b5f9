"""File names as a manifest spells them → the files on this disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from functools import cache, cached_property
from pathlib import PurePosixPath

from softmaxce.class_names import normalized
from softmaxce.data.class_folders import is_hidden, is_image_name


class FileFinder:
    """Finds the files that a manifest lists, each at most once.

    Backslashes, another Unicode form, a missing extension, and images in a folder beside the
    manifest are accepted if exactly one file fits.
    """

    def __init__(self, manifest: str) -> None:
        self._root = os.path.dirname(manifest)
        self._names = cache(_names_in)
        self._found: set[str] = set()

    def find(self, listed: str) -> str:
        """The path or URL of the file; if there is none, the path where it was expected.

        Raises LookupError for a file that was found before, if only a similar file exists, and if
        several files fit.
        """
        # A name of a file is in the locale's encoding, a line of the manifest is not.
        found = listed if "://" in listed else self._path(os.fsdecode(listed.encode()))
        if found in self._found:
            raise LookupError(f"'{listed}' is listed twice")
        self._found.add(found)
        return found

    def _path(self, listed: str) -> str:
        expected = os.path.join(self._root, listed.removeprefix("./"))
        if os.path.lexists(expected):
            return expected
        parts = PurePosixPath(listed.replace("\\", "/")).parts
        found = self._fitting(parts)
        if len(found) == 1:
            return found[0]
        for start in range(len(parts)):  # without the folders of the computer it was written on
            if similar := found or self._fitting(parts[start:], loosely=True):
                raise LookupError(f"no file '{listed}'; did you mean {' or '.join(similar)}?")
        return expected

    def _fitting(self, parts: Sequence[str], loosely: bool = False) -> list[str]:
        """The paths of these parts. loosely: in any case, with any extension of an image."""
        places = [self._root, *self._folders_beside]
        for part in parts:
            key = _stem(part).casefold() if loosely else normalized(part)
            names = ((place, self._names(place, loosely).get(key, ())) for place in places)
            places = [os.path.join(place, name) for place, fitting in names for name in fitting]
        return places

    @cached_property
    def _folders_beside(self) -> list[str]:
        """The folders beside a manifest that has no images beside it."""
        names = sorted({n for names in self._names(self._root, False).values() for n in names})
        if any(map(is_image_name, names)):
            return []
        places = [os.path.join(self._root, name) for name in names if not is_hidden(name)]
        return [place for place in places if os.path.isdir(place)]


def _stem(name: str) -> str:
    """The name, composed, without the extension of an image."""
    return normalized(os.path.splitext(name)[0] if is_image_name(name) else name)


def _names_in(folder: str, loosely: bool) -> dict[str, list[str]]:
    """The names in a folder, by the keys with which `_fitting` looks for them."""
    names: dict[str, list[str]] = {}
    entries: list[str] = []
    with suppress(OSError):
        entries = sorted(os.listdir(folder or "."))
    for name in (os.pardir, *entries):  # a manifest may list files in the folder above
        stem = _stem(name)
        for key in {stem.casefold()} if loosely else {normalized(name), stem}:
            names.setdefault(key, []).append(name)
    return names
