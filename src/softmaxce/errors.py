"""All errors of the package.

A message says what failed, for which file or value, and why; then how to fix it, if known. The
program prints it as one line after "Error: " and exits with `exit_code`.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import ClassVar


class SoftmaxceError(Exception):
    """Base class of all errors that this package raises on purpose."""

    exit_code: ClassVar[int] = 1


class DataError(SoftmaxceError):
    """A folder or a set of images cannot be used."""


class ImageError(SoftmaxceError):
    """One image cannot be read. path: the file; reason: what is wrong, without the file name."""

    def __init__(self, path: str | PathLike[str], reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class ModelError(SoftmaxceError):
    """A model file is missing, damaged or in another format."""


class OutputError(SoftmaxceError):
    """A result cannot be written."""


class TrainingError(SoftmaxceError):
    """A fit cannot start, or diverged."""


class AlreadyTrained(SoftmaxceError):
    """There is nothing to resume: an earlier run has finished and saved its model."""

    exit_code = 0


class InputError(SoftmaxceError, ValueError):
    """An argument has an invalid value."""

    exit_code = 2


class GateFailed(SoftmaxceError):
    """A metric missed a bound of `--fail-under`."""

    exit_code = 3


class ClusterLost(SoftmaxceError):
    """The cluster cannot be reached or has no workers left."""

    exit_code = 75  # EX_TEMPFAIL of sysexits.h: try again later


def first_and_more(items: Sequence[str], n: int = 10, separator: str = ", ") -> str:
    """The first n items, and how many more there are: 'a, b and 7 more'."""
    n_left = len(items) - n
    return separator.join(items[:n]) + (f" and {n_left:,} more" if n_left > 0 else "")
