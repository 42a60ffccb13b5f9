"""Copies of training images among the images scored, in words and as JSON."""

from __future__ import annotations

from typing import Any

from softmaxce.views.wording import percent
from softmaxce.workflows.overlap import Overlap


def overlap_line(part: str, found: Overlap) -> str:
    """One line on the copies, the first of them, and the accuracy without them."""
    rest = "no other image is left to judge by"
    if found.accuracy_without is not None:
        rest = f"without them the accuracy is {percent(found.accuracy_without)}"
    return (
        f"Warning: {found.n_copies:,} of the {found.n_images:,} {part} images are also among those "
        f"trained on, such as {found.paths[0]}; {rest}."
    )


def overlap_json(found: Overlap | None) -> dict[str, Any] | None:
    """The copies, and the accuracy without them."""
    if found is None:
        return None
    return {
        "n_copies": found.n_copies,
        "accuracy_without": found.accuracy_without,
        "paths": found.paths,
    }
