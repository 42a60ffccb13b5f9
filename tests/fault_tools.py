"""What the fault tests share: small models, a process that is measured, and files signed again."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import shutil
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import fork

from softmaxce.layers import Layer
from softmaxce.metrics.conformal import calibration_scores
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.preprocessing import Preprocessing

NAMES = ("cat", "[red]dog\x1b", "사람\udcff")


def make_model(n_hidden: int | None = None, *, seed: int = 0) -> SoftmaxModel:
    """A model of 2 × 2 RGB pictures and three classes with hostile names."""
    random = np.random.default_rng(seed)
    sizes = [12, 3] if n_hidden is None else [12, n_hidden, 3]
    layers = tuple(
        Layer(random.normal(size=(n_in, n_out)), random.normal(size=n_out))
        for n_in, n_out in pairwise(sizes)
    )
    scores = calibration_scores(random.exponential(size=9))
    trained_on = np.arange(5, dtype=np.uint64)
    preprocessing = Preprocessing(2, 2, 3)
    return SoftmaxModel(layers, preprocessing, NAMES, {"l2": 0.001}, 1.5, scores, trained_on)


def signed(content: bytes) -> bytes:
    """`content` of a zip file with a valid checksum as its comment, which anyone can compute."""
    start = content.rindex(b"PK\x05\x06")
    content = content[: start + 20] + struct.pack("<H", 71)
    return content + b"sha256:" + hashlib.sha256(content).hexdigest().encode()


def npy(array: np.ndarray) -> bytes:
    """The array as a .npy file."""
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, (1, 0))
    return stream.getvalue()


def zip_of(members: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of these members in this order, names repeated or not."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, compression)
    return stream.getvalue()


def members_of(content: bytes) -> dict[str, bytes]:
    """The members of a model file, by name with ".npy"."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def header_of(content: bytes) -> dict[str, Any]:
    """The JSON in a model file's header."""
    return json.loads(members_of(content)["header.npy"][128:])


def with_header(content: bytes, header: Any) -> bytes:
    """A model file with another header: bytes, or an object to be written as JSON."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    members = members_of(content)
    members["header.npy"] = npy(np.frombuffer(text, np.uint8))
    return signed(zip_of(list(members.items())))


@dataclass(frozen=True)
class Measured:
    """A call in a process of its own: its result, or error, and what it cost."""

    value: Any
    error: str
    seconds: float  # of processor time, which other processes of the machine do not lengthen
    megabytes: float  # beyond what the process had before


def measured(function: Callable[[], Any]) -> Measured:
    """Call `function` in a forked process."""
    resource = pytest.importorskip("resource")  # not on Windows
    reading, writing = os.pipe()
    child = fork()
    if not child:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        value, error = None, ""
        began = time.process_time()
        try:
            value = function()
        except BaseException as raised:
            error = f"{type(raised).__name__}: {raised}"
        seconds = time.process_time() - began
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with os.fdopen(writing, "wb") as stream:
            pickle.dump((value, error, seconds, (after - before) / 1024), stream)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        content = stream.read()
    _, status = os.waitpid(child, 0)
    if not content:
        return Measured(None, f"ended by itself: status {status}", 0.0, 0.0)
    return Measured(*pickle.loads(content))


def python(code: str, *words: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own, with warnings as errors."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        **{"env": {**os.environ, "OPENBLAS_NUM_THREADS": "1"}, **options},
    )


def strace() -> str | None:
    """The path of strace; None if it is not installed or not allowed to trace."""
    path = shutil.which("strace")
    if path is None:
        return None
    works = subprocess.run([path, "-o", os.devnull, "true"], capture_output=True, check=False)
    return path if works.returncode == 0 else None


def everything_below(folder: Path) -> dict[str, bytes]:
    """Each file below a folder and its content."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
