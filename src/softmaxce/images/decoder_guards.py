"""Guards around decoders: against output of C libraries, and against slow files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

PPM_HEADER_BYTES = 4096
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


def ppm_fault(head: bytes, n_bytes: int) -> str | None:
    """Why a file of the PPM family would be slow to read; None if it would not, or is not PPM.

    head: its first PPM_HEADER_BYTES; n_bytes: the length of the file.
    """
    if not head.startswith(b"P") or n_bytes <= PPM_HEADER_BYTES:
        return None
    if head[1:2] in b"123" and n_bytes > _MAX_PLAIN_BYTES:
        return (
            f"it is a plain (text) PPM of more than {_MAX_PLAIN_BYTES // 2**20} MB; save it as PNG"
        )
    n_numbers = 2 if head[1:2] in b"14" else 3
    if len(_COMMENT.sub(b" ", head).split()) <= n_numbers:
        return "its header is too long"
    return None
