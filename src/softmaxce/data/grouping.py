"""Which images belong together, such as those of a patient: groups, named in `--group-by`."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from softmaxce.class_names import normalized
from softmaxce.data.array_files import is_array_source
from softmaxce.data.manifest import column_names, read_column
from softmaxce.data.source_findings import Finding, finding
from softmaxce.data.sources import Split
from softmaxce.errors import DataError, InputError, first_and_more

Keys = NDArray[np.uint64]


def group_keys(split: Split, paths: Sequence[str], by: str) -> Keys:
    """The key (n_images,) of each image's group: a hash of the group's name.

    by: the name of a column, if `split` is a manifest; or "parent", the folder that contains the
    image, below its class folder; or a regular expression that is searched for in the path below
    the source: its first group, or else all that it matches. Raises InputError or DataError if this
    does not name a group for each image, or names the same for all.
    """
    root = os.fspath(split.path)
    if is_array_source(root):
        raise DataError(
            f"cannot group: {split}: its images have no paths; --group-by needs class folders or a "
            "CSV manifest of image files"
        )
    is_manifest = os.path.isfile(root)
    columns = column_names(root) if is_manifest else []
    places = list(map(os.path.normpath, paths))
    if by in columns:
        of_place = {os.path.normpath(p): name for p, name in read_column(root, by).items()}
        names = [of_place[place] for place in places]
    else:
        base = os.path.normpath(os.path.dirname(root) if is_manifest else root)
        named = _parent(is_manifest) if by == "parent" else _matched(by)
        below = (place.removeprefix(f"{base}{os.sep}") for place in places)
        names = [named(path.replace(os.sep, "/")) for path in below]
    without = [path for path, name in zip(paths, names, strict=True) if not name]
    if len(without) == len(paths) and by == "parent":
        raise DataError(
            f"cannot group: {split}: no image is in a folder of its group below its class folder, "
            "as photos/cat/p7/01.png is"
        )
    if len(without) == len(paths):
        raise DataError(
            f"cannot group: {split}: '{by}' is neither a column nor in a path; the columns are "
            f"{first_and_more(columns)}"
            if columns
            else f"cannot group: {split}: '{by}' is not in any path, such as {paths[0]}"
        )
    if without:
        raise DataError(
            f"cannot group: {split}: {len(without):,} of {len(paths):,} images have no group, such "
            f"as {without[0]}; change --group-by so that it names a group for each image"
        )
    if len({*names}) == 1 < len(names):
        raise DataError(
            f"cannot group: {split}: all {len(names):,} images are in one group, '{names[0]}'; "
            "--group-by needs what differs between groups"
        )
    keys = {name: _key(name) for name in {*names}}
    return np.array([keys[name] for name in names], np.uint64)


def _matched(pattern: str) -> Callable[[str], str]:
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise InputError(f"--group-by: '{pattern}' is not a regular expression: {error}") from None

    def name(path: str) -> str:
        match = compiled.search(path)
        return "" if match is None else match[min(1, compiled.groups)] or ""

    return name


def _parent(is_manifest: bool) -> Callable[[str], str]:
    """In a manifest, where there are no class folders, the whole path of the folder."""
    if is_manifest:
        return posixpath.dirname
    return lambda path: posixpath.dirname(path).partition("/")[2]


def _key(name: str) -> int:
    spelt = normalized(name).encode("utf-8", "surrogateescape")
    return int.from_bytes(blake2b(spelt, digest_size=8).digest(), "little")


def joined_by_copies(groups: Keys, digests: Keys) -> Keys:
    """The keys (n_images,) of groups, of which those with equal digests have the smallest of both,
    so that neither a group nor copies are ever in two splits."""
    sides = [np.unique(keys, return_inverse=True)[1].reshape(-1) for keys in (digests, groups)]
    before, keys = np.zeros_like(groups), groups
    while (keys != before).any():
        before = keys
        for side in sides:
            least = np.full(side.max() + 1, np.iinfo(np.uint64).max, np.uint64)
            np.minimum.at(least, side, keys)
            keys = least[side]
    return keys


def about_single_images(groups: Keys | None, by: str | None) -> tuple[Finding, ...]:
    """Whether each image is a group of its own."""
    if groups is None or by is None or len(np.unique(groups)) < len(groups):
        return ()
    text = "that puts each image into a group of its own, so it changes nothing"
    return (finding("groups_of_one", [by], "grouping", text),)


def about_shared_groups(splits: Mapping[str, tuple[Keys, Sequence[str]]]) -> Finding:
    """The groups with images in several splits, from keys and paths; each by a path of each."""
    found: dict[int, dict[str, str]] = {}
    for split, (keys, paths) in splits.items():
        for key, first in zip(*np.unique(keys, return_index=True), strict=True):
            found.setdefault(int(key), {})[split] = paths[int(first)]
    shared = [tuple(of.values()) for of in found.values() if len(of) > 1]
    text = "of images in more than one split, so scores are too good"
    return finding("groups_across_parts", shared, "group", text)
