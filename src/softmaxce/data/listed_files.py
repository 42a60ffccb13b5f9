"""File names as a manifest spells them → the files on this disk."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache, cached_property
from pathlib import Path

from softmaxce.class_names import normalized
from softmaxce.data.class_folders import is_hidden
from softmaxce.data.names import split_among, words_of
from softmaxce.preprocessing import SUFFIXES


class FileFinder:
    """Finds the files that a manifest lists, each at most once.

    Backslashes, another Unicode form, a missing extension, and images in a folder beside the
    manifest are accepted if exactly one file fits.
    """

    def __init__(self, manifest: str) -> None:
        self._root, self._manifest = os.path.split(manifest)
        self._names = cache(_names_in)
        self._folder = cache(lambda folder: self._follow("", Path(folder).parts))
        self._found: set[str] = set()

    def find(self, listed: str) -> str:
        """The path or URL of the file; if there is none, the path where it was expected.

        Raises LookupError for a file that was found before, if only a similar file exists, and if
        several files fit.
        """
        found = listed if "://" in listed else self._path(listed)
        if found in self._found:
            raise LookupError(f"'{listed}' is listed twice")
        self._found.add(found)
        return found

    def _path(self, listed: str) -> str:
        location = expected = os.path.join(self._root, listed.removeprefix("./"))
        if os.path.lexists(location):
            return location
        listed = listed.replace("\\", "/").removeprefix("./")
        places = [self._root, *self._folders_beside]
        walks = [self._walk(os.path.join(place, listed)) for place in places]
        found = [place for place, missing in walks if not missing]
        place, missing = walks[0]
        similar = [os.path.join(place, name) for name in self._similar(place, missing)]
        tails = listed.split("/")[1:]
        while tails and not found and not similar:  # as after a copy from another computer
            tail, tails = os.path.join(self._root, *tails), tails[1:]
            similar = [tail] if os.path.lexists(tail) else []
        if not found and not similar:
            return expected
        if len(found) != 1:
            raise LookupError(f"no file '{listed}'; did you mean {' or '.join(found or similar)}?")
        return found[0]

    def _walk(self, location: str) -> tuple[str, str]:
        """How far a path can be followed, and the first part that is missing, or ""."""
        folder, name = os.path.split(location)
        place, missing = self._folder(folder)
        return (place, missing) if missing else self._follow(place, (name,))

    def _follow(self, place: str, parts: Iterable[str]) -> tuple[str, str]:
        for part in parts:
            following = os.path.join(place, part)
            if not os.path.lexists(following):
                fitting = self._names(place).get(normalized(part), [])
                if len(fitting) != 1:
                    return place, part
                following = os.path.join(place, fitting[0])
            place = following
        return place, ""

    def _similar(self, place: str, missing: str) -> list[str]:
        """The images and folders that differ from `missing` in case or extension."""
        stem = normalized(os.path.splitext(missing)[0]).casefold()
        names = {name for fitting in self._names(place).values() for name in fitting}
        return sorted(n for n in names if _stem(n).casefold() == stem) if missing else []

    @cached_property
    def _folders_beside(self) -> list[str]:
        """The folders beside a manifest that has no images beside it.

        Without those of another split: train/ and test/ may both contain a 1.png.
        """
        names = {name for fitting in self._names(self._root).values() for name in fitting}
        folders = [os.path.join(self._root, n) for n in sorted(names) if not is_hidden(n)]
        folders = [folder for folder in folders if os.path.isdir(folder)]
        if any(os.path.splitext(name)[1].lower() in SUFFIXES for name in names):
            return []
        own = split_among(words_of(self._manifest))
        return [
            f for f in folders if own in (None, split_among(words_of(os.path.basename(f))) or own)
        ]


def _stem(name: str) -> str:
    """The name, composed, without the extension of an image."""
    stem, suffix = os.path.splitext(normalized(name))
    return stem if suffix.lower() in SUFFIXES else normalized(name)


def _names_in(folder: str) -> dict[str, list[str]]:
    """The names in a folder, by their composed form with and without an image's extension."""
    names: dict[str, list[str]] = {}
    try:
        entries = os.listdir(folder or ".")
    except OSError:
        entries = []
    for name in entries:
        for key in {normalized(name), _stem(name)}:
            names.setdefault(key, []).append(name)
    return names
