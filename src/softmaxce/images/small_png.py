"""Plain small PNG files without Pillow: the same pixels, in less than half the time.

Data sets such as MNIST have tens of thousands of tiny files, where opening an image costs far more
than decoding its pixels. This reads only the plainest of them: 8-bit grey or RGB, not interlaced,
one IDAT chunk between header and end, correct checksums, no extra bytes. Pillow reads the rest.

Source: Portable Network Graphics (PNG) Specification, W3C 2003, sections 5 and 9.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MAX_SIDE = 64
_START = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_COLOUR_TYPES = {1: 0, 3: 2}


def plain_size(content: bytes) -> tuple[int, int, int] | None:
    """(width, height, channels) of a file that has only a header, one IDAT chunk and an end, in
    8-bit grey or RGB; None for any other. The pixels are not checked."""
    if not (content.startswith(_START) and content.endswith(_END) and content[37:41] == b"IDAT"):
        return None
    width, height, *layout = struct.unpack(">2I5B", content[16:29])
    is_whole = int.from_bytes(content[33:37], "big") == len(content) - 57
    is_valid = zlib.crc32(content[12:29]) == int.from_bytes(content[29:33], "big")
    found = {(8, colour, 0, 0, 0): channels for channels, colour in _COLOUR_TYPES.items()}
    channels = found.get(tuple(layout))
    is_small = 0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE
    return (width, height, channels) if channels and is_whole and is_valid and is_small else None


class SmallPng:
    """Reads plain PNG files of one size. channels: 1 (grey) or 3 (RGB)."""

    def __init__(self, width: int, height: int, channels: int) -> None:
        header = struct.pack(">2I5B", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
        checksum = struct.pack(">I", zlib.crc32(b"IHDR" + header))
        self._prefix = _START + header + checksum
        self._shape = (height, 1 + width * channels)
        self._n_bytes = height * (1 + width * channels)
        self._channels = channels

    def inflate(self, content: bytes) -> bytes | None:
        """The filtered scanlines of a file, or None if Pillow must read it."""
        if not content.startswith(self._prefix) or not content.endswith(_END):
            return None
        # prefix (33 bytes), then length (4), "IDAT" (4), data, checksum (4), then the end (12)
        if content[33:41] != struct.pack(">I4s", max(0, len(content) - 57), b"IDAT"):
            return None
        if zlib.crc32(content[37:-16]) != int.from_bytes(content[-16:-12], "big"):
            return None
        inflater = zlib.decompressobj()
        try:
            scanlines = inflater.decompress(content[41:-16], self._n_bytes + 1)
        except zlib.error:
            return None
        if len(scanlines) != self._n_bytes or not inflater.eof or inflater.unused_data:
            return None
        unknown_filters = scanlines[:: self._shape[1]].strip(b"\0\1\2\3\4")
        return None if unknown_filters else scanlines

    def pixels(self, scanlines: Sequence[bytes]) -> NDArray[np.uint8]:
        """(n_images, n_pixels) from the scanlines that `inflate` returned for each image.

        All images are unfiltered together, line by line.
        """
        rows = np.frombuffer(b"".join(scanlines), np.uint8).reshape(-1, *self._shape)
        filters, pixels = rows[:, :, 0], rows[:, :, 1:].copy()
        above = np.zeros_like(pixels[:, 0])
        for y in range(self._shape[0]):
            line = pixels[:, y]
            for kind in range(1, 5):
                (those,) = np.nonzero(filters[:, y] == kind)
                if len(those):
                    line[those] = _unfilter(kind, line[those], above[those], self._channels)
            above = line
        return pixels.reshape(len(rows), -1)


def _unfilter(
    kind: int, lines: NDArray[np.uint8], above: NDArray[np.uint8], channels: int
) -> NDArray[np.uint8]:
    """Undo one filter on one line (n_images, n_bytes) of each image; all sums are modulo 256."""
    if kind == 1:
        across = lines.reshape(len(lines), -1, channels)
        return np.add.accumulate(across, axis=1, dtype=np.uint8).reshape(lines.shape)
    if kind == 2:
        return lines + above
    values, up = lines.T.astype(np.int16), above.T.astype(np.int16)
    left = upper_left = np.zeros_like(values[:channels])
    for x in range(0, len(values), channels):
        upper = up[x : x + channels]
        predicted = (left + upper) >> 1 if kind == 3 else _paeth(left, upper, upper_left)
        left, upper_left = values[x : x + channels], upper
        left += predicted
        left &= 255
    return values.T.astype(np.uint8)


def _paeth(
    left: NDArray[np.int16], upper: NDArray[np.int16], upper_left: NDArray[np.int16]
) -> NDArray[np.int16]:
    """The one of the three that is nearest to left + upper − upper_left, the first if equal."""
    to_left, to_upper = upper - upper_left, left - upper_left
    to_corner = abs(to_left + to_upper)
    to_left, to_upper = abs(to_left), abs(to_upper)
    nearer = np.where(to_upper <= to_corner, upper, upper_left)
    return np.where((to_left <= to_upper) & (to_left <= to_corner), left, nearer)
