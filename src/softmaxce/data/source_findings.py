"""What is worth knowing about a source: `check` lists it; `train` and `evaluate` mention some."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from softmaxce.class_names import look_alike_key
from softmaxce.data.class_folders import SYSTEM_FOLDERS, ClassFolder, is_hidden, is_image_name
from softmaxce.data.duplicates import exact_groups
from softmaxce.errors import first_and_more

PROBLEMS = {"one_class", "empty_class", "unknown_class", "unreadable", "look_alike_classes"} | {
    "groups_across_parts",
    "exact_duplicates_across_parts",
    "exact_duplicates_across_classes",
    "near_duplicates_across_classes",
}
ACROSS_CLASSES = "in more than one class, so a label is wrong"
_N_SHOWN = 3


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

    def __str__(self) -> str:
        groups = ((e,) if isinstance(e, str) else e for e in self.examples[:_N_SHOWN])
        shown = [first_and_more(group, _N_SHOWN, " = ") for group in groups]
        more = f" and {self.count - len(shown):,} more" if self.count > len(shown) else ""
        return f"{self.count:,} {self.text}: {'; '.join(shown)}{more}"


def finding(kind: str, examples: Sequence[str | tuple[str, ...]], noun: str, rest: str) -> Finding:
    """A finding, which counts if it has examples. Its text is the noun (given in the singular,
    made plural if needed) and the rest."""
    if len(examples) > 1:
        noun += "es" if noun.endswith("s") else "s"
    return Finding(kind, kind in PROBLEMS, len(examples), f"{noun} {rest}", tuple(examples))


def with_examples(*findings: Finding) -> tuple[Finding, ...]:
    """The findings that count."""
    return tuple(found for found in findings if found.examples)


def about_names(names: Sequence[str]) -> tuple[Finding, ...]:
    """Classes that are probably one, written in several ways, and a class that probably means
    "no label"."""
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(look_alike_key(name), []).append(f"'{name}'")
    groups = [tuple(names) for names in alike.values() if len(names) > 1]
    text = "of classes whose names look alike"
    unlabelled = ["-1"] if {"-1", "0"} <= {*names} else []
    often = "that often means 'no label' (leave out images without one)"
    return with_examples(
        finding("look_alike_classes", groups, "group", text),
        finding("unlabelled_class", unlabelled, "class", often),
    )


def about_folders(root: Path, classes: Sequence[ClassFolder]) -> tuple[Finding, ...]:
    """What is ignored in `root` and in its class folders."""
    system = [path for c in classes for path in c.system_folders]
    loose: list[str] = []
    for entry in os.scandir(root):
        if entry.name.lower() in SYSTEM_FOLDERS and os.path.isdir(entry.path):
            system.append(entry.path)
        elif is_image_name(entry.name) and not is_hidden(entry.name):
            loose.append(entry.path)
    return with_examples(
        finding("system_folder", sorted(system), "system folder", "ignored"),
        finding("loose_image", sorted(loose), "image", "ignored: not in a class folder"),
    )


def about_copies(
    digests: NDArray[np.uint64], labels: NDArray[np.int64], paths: Sequence[str]
) -> tuple[Finding, ...]:
    """Images in more than one class, found by their digests (n_images, 2)."""
    groups = (rows.tolist() for rows in exact_groups(digests))
    mixed = [tuple(paths[r] for r in rows) for rows in groups if len({*labels[rows].tolist()}) > 1]
    text = f"of identical images {ACROSS_CLASSES}"
    return with_examples(finding("exact_duplicates_across_classes", mixed, "group", text))
