"""What can go wrong, and the exit code of each.

SoftmaxceError     1  shown as one line: "Error: " and the message
├── DataError         a folder or set of images that cannot be used
├── ImageError        one image that cannot be read
├── ModelError        a model file that is missing, damaged or of another kind
├── OutputError       a result that cannot be written
├── TrainingError     numbers that stopped being finite, or a fit that cannot start
├── InputError     2  a value from the user that is no fitting one
├── GateFailed     3  a quality gate (`--fail-under`) that was missed
└── ClusterLost   75  a cluster that went away: worth another try later (EX_TEMPFAIL of sysexits.h)

A message names the thing, the fault and, where there is one, the remedy.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import ClassVar


class SoftmaxceError(Exception):
    """Base of every error this package raises on purpose."""

    exit_code: ClassVar[int] = 1


class DataError(SoftmaxceError):
    """A folder or a set of images cannot be used."""


class ImageError(SoftmaxceError):
    """One image cannot be read. `path` is the file, `reason` the fault without the file's name."""

    def __init__(self, path: str | PathLike[str], reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class ModelError(SoftmaxceError):
    """A model file is missing, damaged or of another kind."""


class OutputError(SoftmaxceError):
    """A result cannot be written."""


class TrainingError(SoftmaxceError):
    """A fit cannot start, or its numbers stopped being finite."""


class InputError(SoftmaxceError, ValueError):
    """A value given by the user does not fit."""

    exit_code = 2


class GateFailed(SoftmaxceError):
    """A quality gate was missed."""

    exit_code = 3


class ClusterLost(SoftmaxceError):
    """The cluster cannot be reached, or has no worker left."""

    exit_code = 75


def first_few(items: Sequence[str], separator: str = ", ", n_shown: int = 10) -> str:
    """The items in one line, of many only the first: "a, b and 3 more"."""
    shown = separator.join(items[:n_shown])
    n_left = len(items) - n_shown
    return f"{shown}{separator.rstrip(' ,')} and {n_left:,} more" if n_left > 0 else shown
