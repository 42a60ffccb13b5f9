"""A folder of images → what would go wrong in training, found before training."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from softmaxce.class_names import normalized
from softmaxce.data.chosen_classes import Contents
from softmaxce.data.class_folders import SYSTEM_FOLDERS, is_hidden
from softmaxce.data.duplicates import Groups, exact_groups, near_groups
from softmaxce.data.grouping import about_shared_groups, about_single_images
from softmaxce.data.source_findings import ACROSS_CLASSES, Finding, about_names, finding
from softmaxce.errors import ImageError
from softmaxce.images.info import ImageDetails
from softmaxce.preprocessing import SUFFIXES_OF, FeatureVectors, Form
from softmaxce.workflows.checked_images import CheckedImages, Outcomes
from softmaxce.workflows.groups import Grouping, grouping_of_keys

TINY_CLASS = 10
UNBALANCED = 10
LOW_RANGE = 64  # a quarter of the range
_UNDECODED = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class CheckedSplit:
    """One split: how many images of each class it has, readable or not."""

    name: str
    source: str
    n_images: Mapping[str, int]


@dataclass(frozen=True)
class CheckResult:
    """What a folder contains; the fields are those of the JSON result, but for grouping.

    formats, modes and sizes count image files; sizes are those after EXIF's orientation.
    """

    folder: str
    parts: tuple[CheckedSplit, ...]
    form: Form | None
    form_reason: str
    formats: Mapping[str, int]
    modes: Mapping[str, int]
    sizes: Mapping[str, int]
    findings: tuple[Finding, ...]
    n_problems: int
    grouping: Grouping | None


def check(images: CheckedImages) -> CheckResult:
    """What would go wrong in training with these images."""
    splits, paths, outcomes = images.splits, images.paths, images.outcomes
    details = [outcome for outcome in outcomes if isinstance(outcome, ImageDetails)]
    findings = [
        *about_names([c.name for c in splits["train"].classes]),
        *(about for s in splits.values() for about in s.split.findings),
        *images.array_findings,
        *_about_classes(splits),
        *_about_names(paths, images.folder),
        *([] if images.is_of_arrays else _about_files(paths, outcomes)),
        *_about_groups(images),
        *_about_duplicates(paths, images.labels, _find_duplicates(images)),
        *_about_range(images),
    ]
    findings = [about for about in findings if about.examples]
    return CheckResult(
        folder=images.folder,
        parts=tuple(
            CheckedSplit(name, str(s.split), {normalized(c.name): len(c.paths) for c in s.classes})
            for name, s in splits.items()
        ),
        form=images.form,
        form_reason=images.form_reason,
        formats=_most_frequent(d.format for d in details),
        modes=_most_frequent(d.mode for d in details),
        sizes=_most_frequent(f"{d.info.width} × {d.info.height}" for d in details),
        findings=tuple(sorted(findings, key=lambda about: not about.is_problem)),
        n_problems=sum(about.is_problem for about in findings),
        grouping=grouping_of_keys(images.groups) if images.groups else None,
    )


def _about_groups(images: CheckedImages) -> Iterator[Finding]:
    for keys, _ in images.groups.values():
        yield from about_single_images(keys, images.group_by)
    yield about_shared_groups(images.groups)


def _about_range(images: CheckedImages) -> Iterator[Finding]:
    """Whether all images together use a small part of the range of pixel values."""
    if images.decoded is None or images.features is not None or not len(rows := images.readable):
        return
    pixels = images.decoded.pixels
    blocks = (pixels[rows[at : at + 1024]] for at in range(0, len(rows), 1024))
    extremes = [(int(block.min()), int(block.max())) for block in blocks]
    low, high = min(low for low, _ in extremes), max(high for _, high in extremes)
    sources = [images.folder] if high - low < LOW_RANGE else []
    text = f"whose pixel values are only {low} to {high} (of 0 to 255): hard to see, but learned"
    yield finding("low_range", sources, "data set", text)


def _find_duplicates(images: CheckedImages) -> dict[str, Groups]:
    """Groups of identical images, and of similar ones, which count identical images once."""
    decoded, good = images.decoded, images.readable
    if decoded is None or images.form is None:
        return {}
    exact = [good[group] for group in exact_groups(decoded.digests[good])]
    copies = [row for group in exact for row in group[1:]]
    if isinstance(images.form, FeatureVectors):
        return {"exact": exact}
    near = near_groups(decoded.pixels, images.form, np.setdiff1d(good, copies))
    return {"exact": exact, "near": near}


def _most_frequent(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())


def _about_classes(splits: Mapping[str, Contents]) -> Iterator[Finding]:
    classes = [(s.split, c, len(c.paths)) for s in splits.values() for c in s.classes]
    trained = {normalized(c.name) for c in splits["train"].classes}
    unbalanced = []
    for split, _, listed in splits.values():
        counts = sorted(((len(c.paths), c.name) for c in listed if c.paths), key=itemgetter(0))
        if counts and counts[-1][0] >= UNBALANCED * counts[0][0]:
            (n_least, least), (n_most, most) = counts[0], counts[-1]
            unbalanced.append(f"{split}: '{least}' has {n_least:,} images, '{most}' {n_most:,}")
    alone = [str(split) for split, _, listed in splits.values() if len(listed) < 2]
    empty = [f"{split}: {c.name}" for split, c, n in classes if n == 0]
    unknown = [f"{split}: {c.name}" for split, c, _ in classes if normalized(c.name) not in trained]
    tiny = [f"{split}: {c.name} ({n})" for split, c, n in classes if 0 < n < TINY_CLASS]
    ignored_files = [path for _, c, _ in classes for path in c.ignored_files]
    yield finding("one_class", alone, "split", "with only one class; a classifier needs two")
    yield finding("empty_class", empty, "class", "without images")
    yield finding("unknown_class", unknown, "class", "not among the training classes")
    yield finding("tiny_class", tiny, "class", f"with fewer than {TINY_CLASS} images")
    advice = "(see --class-weight balanced, and evaluate by recall)"
    yield finding("unbalanced", unbalanced, "unbalanced split", advice)
    yield finding("foreign", ignored_files, "file", "skipped: not named like an image")


def _about_names(paths: Sequence[str], folder: str) -> Iterator[Finding]:
    hidden = []
    for place, folders, names in os.walk(folder):  # nothing, if it is a file
        found = (n for n in (*folders, *names) if is_hidden(n) and n.lower() not in SYSTEM_FOLDERS)
        hidden += [os.path.join(place, name) for name in found]
        folders[:] = [name for name in folders if not is_hidden(name)]
    undecodable = [path for path in paths if _UNDECODED.search(path)]
    yield finding("hidden", sorted(hidden), "hidden file or folder", "skipped")
    yield finding("name_not_utf8", undecodable, "file", "whose name is not UTF-8")


def _about_files(paths: Sequence[str], outcomes: Outcomes) -> Iterator[Finding]:
    unreadable = [str(outcome) for outcome in outcomes if isinstance(outcome, ImageError)]
    yield finding("unreadable", unreadable, "image", "that cannot be read; see --skip-bad")
    pairs = zip(paths, outcomes, strict=True)
    details = [(path, outcome) for path, outcome in pairs if isinstance(outcome, ImageDetails)]
    all_grey = all(d.info.is_grey for _, d in details)

    def remark(kind: str, holds: Callable[[ImageDetails], bool], text: str) -> Finding:
        return finding(kind, [path for path, d in details if holds(d)], "image", text)

    yield remark("rotated", lambda d: d.orientation != 1, "rotated according to EXIF")
    transparent = "that may have transparent pixels; see --background"
    yield remark("transparent", lambda d: d.has_transparency, transparent)
    animated = "with several frames or pages; the first is used"
    yield remark("animated", lambda d: d.is_animated, animated)
    deep = "with 16 bits per channel, reduced to 8"
    yield remark("16_bit", lambda d: d.mode.startswith("I"), deep)
    grey = "in grey, in a data set with colour"
    yield remark("grey", lambda d: d.info.is_grey and not all_grey, grey)
    misnamed = [
        f"{path} ({d.format})"
        for path, d in details
        if os.path.splitext(path)[1].lower() not in SUFFIXES_OF.get(d.format, set())
    ]
    yield finding("misnamed", misnamed, "image", "named like another format")


_WHERE = {
    "across_parts": "in more than one split, so scores are too good",
    "across_classes": ACROSS_CLASSES,
    "within_class": "in one class",
}


def _about_duplicates(
    paths: Sequence[str], labels: Sequence[tuple[str, str]], groups: Mapping[str, Groups]
) -> Iterator[Finding]:
    """Groups of identical images: across splits, else across classes, else within a class.

    labels: the split and the class of each file.
    """
    alike = {"exact": "identical images", "near": "nearly the same picture"}
    for how, found in groups.items():
        examples: dict[str, list[tuple[str, ...]]] = {kind: [] for kind in _WHERE}
        for rows in found:
            n_splits, n_classes = (len({labels[i][side] for i in rows}) for side in (0, 1))
            kind = "across_classes" if n_classes > 1 else "within_class"
            kind = "across_parts" if n_splits > 1 else kind
            examples[kind].append(tuple(paths[i] for i in rows))
        for kind, where in _WHERE.items():
            text = f"of {alike[how]} {where}"
            yield finding(f"{how}_duplicates_{kind}", examples[kind], "group", text)
