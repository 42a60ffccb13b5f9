"""Guards around decoders: against output of C libraries, and against slow files."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from softmaxce.errors import ImageError
from softmaxce.images.jpeg_header import refuse_jpeg
from softmaxce.images.signatures import HEAD_BYTES
from softmaxce.images.tiff_header import refuse_tiff

_MAX_PLAIN_BYTES = 4 * 2**20  # half a second in Pillow, which reads plain PPM in Python
_MAX_RLE_PIXELS = 2**22  # a quarter of a second in Pillow, which reads run lengths in Python
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
