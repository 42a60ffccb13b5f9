"""Where the images of each split are: class folders, a CSV manifest, or files of pixel arrays."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path

from softmaxce.class_names import labels_of, look_alike_key
from softmaxce.data.array_files import (
    LabelledArrays,
    array_splits,
    is_array_source,
    read_arrays,
)
from softmaxce.data.class_folders import (
    ClassFolder,
    NoClassFolders,
    list_class_folders,
    visible_folders,
)
from softmaxce.data.manifest import is_manifest, read_manifest
from softmaxce.data.other_files import hint_among, is_model, refuse_other_sources
from softmaxce.data.source_findings import Finding, about_folders, finding, with_examples
from softmaxce.data.split_names import split_of
from softmaxce.errors import DataError, first_and_more

Classes = tuple[ClassFolder, ...]
_ORDER = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """The images of one split: a folder, or the split `name` of a manifest or array file.

    listed: the classes of each split of a manifest, which is read once for all of them, or of a
    folder, if they are known; findings: what is worth knowing about it.
    """

    path: Path
    name: str | None = None
    listed: Mapping[str, Classes] = field(default_factory=dict, compare=False, repr=False)
    findings: tuple[Finding, ...] = field(default=(), compare=False, repr=False)

    def __str__(self) -> str:
        return str(self.path) if self.name is None else f"{self.path} ({self.name})"


AnySource = Split | str | PathLike[str]


def find_splits(source: str | PathLike[str], *, is_grouped: bool = False) -> dict[str, Split]:
    """The splits of a folder (train/, validation/, test/), a manifest or a file of arrays.

    They are called "train", which always exists, "validation" and "test", in this order.
    A folder that does not contain such folders is the training split as a whole, as is a file that
    names no splits. Raises DataError for anything else, and for folders that seem not to be
    classes. is_grouped: whether the same folders in several classes are known to be groups.
    """
    root = Path(source)
    listed = _listed(source)
    if listed or is_array_source(root):
        is_labelled = dict.fromkeys(listed, True) or array_splits(root)
        if {*is_labelled} == {"train"}:
            return {"train": Split(root, None, listed)}
        if "train" not in is_labelled:
            raise DataError(f"no training images: {root}: it has no split named train")
        splits = {name: Split(root, name, listed) for name in _ORDER if name in is_labelled}
        ignored = [name for name in splits if not (is_labelled[name] or name == "train")]
        found = with_examples(_unlabelled([str(splits.pop(name)) for name in ignored]))
        return {**splits, "train": replace(splits["train"], findings=found)}
    folders, others = _split_folders(root)
    if not folders:
        return {"train": _checked(_folder(root), is_grouped)}
    train = _checked(_folder(folders["train"]), is_grouped)
    splits, unlabelled = {"train": train}, list[str]()
    for name in _ORDER[1:]:
        if name in folders:
            if split := _labelled(folders[name], train):
                splits[name] = _checked(split, is_grouped)
            else:
                unlabelled.append(str(folders[name]))
    findings = with_examples(
        *about_folders(root, ()),
        finding("ignored_folder", others, "folder", "ignored: not named like a split"),
        _unlabelled(unlabelled),
    )
    splits["train"] = replace(train, findings=(*findings, *train.findings))
    return splits


def _unlabelled(splits: Sequence[str]) -> Finding:
    return finding("unlabelled_split", splits, "split", "ignored: without labels")


def _listed(source: str | PathLike[str]) -> dict[str, Classes]:
    """The classes of each split of a manifest. Raises DataError for what is not a source."""
    if is_manifest(source):
        return read_manifest(source)
    if not is_array_source(source) or is_model(source):
        refuse_other_sources(source)
    return {}


def _split_folders(root: Path) -> tuple[dict[str, Path], list[str]]:
    """The folder of each split, if `root` contains splits, and the other folders.

    All folders are named like splits, or there are at least two splits of which "train" contains
    folders. A folder "train" that contains folders may be the only one.
    """
    named: dict[str, list[Path]] = {}
    for entry in visible_folders(root):
        named.setdefault(split_of(entry.name) or "", []).append(Path(entry.path))
    others = named.pop("", [])
    signs = len(named) > 1, not others
    if "train" not in named or not any(signs):
        return {}, []
    if not (all(signs) or visible_folders(named["train"][0])):
        return {}, []
    for split, paths in named.items():
        if len(paths) != 1:
            names = " and ".join(path.name for path in paths)
            raise DataError(f"two {split} folders: {root}: {names}; keep one, or merge them")
    return {split: paths[0] for split, paths in named.items()}, list(map(str, others))


def _folder(path: Path) -> Split:
    """The class folders in `path` as a split. Raises DataError."""
    classes = list_class_folders(path)
    if not any(c.paths for c in classes) and (hint := _arrays_among(classes)):
        raise NoClassFolders(f"no images: {path}: its folders contain no image files{hint}")
    return Split(path, None, {"": classes}, about_folders(path, classes))


def _arrays_among(classes: Classes) -> str:
    """What may be meant by folders without images: files of arrays further down; or ""."""
    files = [path for c in classes for path in c.ignored_files]
    folders = sorted({os.path.dirname(path) for path in files})
    found = list(filter(is_array_source, folders))
    return f"; did you mean {' or '.join(found[:3])}?" if found else hint_among(files)


def _labelled(path: Path, train: Split) -> Split | None:
    """As _folder; None if no image in `path` has a label."""
    try:
        split = _folder(path)
    except NoClassFolders:
        return None
    classes = list_classes(split)
    if len(classes) == 1 and not classes[0].nested:
        known = [c.name for c in list_classes(train)]
        if labels_of([classes[0].name], known) == [None]:
            return None
    return split if any(c.paths for c in classes) else None


def _checked(split: Split, is_grouped: bool) -> Split:
    """The split of a folder. Raises DataError if its folders seem not to be classes."""
    filled = [c for c in list_classes(split) if c.paths]
    outer = sorted((c for c in filled if c.nested), key=lambda c: -len(c.nested))
    if not outer:
        return split
    first, *others = outer
    unclear = f"classes are unclear: {split.path}:"
    flat = [c for c in filled if not c.nested and Path(c.base) == split.path / c.name]
    if flat or len(filled) == 1:
        kind = "splits" if all(map(split_of, first.nested)) else "class folders"
        inner = first_and_more(first.nested, 5)
        contents = f"{len(first.nested)} {kind} ({inner})"
        if kind == "splits":
            *most, last = sorted(first.nested, key=lambda name: _ORDER.index(str(split_of(name))))
            contents = f"the splits {', '.join(most)} and {last}" if most else last
        remedy = f"if '{first.name}' is a class, move its images directly into it"
        if kind == "splits" or (len(flat) < 2 and not others):
            raise DataError(
                f"{unclear} did you mean {first.base}, which contains {contents}? "
                f"Otherwise, {remedy}"
            )
        raise DataError(
            f"{unclear} '{first.name}' contains folders of images ({inner}), '{flat[0].name}' does "
            f"not; if these are the classes, give {first.base}; {remedy}; if neither, keep "
            f"'{first.name}' elsewhere"
        )
    keys = set(map(look_alike_key, first.nested))
    for other in () if is_grouped else others:
        common = [name for name in other.nested if look_alike_key(name) in keys]
        if len(common) >= max(2, len(other.nested) / 2):
            raise DataError(
                f"{unclear} '{first.name}' and '{other.name}' contain the same folders "
                f"({first_and_more(common, 5)}); if '{first.name}' and '{other.name}' are splits, "
                "name them train, validation and test; if they are classes, move their images "
                "directly into them, or list the images in a CSV manifest (path,label); if the "
                "folders are groups, such as patients, add --group-by parent"
            )
    return split


def as_split(source: AnySource) -> Split:
    """`source` as a Split. Raises DataError for a source that cannot be read."""
    if isinstance(source, Split):
        return source
    path = Path(source)
    listed = _listed(source)
    return Split(path, None, listed) if listed or is_array_source(path) else _folder(path)


def list_classes(split: Split) -> Classes:
    """The image files of each class, in class order. Raises DataError."""
    if split.listed:
        return split.listed[_chosen(split, split.listed)]
    return list_class_folders(split.path)


def read_split_arrays(split: Split) -> LabelledArrays | None:
    """The pixel arrays of `split`, or None if it consists of image files. Raises DataError."""
    if not is_array_source(split.path):
        return None
    return read_arrays(split.path, _chosen(split, array_splits(split.path)))


def read_labelled_arrays(split: Split) -> LabelledArrays | None:
    """As read_split_arrays; raises DataError for arrays without labels."""
    arrays = read_split_arrays(split)
    if arrays is not None and arrays.labels is None:
        raise DataError(
            f"no labels: {split}: store them with the images or features: an array y or labels in "
            "an .npz, a file y.npy or labels.npy, …labels-idx1-ubyte, or a column label in a CSV "
            "file"
        )
    return arrays


def _chosen(split: Split, names: Collection[str]) -> str:
    """The split's name in its file: the one asked for, else the one farthest from training."""
    name = split.name
    if name is None:
        # A model is evaluated on images that it was not trained on.
        name = next(name for name in ("test", "validation", *names) if name in names)
    if name not in names:
        raise DataError(f"no images: {split}: no such split; it has {', '.join(sorted(names))}")
    return name
