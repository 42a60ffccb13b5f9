"""Checkpoints of a long fit, from which it can be resumed to end with the same numbers.

A linear fit is a fixed sequence of evaluations of its objective. An AnswerLog stores the answers. A
fit that is started again evaluates at the same parameters, and is given the stored answers until
they run out. A network has too many batches for that: a Snapshot stores its solver's state now and
then.

Both files begin with a line of JSON, which identifies the fit, followed by records:

    48 bytes     "answer\\n\\0", length of the arrays, digest of the question, checksum
    arrays       one after another, in NumPy's .npy format

A question is the parameters at which the objective was evaluated; a snapshot's digest is zero.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from softmaxce.atomic_files import write_atomically
from softmaxce.errors import DataError, OutputError

FORMAT = "softmaxce checkpoint 2"
MAX_BYTES = 2**31  # a log ends at this size, and later answers are computed again
_HEAD = struct.Struct("<8sQ16s16s")
_MAGIC = b"answer\n\0"
_MAX_LINE = 2**16
_SNAPSHOT = bytes(16)
_SECONDS_BETWEEN_SNAPSHOTS = 10.0
_SNAPSHOT_TIME = 0.01  # largest fraction of the time that is spent writing snapshots

Arrays = Sequence[NDArray[Any]]
Fingerprint = Mapping[str, Mapping[str, str]]
Function = Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64]]]


class Checkpoint:
    """A checkpoint file, which is created with its first record.

    fingerprint: what the fit depends on, as groups of names and values; resume: continue from the
    file of an earlier run. Raises DataError if there is none, or if it belongs to another fit.
    """

    def __init__(self, path: str, fingerprint: Fingerprint, resume: bool = False) -> None:
        self.path = path
        line = json.dumps({"format": FORMAT, "facts": fingerprint})
        self._first_line = line.encode("ascii") + b"\n"
        self._can_write = True
        self._stream: BinaryIO | None = self._open(fingerprint) if resume else None

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

    def remove(self) -> None:
        """Remove the file, because the fit has finished."""
        self.close()
        with suppress(OSError):
            os.unlink(self.path)

    def _open(self, fingerprint: Fingerprint) -> BinaryIO:
        """The file, positioned after its first line."""
        try:
            stream = open(self.path, "r+b", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise DataError(
                f"nothing to resume: {self.path}: {error.strerror}; leave --resume out"
            ) from None
        fault = _fault_of(stream.readline(_MAX_LINE), fingerprint)
        if fault:
            stream.close()
            raise DataError(
                f"cannot resume: {self.path}: {fault} leave --resume out to start again"
            )
        return stream


class AnswerLog(Checkpoint):
    """The answers of an objective, in the order in which they were computed.

    Records are only appended, so a killed process loses at most the last one, whose checksum shows
    it. After an answer to another question than the one asked, no stored answer is used.
    """

    def __init__(self, path: str, fingerprint: Fingerprint, resume: bool = False) -> None:
        super().__init__(path, fingerprint, resume)
        self._is_replaying = resume

    def logged(self, function: Function) -> Function:
        """`function`, whose answers (value, gradient) are stored, or taken from the file."""

        def answer(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            question = hashlib.blake2b(parameters.tobytes(), digest_size=16).digest()
            stored = self._replay(question)
            if stored is not None:
                return float(stored[0]), stored[1]
            value, gradient = function(parameters)
            self._append(_record(question, [np.asarray(value), gradient]))
            return value, gradient

        return answer

    def _replay(self, question: bytes) -> Arrays | None:
        """The next answer in the file, if it is the one to this question."""
        if not self._is_replaying or self._stream is None:
            return None
        start = self._stream.tell()
        with suppress(OSError, ValueError):
            stored, arrays = _read_record(self._stream)
            if stored == question:
                return arrays
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
                self._stream = open(self.path, "wb", buffering=0)  # noqa: SIM115
                record = self._first_line + record
            if self._stream.tell() + len(record) > MAX_BYTES:
                raise OSError("the log is full")
            left = memoryview(record)
            while left:
                left = left[self._stream.write(left) :]
        except OSError:
            self._can_write = False


class Snapshot(Checkpoint):
    """The latest state of a solver, as arrays. stored: those of an earlier run, None without."""

    def __init__(self, path: str, fingerprint: Fingerprint, resume: bool = False) -> None:
        super().__init__(path, fingerprint, resume)
        self.stored: Arrays | None = None
        self._pending: Arrays | None = None
        self._next_write = time.monotonic() + _SECONDS_BETWEEN_SNAPSHOTS
        if self._stream is not None:
            with self._stream, suppress(OSError, ValueError):
                self.stored = _read_record(self._stream)[1]

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
        if self._pending is not None and self._can_write:
            try:
                write_atomically(self.path, [self._first_line, _record(_SNAPSHOT, self._pending)])
            except OutputError:
                self._can_write = False
            self._pending = None
        return super().keep()


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


def _record(question: bytes, arrays: Arrays) -> bytes:
    stream = BytesIO()
    for array in arrays:
        np.save(stream, array, allow_pickle=False)
    content = stream.getvalue()
    checksum = hashlib.blake2b(question + content, digest_size=16).digest()
    return _HEAD.pack(_MAGIC, len(content), question, checksum) + content


def _read_record(stream: BinaryIO) -> tuple[bytes, Arrays]:
    """The question and the arrays of the record that starts here. Raises ValueError."""
    head = stream.read(_HEAD.size)
    if len(head) != _HEAD.size:
        raise ValueError("the file ends")
    magic, n_bytes, question, checksum = _HEAD.unpack(head)
    if magic != _MAGIC or os.fstat(stream.fileno()).st_size < stream.tell() + n_bytes:
        raise ValueError("a record is cut off")
    content = stream.read(n_bytes)
    if hashlib.blake2b(question + content, digest_size=16).digest() != checksum:
        raise ValueError("a record is damaged")
    arrays, rest = [], BytesIO(content)
    while rest.tell() < n_bytes:
        arrays.append(np.load(rest, allow_pickle=False))
    return question, arrays
