"""Image files written byte by byte, with pixels that are known without any decoder."""

from __future__ import annotations

import struct
import zlib
from itertools import product

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


def tiff(
    samples: NDArray[np.generic],
    photometric: int,
    depth: int,
    *,
    order: str = "<",
    planar: int = 1,
    sample_format: int = 1,
    extra: tuple[int, ...] = (),
    is_packed: bool = False,
    tile: int | None = None,
    more: dict[int, list[int]] | None = None,
) -> bytes:
    """A TIFF of `samples` (height, width, samples per pixel) in strips of two rows, or in tiles.

    order: "<" or ">"; planar: 2 stores one channel after another; sample_format: 1 unsigned,
    2 signed, 3 floating point; is_packed: deflated; more: further tags, of 16-bit integers.
    Source: TIFF, Revision 6.0, Adobe 1992.
    """
    height, width, n_samples = samples.shape
    kind = f"{order}{'uif'[sample_format - 1]}{depth // 8}"
    n_rows, n_columns = (tile, tile) if tile else (2, width)
    if tile:
        samples = np.pad(samples, [(0, -height % tile), (0, -width % tile), (0, 0)])
    blocks = []
    for plane in [samples] if planar == 1 else np.split(samples, n_samples, axis=2):
        for y, x in product(range(0, len(plane), n_rows), range(0, plane.shape[1], n_columns)):
            lines = plane[y : y + n_rows, x : x + n_columns].reshape(len(plane[y : y + n_rows]), -1)
            raw = lines.astype(kind).tobytes() if depth % 8 == 0 else b""
            raw = raw or b"".join(_packed(line, depth) for line in lines)
            blocks.append(zlib.compress(raw) if is_packed else raw)
    tags = {256: [width], 257: [height], 258: [depth] * n_samples, 259: [8 if is_packed else 1]}
    tags |= {262: [photometric], 277: [n_samples], 284: [planar], 339: [sample_format] * n_samples}
    tags |= {322: [tile], 323: [tile]} if tile else {278: [n_rows]}
    tags |= {338: list(extra)} if extra else {}
    tags |= more or {}
    offsets, counts = (324, 325) if tile else (273, 279)
    tags |= {offsets: [0] * len(blocks), counts: [len(block) for block in blocks]}
    return _with_directory(tags, offsets, blocks, order)


def _with_directory(
    tags: dict[int, list[int]], offsets: int, blocks: list[bytes], order: str
) -> bytes:
    """A TIFF of 32-bit tags, with each block of pixels at an even offset."""
    values_at = 8 + 2 + 12 * len(tags) + 4
    at = values_at + sum(4 * len(values) for values in tags.values() if len(values) > 1)
    tags[offsets] = [at := at + len(block) + len(block) % 2 for block in [b"", *blocks[:-1]]]
    entries, data = b"", b""
    for tag in sorted(tags):
        values = struct.pack(f"{order}{len(tags[tag])}I", *tags[tag])
        place = struct.pack(order + "I", values_at + len(data))
        entries += struct.pack(order + "HHI", tag, 4, len(tags[tag]))
        entries += values if len(values) == 4 else place
        data += values if len(values) > 4 else b""
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HIH", 42, 8, len(tags))
    pixels = b"".join(block + bytes(len(block) % 2) for block in blocks)
    return head + entries + bytes(4) + data + pixels
