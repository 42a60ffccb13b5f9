"""A folder of images → what would go wrong in training, found before training."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike

import numpy as np

from softmaxce.data.class_folders import ClassFolder, is_hidden
from softmaxce.data.duplicates import Groups, exact_groups, near_groups
from softmaxce.data.inspection import inspect_files
from softmaxce.data.preprocessing_choice import PreprocessingOptions, decode_all
from softmaxce.data.read_options import ReadOptions
from softmaxce.data.sources import Split, find_splits, list_classes
from softmaxce.errors import ImageError
from softmaxce.images.info import ImageDetails
from softmaxce.preprocessing import Preprocessing
from softmaxce.workflows.progress import OnProgress, counted, ignore

TINY_CLASS = 10
UNBALANCED = 10
SUFFIXES_OF = {
    "PNG": {".png"},
    "JPEG": {".jpg", ".jpeg", ".jpe", ".jfif"},
    "GIF": {".gif"},
    "BMP": {".bmp", ".dib"},
    "WEBP": {".webp"},
    "TIFF": {".tif", ".tiff"},
    "PPM": {".ppm", ".pgm", ".pbm", ".pnm"},
}


@dataclass(frozen=True)
class Finding:
    """One finding. kind names it for programs; examples are files or classes.

    is_problem: whether it stops training or makes its scores wrong, as opposed to a remark. For
    duplicates each example is a group of files that show the same picture.
    """

    kind: str
    is_problem: bool
    count: int
    text: str
    examples: tuple[str | tuple[str, ...], ...]


@dataclass(frozen=True)
class CheckedSplit:
    """One split: how many images of each class it has, readable or not."""

    name: str
    source: str
    n_images: Mapping[str, int]


@dataclass(frozen=True)
class CheckResult:
    """What a folder contains; the fields are those of the JSON result.

    formats, modes and sizes count image files; sizes are those after EXIF's orientation.
    """

    folder: str
    parts: tuple[CheckedSplit, ...]
    form: Preprocessing | None
    form_reason: str
    formats: Mapping[str, int]
    modes: Mapping[str, int]
    sizes: Mapping[str, int]
    findings: tuple[Finding, ...]
    n_problems: int


@dataclass(frozen=True)
class _File:
    """One image file: its path, split and class, and its header or the error."""

    path: str
    split: str
    label: str
    outcome: ImageDetails | ImageError


def check(
    folder: str | PathLike[str],
    *,
    jobs: int | None = None,
    on_progress: OnProgress = ignore,
) -> CheckResult:
    """Check all images of `folder`. Raises DataError if there are no classes at all."""
    found = find_splits(folder)
    named = {"train": found.train, "validation": found.validation, "test": found.test}
    splits = {name: (split, list_classes(split)) for name, split in named.items() if split}
    rows = [
        (path, name, c.name)
        for name, (_, classes) in splits.items()
        for c in classes
        for path in c.paths
    ]
    paths = [path for path, _, _ in rows]
    outcomes = inspect_files(paths, jobs=jobs, on_inspected=counted(on_progress, "Reading headers"))
    form, reason, files, groups = _compare(str(folder), rows, outcomes, jobs, on_progress)
    details = [f.outcome for f in files if isinstance(f.outcome, ImageDetails)]
    findings = [
        *_about_classes(splits),
        *_about_names(splits, str(folder)),
        *_about_files(files),
        *_about_duplicates(files, groups),
    ]
    return CheckResult(
        folder=str(folder),
        parts=tuple(
            CheckedSplit(name, str(split), {c.name: len(c.paths) for c in classes})
            for name, (split, classes) in splits.items()
        ),
        form=form,
        form_reason=reason,
        formats=_most_frequent(d.format for d in details),
        modes=_most_frequent(d.mode for d in details),
        sizes=_most_frequent(f"{d.info.width} × {d.info.height}" for d in details),
        findings=tuple(sorted(findings, key=lambda finding: not finding.is_problem)),
        n_problems=sum(finding.is_problem for finding in findings),
    )


def _compare(
    folder: str,
    rows: Sequence[tuple[str, str, str]],
    outcomes: Sequence[ImageDetails | ImageError],
    jobs: int | None,
    on_progress: OnProgress,
) -> tuple[Preprocessing | None, str, list[_File], dict[str, Groups]]:
    """Decode all images as training would; find groups of identical and of similar ones."""
    files = [_File(*row, outcome) for row, outcome in zip(rows, outcomes, strict=True)]
    if not files:
        return None, "", [], {}
    form, decoded, reason = decode_all(
        folder,
        [file.path for file in files],
        PreprocessingOptions(),
        ReadOptions(jobs=jobs, on_decoded=counted(on_progress, "Reading images")),
    )
    files = [
        _File(f.path, f.split, f.label, decoded.failures.get(i, f.outcome))
        for i, f in enumerate(files)
    ]
    good = np.setdiff1d(np.arange(len(files)), list(decoded.failures))
    exact = [good[rows] for rows in exact_groups(decoded.digests[good])]
    copies = [row for group in exact for row in group[1:]]
    single = np.setdiff1d(good, copies)
    near = near_groups(decoded.pixels, form, single)
    return form, reason, files, {"exact": exact, "near": near}


def _most_frequent(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())


_Splits = Mapping[str, tuple[Split, tuple[ClassFolder, ...]]]


def _about_classes(splits: _Splits) -> list[Finding]:
    empty, tiny, ignored_files, unbalanced = [], [], [], []
    for split, classes in splits.values():
        counts = {c.name: len(c.paths) for c in classes}
        empty += [f"{split}: {name}" for name, n in counts.items() if n == 0]
        tiny += [f"{split}: {name} ({n})" for name, n in counts.items() if 0 < n < TINY_CLASS]
        ignored_files += [path for c in classes for path in c.ignored_files]
        some = [n for n in counts.values() if n]
        if some and max(some) >= UNBALANCED * min(some):
            unbalanced.append(f"{split}: {min(some)} to {max(some)} images in a class")
    alone = [str(split) for split, classes in splits.values() if len(classes) < 2]
    train = {c.name for c in splits["train"][1]}
    unknown = [
        f"{split}: {c.name}"
        for split, classes in splits.values()
        for c in classes
        if c.name not in train
    ]
    return [
        *_finding("one_class", True, alone, "split", "with only one class; a classifier needs two"),
        *_finding("empty_class", True, empty, "class", "without images"),
        *_finding("unknown_class", True, unknown, "class", "not among the training classes"),
        *_finding("tiny_class", False, tiny, "class", f"with fewer than {TINY_CLASS} images"),
        *_finding(
            "unbalanced",
            False,
            unbalanced,
            "unbalanced split",
            "(see --class-weight balanced, and evaluate by recall)",
        ),
        *_finding("foreign", False, ignored_files, "file", "skipped: not named like an image"),
    ]


def _about_names(splits: _Splits, folder: str) -> list[Finding]:
    hidden = []
    if os.path.isdir(folder):
        for place, folders, names in os.walk(folder):
            hidden += [os.path.join(place, name) for name in (*folders, *names) if is_hidden(name)]
            folders[:] = [name for name in folders if not is_hidden(name)]
    listed = [path for _, classes in splits.values() for c in classes for path in c.paths]
    undecodable = [path for path in listed if not _is_utf8(path)]
    return [
        *_finding("hidden", False, sorted(hidden), "hidden file or folder", "skipped"),
        *_finding("name_not_utf8", False, undecodable, "file", "whose name is not UTF-8"),
    ]


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _about_files(files: Sequence[_File]) -> list[Finding]:
    unreadable = [str(f.outcome) for f in files if isinstance(f.outcome, ImageError)]
    found = _finding("unreadable", True, unreadable, "image", "that cannot be read; see --skip-bad")
    remarks: tuple[tuple[str, str, Callable[[ImageDetails], bool]], ...] = (
        ("rotated", "rotated according to EXIF", lambda d: d.orientation != 1),
        ("transparent", "that may have transparent pixels; see --background",
         lambda d: d.has_transparency),
        ("animated", "with several frames or pages; the first is used", lambda d: d.is_animated),
        ("16_bit", "with 16 bits per channel, reduced to 8", lambda d: d.mode.startswith("I")),
        ("grey", "in grey, in a data set with colour",
         lambda d: d.info.is_grey and not all_grey),
    )  # fmt: skip
    details = [(f, f.outcome) for f in files if isinstance(f.outcome, ImageDetails)]
    all_grey = all(d.info.is_grey for _, d in details)
    for kind, text, holds in remarks:
        found += _finding(kind, False, [f.path for f, d in details if holds(d)], "image", text)
    misnamed = [
        f"{f.path} ({d.format})"
        for f, d in details
        if os.path.splitext(f.path)[1].lower() not in SUFFIXES_OF.get(d.format, set())
    ]
    return found + _finding("misnamed", False, misnamed, "image", "named like another format")


def _about_duplicates(files: Sequence[_File], groups: Mapping[str, Groups]) -> list[Finding]:
    """Groups of the same picture: across splits, else across classes, else within a class."""
    found: list[Finding] = []
    for how, words in (("exact", "the same picture"), ("near", "nearly the same picture")):
        by_kind: dict[str, list[tuple[str, ...]]] = {}
        for rows in groups.get(how, ()):
            group = [files[i] for i in rows]
            kind = "within_class"
            if len({file.split for file in group}) > 1:
                kind = "across_parts"
            elif len({file.label for file in group}) > 1:
                kind = "across_classes"
            by_kind.setdefault(kind, []).append(tuple(file.path for file in group))
        for kind, where in (
            ("across_parts", "in more than one split, so scores are too good"),
            ("across_classes", "in more than one class, so a label is wrong"),
            ("within_class", "in one class"),
        ):
            is_problem = how == "exact" and kind != "within_class"
            text = f"of {words} {where}"
            some = by_kind.get(kind, [])
            found += _finding(f"{how}_duplicates_{kind}", is_problem, some, "group", text)
    return found


def _finding(
    kind: str, is_problem: bool, examples: Sequence[str | tuple[str, ...]], noun: str, rest: str
) -> list[Finding]:
    """A finding if there are examples, else nothing. Its text is the noun (given in the singular,
    made plural if needed) and the rest."""
    if not examples:
        return []
    if len(examples) > 1:
        noun += "es" if noun.endswith("s") else "s"
    return [Finding(kind, is_problem, len(examples), f"{noun} {rest}", tuple(examples))]
