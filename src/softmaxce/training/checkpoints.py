"""Checkpoints of a long fit, from which it can be resumed to end with the same numbers.

A linear fit is a fixed sequence of evaluations of its objective. An AnswerLog stores the answers. A
fit that is started again evaluates at the same parameters, and is given the stored answers until
they run out. A network has too many batches for that: a Snapshot stores its solver's state now and
then.

Both files begin with a line of JSON, which identifies the fit. Each answer in a log consists of a
digest (16 bytes) of the question and the answer, the gradient and the objective (float64). The
question is the parameters. In a snapshot, a digest and an .npz file follow.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from softmaxce.atomic_files import write_atomically
from softmaxce.errors import DataError, OutputError
from softmaxce.training.full_batch import ValueAndGradient
from softmaxce.training.objective import Floats

FORMAT = "softmaxce checkpoint 3"
MAX_BYTES = 2**31 - 2**16  # a log ends at this size, and later answers are computed again
_MAX_LINE = 2**16
_DIGEST_BYTES = 16
_SECONDS_BETWEEN_SNAPSHOTS = 10.0
_SNAPSHOT_TIME = 0.01  # largest fraction of the time that is spent writing snapshots

Arrays = Sequence[NDArray[Any]]
Fingerprint = Mapping[str, Mapping[str, str]]


class Checkpoint:
    """A checkpoint file, which is created with the first thing to store.

    fingerprint: what the fit depends on, as groups of names and values; resume: continue from the
    file of an earlier run. Raises DataError if there is none, or if it belongs to another fit, and
    OutputError if the path is that of a link or anything else that is not a regular file.
    """

    def __init__(self, path: str, fingerprint: Fingerprint, resume: bool = False) -> None:
        self.path = path
        line = json.dumps({"format": FORMAT, "facts": fingerprint})
        self._first_line = line.encode("ascii") + b"\n"
        self._stream: BinaryIO | None = None
        if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
            raise OutputError(f"cannot keep a checkpoint: {path}: not a regular file; remove it")
        if not resume:
            return
        try:
            self._stream = open(path, "r+b", buffering=0, opener=_open_no_link)  # noqa: SIM115
        except OSError as error:
            raise DataError(
                f"nothing to resume: {path}: {error.strerror}; leave --resume out"
            ) from None
        fault = _fault_of(self._stream.readline(_MAX_LINE), fingerprint)
        if fault:
            self._stream.close()
            raise DataError(f"cannot resume: {path}: {fault} leave --resume out to start again")

    def keep(self) -> bool:
        """Write what is not written yet. Returns whether there is something to resume from."""
        try:  # a file that was created but not yet written holds nothing
            return os.path.getsize(self.path) >= len(self._first_line)
        except OSError:
            return False

    def close(self) -> None:
        """Close the file without removing it."""
        if self._stream is not None:
            self._stream.close()


class AnswerLog(Checkpoint):
    """The answers of an objective, in the order in which they were computed.

    They are only appended, so a killed process loses at most the last one, whose digest shows it.
    After an answer to another question than the one asked, no stored answer is used.
    """

    _is_replaying = _can_write = True

    def logged(self, function: ValueAndGradient) -> ValueAndGradient:
        """`function`, whose answers (value, gradient) are stored, or taken from the file."""

        def value_and_gradient(parameters: Floats) -> tuple[float, Floats]:
            answer = self._replayed(parameters)
            if answer is None:
                value, gradient = function(parameters)
                answer = np.append(gradient, value)
                self._append(_digest(parameters, answer) + answer.tobytes())
            return float(answer[-1]), answer[:-1].reshape(parameters.shape)

        return value_and_gradient

    def _replayed(self, parameters: Floats) -> Floats | None:
        """The next answer in the file, if it is the one to this question."""
        if self._stream is None or not self._is_replaying:
            return None
        start = self._stream.tell()
        with suppress(OSError):
            digest = self._stream.read(_DIGEST_BYTES)
            answer = np.fromfile(self._stream, np.float64, parameters.size + 1)
            if digest == _digest(parameters, answer):
                return answer
        self._is_replaying = False
        with suppress(OSError):
            self._stream.truncate(start)
            self._stream.seek(start)
        return None

    def _append(self, record: bytes) -> None:
        """Write a record. If that fails, the fit continues without a log."""
        if not self._can_write:
            return
        try:
            if self._stream is None:
                with suppress(FileNotFoundError):
                    os.unlink(self.path)
                self._stream = open(self.path, "xb", buffering=0)  # noqa: SIM115
                self._is_replaying = False
                record = self._first_line + record
            is_full = self._stream.tell() + len(record) > MAX_BYTES
            self._can_write = not is_full and self._stream.write(record) == len(record)
        except OSError:
            self._can_write = False


class Snapshot(Checkpoint):
    """The latest state of a solver, as arrays. stored: those of an earlier run, None without."""

    def __init__(self, path: str, fingerprint: Fingerprint, resume: bool = False) -> None:
        super().__init__(path, fingerprint, resume)
        self.stored: Arrays | None = None
        self._pending: Arrays = ()
        self._next_write = time.monotonic() + _SECONDS_BETWEEN_SNAPSHOTS
        if self._stream is not None:
            with self._stream:
                digest, content = self._stream.read(_DIGEST_BYTES), self._stream.read()
            if digest == _digest(content):
                with np.load(BytesIO(content), allow_pickle=False) as file:
                    self.stored = list(file.values())

    def save(self, arrays: Arrays) -> None:
        """Keep a copy of `arrays`, and write it to the file from time to time."""
        self._pending = [array.copy() for array in arrays]
        began = time.monotonic()
        if began >= self._next_write:
            self.keep()
            now = time.monotonic()
            self._next_write = now + max(_SECONDS_BETWEEN_SNAPSHOTS, (now - began) / _SNAPSHOT_TIME)

    def keep(self) -> bool:
        """Write the last state. Returns whether there is something to resume from."""
        if self._pending:
            stream = BytesIO()
            np.savez(stream, *self._pending)
            content = stream.getvalue()
            with suppress(OutputError):
                chunks = (self._first_line, _digest(content), content)
                write_atomically(self.path, chunks, follow_link=False)
            self._pending = ()
        return super().keep()


def _open_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0))


def _fault_of(line: bytes, fingerprint: Fingerprint) -> str | None:
    """Why a file with this first line cannot be resumed, as the start of a sentence, or None."""
    try:
        stored = json.loads(line)
        if stored["format"] != FORMAT:
            raise ValueError("another format")
        for group, values in fingerprint.items():
            for name, value in values.items():
                old = stored["facts"][group].get(name)
                if old != value:
                    now = f"{group}: {name} was {old} and is {value} now"
                    return f"{now}; repeat the interrupted command, or"
    except (ValueError, KeyError, TypeError, AttributeError):
        return "it is empty, damaged or not a checkpoint;"
    return None


def _digest(*contents: bytes | NDArray[Any]) -> bytes:
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for content in contents:
        digest.update(content if isinstance(content, bytes) else content.tobytes())
    return digest.digest()
