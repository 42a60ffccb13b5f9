"""Image files written byte by byte, with pixels that are known without any decoder."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


def chunk(name: bytes, content: bytes) -> bytes:
    """One chunk of a PNG file."""
    checksum = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + checksum


def png(
    samples: NDArray[np.integer],
    colour_type: int,
    depth: int,
    *,
    interlaced: bool = False,
    filters: tuple[int, ...] = (0,),
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """A PNG of `samples` (height, width, samples per pixel), each below 2**depth.

    `filters` are used for one line after the other; `before` and `after` are chunks around the
    pixels. Source: PNG Specification, W3C 2003.
    """
    height, width = samples.shape[:2]
    header = struct.pack(">2I5B", width, height, depth, colour_type, 0, 0, interlaced)
    images = [samples]
    if interlaced:
        images = [samples[y::down, x::right] for x, y, right, down in ADAM7]
    scanlines = b"".join(_scanlines(image, depth, filters) for image in images if image.size)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            before,
            chunk(b"IDAT", zlib.compress(scanlines)),
            after,
            chunk(b"IEND", b""),
        )
    )


def _scanlines(samples: NDArray[np.integer], depth: int, filters: tuple[int, ...]) -> bytes:
    n_samples = samples.shape[2]
    step = max(1, n_samples * depth // 8)
    lines, above = [], None
    for y, row in enumerate(samples):
        packed = _packed(row.reshape(-1), depth)
        above = above if above is not None else bytes(len(packed))
        kind = filters[y % len(filters)]
        lines.append(bytes([kind]) + _filtered(kind, packed, above, step))
        above = packed
    return b"".join(lines)


def _packed(values: NDArray[np.integer], depth: int) -> bytes:
    if depth == 16:
        return values.astype(">u2").tobytes()
    bits = "".join(format(int(value), f"0{depth}b") for value in values)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


def _filtered(kind: int, line: bytes, above: bytes, step: int) -> bytes:
    out = bytearray()
    for i, value in enumerate(line):
        left = line[i - step] if i >= step else 0
        corner = above[i - step] if i >= step else 0
        up = above[i]
        predicted = (0, left, up, (left + up) // 2, _paeth(left, up, corner))[kind]
        out.append((value - predicted) % 256)
    return bytes(out)


def _paeth(left: int, up: int, corner: int) -> int:
    estimate = left + up - corner
    return min((left, up, corner), key=lambda value: abs(estimate - value))
