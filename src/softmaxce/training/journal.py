"""What a costly fit was answered so far, kept in a file, so that it can be taken up again.

A fit is a fixed sequence of questions to an objective. The journal writes every answer down. A
fit that is started again asks the same questions, and is given the answers from the journal until
they run out; so it ends with the very numbers of a fit that was never interrupted. A solver whose
answers are too many leaves a snapshot of its state instead, now and then.

The file is a line of JSON that says of what the fit is, and then records:

    48 bytes     "answer\\n\\0", lengths of the next two, digest of the question, checksum
    JSON         dtype, shape and order of each array
    bytes        the arrays

Records are only appended: a process that is killed loses at most the last one, which is known by
its checksum. An answer to another question than the one asked is not used, nor any behind it.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from softmaxce.atomic_files import write_atomically
from softmaxce.errors import DataError, OutputError

FORMAT = "softmaxce checkpoint 1"
MAX_BYTES = 2**31  # a longer journal ends here; what comes after is asked anew
_HEAD = struct.Struct("<8sLL16s16s")
_MAGIC = b"answer\n\0"
_MAX_LINE = 2**16
_SECONDS_BETWEEN_SNAPSHOTS = 10.0
_SHARE_OF_TIME = 0.01  # that snapshots may take

Arrays = Sequence[NDArray[Any]]
Facts = Mapping[str, Mapping[str, str]]
Function = Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64]]]


class Journal:
    """The answers of one fit, in the file `path`, which is made with the first of them.

    facts: what the fit depends on, in groups of names and values. `resume` opens the journal of
    an earlier run; it raises DataError where there is none, or where it is of another fit.
    """

    def __init__(self, path: str, facts: Facts, resume: bool = False) -> None:
        self.path = path
        self._facts = facts
        self._stream: BinaryIO | None = None
        self._may_write = True
        self._replays = False
        self._pending: Arrays | None = None
        self._next_snapshot = time.monotonic() + _SECONDS_BETWEEN_SNAPSHOTS
        if resume:
            self._open()
            self._replays = True

    def recorded(self, function: Function) -> Function:
        """`function`, whose answers (value, gradient) are written down, or known already."""

        def ask(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            question = hashlib.blake2b(parameters.tobytes(), digest_size=16).digest()
            known = self._known(question)
            if known is not None:
                value, gradient = known
                return float(value), gradient
            answer = function(parameters)
            self._append(_record(question, [np.asarray(answer[0]), answer[1]]))
            return answer

        return ask

    def latest(self) -> Arrays | None:
        """The arrays of the snapshot that an earlier run left, None where there is none."""
        return self._known(bytes(16))

    def snapshot(self, arrays: Arrays) -> None:
        """Keep a copy of `arrays`, and write it to the file now and then."""
        self._pending = [array.copy() for array in arrays]
        if time.monotonic() >= self._next_snapshot:
            began = time.monotonic()
            self.keep()
            now = time.monotonic()
            wait = max(_SECONDS_BETWEEN_SNAPSHOTS, (now - began) / _SHARE_OF_TIME)
            self._next_snapshot = now + wait

    def keep(self) -> bool:
        """Write what is not written yet. Returns whether there is a file to go on from."""
        if self._pending is not None and self._may_write:
            try:
                write_atomically(self.path, [self._first_line(), _record(bytes(16), self._pending)])
            except OutputError:
                self._may_write = False
            self._pending = None
        try:  # interrupted as soon as it was made, the file may hold nothing yet
            return os.path.getsize(self.path) >= len(self._first_line())
        except OSError:
            return False

    def close(self) -> None:
        """Close the file, which stays."""
        if self._stream is not None:
            self._stream.close()

    def remove(self) -> None:
        """The fit is done: nothing is left to go on from."""
        self.close()
        with suppress(OSError):
            os.unlink(self.path)

    def _open(self) -> None:
        try:
            self._stream = open(self.path, "r+b", buffering=0)  # noqa: SIM115
            line, end, _ = self._stream.read(_MAX_LINE).partition(b"\n")
            if not end and len(line) < _MAX_LINE:
                raise FileNotFoundError  # killed before it wrote anything
            self._stream.seek(len(line) + 1)
            stored = json.loads(line)
            if stored["format"] != FORMAT:
                raise ValueError("another format")
            difference = _difference(stored["facts"], self._facts)
        except FileNotFoundError:
            self.close()
            raise DataError(
                f"nothing to resume: {self.path}: no such file, or nothing in it; "
                "leave --resume out"
            ) from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            self.close()
            raise DataError(
                f"cannot resume: {self.path}: it is no checkpoint, or a damaged one; "
                "leave --resume out to start anew"
            ) from error
        if difference:
            self.close()
            raise DataError(
                f"cannot resume: {self.path}: {difference}; repeat the interrupted command, or "
                "leave --resume out to start anew"
            )

    def _first_line(self) -> bytes:
        return json.dumps({"format": FORMAT, "facts": self._facts}).encode("ascii") + b"\n"

    def _known(self, question: bytes) -> Arrays | None:
        """The next answer in the file, if it is the one to this question."""
        if not self._replays or self._stream is None:
            return None
        start = self._stream.tell()
        with suppress(OSError, ValueError):
            stored, arrays = _read_record(self._stream)
            if stored == question:
                return arrays
        self._replays = False
        with suppress(OSError):
            self._stream.truncate(start)
            self._stream.seek(start)
        return None

    def _append(self, record: bytes) -> None:
        """Write a record. Where that fails the journal ends: the fit matters more."""
        if not self._may_write:
            return
        try:
            if self._stream is None:
                self._stream = open(self.path, "wb", buffering=0)  # noqa: SIM115
                record = self._first_line() + record
            if self._stream.tell() + len(record) > MAX_BYTES:
                raise OSError("the journal is long enough")
            left = memoryview(record)
            while left:
                left = left[self._stream.write(left) :]
        except OSError:
            self._may_write = False


def _difference(stored: Facts, facts: Facts) -> str | None:
    """The first fact that is another now, in words; None where there is none."""
    for group, values in facts.items():
        for name, value in values.items():
            old = stored[group].get(name)
            if old != value:
                return f"{group}: {name} was {old} and is {value} now"
    return None


def _record(question: bytes, arrays: Arrays) -> bytes:
    forms = [[a.dtype.str, a.shape, "F" if a.flags.fnc else "C"] for a in map(np.asarray, arrays)]
    form = json.dumps(forms).encode("ascii")
    values = b"".join(np.asarray(a).tobytes("A") for a in arrays)
    checksum = hashlib.blake2b(question + form + values, digest_size=16).digest()
    return _HEAD.pack(_MAGIC, len(form), len(values), question, checksum) + form + values


def _read_record(stream: BinaryIO) -> tuple[bytes, Arrays]:
    """The question and the arrays of the record that starts here. Raises ValueError."""
    head = stream.read(_HEAD.size)
    if len(head) != _HEAD.size:
        raise ValueError("the journal ends")
    magic, n_form, n_values, question, checksum = _HEAD.unpack(head)
    start = stream.tell()
    if magic != _MAGIC or stream.seek(0, os.SEEK_END) < start + n_form + n_values:
        raise ValueError("a record is cut off")
    stream.seek(start)
    form, values = stream.read(n_form), stream.read(n_values)
    if hashlib.blake2b(question + form + values, digest_size=16).digest() != checksum:
        raise ValueError("a record is damaged")
    arrays, place = [], 0
    for dtype, shape, order in json.loads(form):
        array = np.frombuffer(values, dtype, int(np.prod(shape)), place).reshape(shape, order=order)
        arrays.append(array.copy("A"))
        place += array.nbytes
    return question, arrays
