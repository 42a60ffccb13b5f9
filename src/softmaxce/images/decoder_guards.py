"""Guards around decoders: against output of C libraries, and against slow files."""

from __future__ import annotations

import os
import re
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import BinaryIO

from softmaxce.errors import ImageError
from softmaxce.images.jpeg_header import refuse_jpeg
from softmaxce.images.signatures import HEAD_BYTES
from softmaxce.images.tiff_header import refuse_tiff

_MAX_PLAIN_BYTES = 4 * 2**20  # half a second in Pillow, which reads plain PPM in Python
_MAX_RLE_PIXELS = 2**22  # a quarter of a second in Pillow, which reads run lengths in Python
_COMMENT = re.compile(rb"#[^\r\n]*")


class _Shared:
    """A context of the whole process, which several threads may be in at once: the first one enters
    it, the last one leaves it."""

    def __init__(self, make: Callable[[], AbstractContextManager[None]]) -> None:
        self._make, self._lock, self._n_inside = make, threading.Lock(), 0
        self._context: AbstractContextManager[None] = nullcontext()

    def __enter__(self) -> None:
        with self._lock:
            if not self._n_inside:
                self._context = self._make()
                self._context.__enter__()
            self._n_inside += 1

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The process as it is outside the context. Meanwhile no thread can enter or leave it."""
        with self._lock:
            if self._n_inside:
                self._context.__exit__(None, None, None)
            try:
                yield
            finally:
                if self._n_inside:
                    self._context = self._make()
                    self._context.__enter__()

    def __exit__(self, *_exception: object) -> None:
        with self._lock:
            self._n_inside -= 1
            if not self._n_inside:
                self._context.__exit__(None, None, None)


@contextmanager
def _without_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _without_stderr() -> Iterator[None]:
    try:
        kept = os.dup(2)
    except OSError:  # stderr is closed
        yield
        return
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


quiet_decoders = _Shared(_without_warnings)
"""Hides the warnings of decoders from the user: what they cannot decode raises an error."""

silenced = _Shared(_without_stderr)
"""Discards what a C library such as libtiff writes directly to file descriptor 2."""


def check_header(name: str, head: bytes, stream: BinaryIO) -> str:
    """Raise ImageError for a file that decoders read wrongly, slowly or only sometimes.

    Returns the layout of a TIFF's pixels in words, "" for other formats. Moves the stream.
    """
    if head.startswith(b"\xff\xd8"):
        refuse_jpeg(name, stream)
    elif head.startswith((b"II", b"MM")):
        return refuse_tiff(name, stream)
    elif head.startswith(b"P") and len(head) == HEAD_BYTES:
        _refuse_slow_ppm(name, head, stream)
    elif head.startswith(b"BM") and head[14:15] >= b"(" and head[30:31] in (b"\1", b"\2"):
        width, height = struct.unpack("<ll", head[18:26])
        if abs(width * height) > _MAX_RLE_PIXELS:
            raise ImageError(name, "it is a large run-length encoded BMP; save it as PNG")
    return ""


def _refuse_slow_ppm(name: str, head: bytes, stream: BinaryIO) -> None:
    if head[1:2] in b"123" and stream.seek(0, os.SEEK_END) > _MAX_PLAIN_BYTES:
        limit = f"{_MAX_PLAIN_BYTES // 2**20} MB"
        raise ImageError(name, f"it is a plain (text) PPM of more than {limit}; save it as PNG")
    n_numbers = 2 if head[1:2] in b"14" else 3
    if len(_COMMENT.sub(b" ", head).split()) <= n_numbers:
        raise ImageError(name, "its header is too long")
