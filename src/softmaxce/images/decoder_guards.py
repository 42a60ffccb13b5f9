"""Guards around decoders: against output of C libraries, and against slow files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from softmaxce.errors import ImageError

_PPM_HEADER_BYTES = 4096
_MAX_PLAIN_BYTES = 4 * 2**20  # half a second in Pillow, which reads plain PPM in Python
_COMMENT = re.compile(rb"#[^\r\n]*")


@contextmanager
def silenced() -> Iterator[None]:
    """Discard what a C library such as libtiff writes directly to file descriptor 2."""
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


def refuse_slow_ppm(name: str, stream: BinaryIO) -> None:
    """Raise ImageError for a file of the PPM family that Pillow would read slowly."""
    head, n_bytes = stream.read(_PPM_HEADER_BYTES), stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if not head.startswith(b"P") or n_bytes <= _PPM_HEADER_BYTES:
        return
    if head[1:2] in b"123" and n_bytes > _MAX_PLAIN_BYTES:
        limit = f"{_MAX_PLAIN_BYTES // 2**20} MB"
        raise ImageError(name, f"it is a plain (text) PPM of more than {limit}; save it as PNG")
    n_numbers = 2 if head[1:2] in b"14" else 3
    if len(_COMMENT.sub(b" ", head).split()) <= n_numbers:
        raise ImageError(name, "its header is too long")
