"""Plain JPEG files, decoded without the detour over Pillow's reading of their headers.

That reading takes longer than the rest of Pillow's Python together, and tells nothing new of a
baseline colour JPEG that has no EXIF. What is not as plain as that gives None here and is read in
the usual way, which also says what is wrong with a broken file; the pixels are the same.
"""

from __future__ import annotations

from PIL import Image

_START = b"\xff\xd8\xff"
_SOF_BASELINE, _SOF_SEQUENTIAL, _START_OF_SCAN = 0xC0, 0xC1, 0xDA
_JFIF, _PROFILE = 0xE0, 0xE2
# Huffman and quantisation tables, the interval of restarts, comments, JFIF.
_PASSED_OVER = frozenset({0xC4, 0xDB, 0xDD, 0xFE, _JFIF})
_MAX_PIXELS = 2**24  # the guards against huge files stand on the usual way


def plain_jpeg_size(content: bytes) -> tuple[int, int] | None:
    """(width, height) of a baseline colour JPEG with nothing odd in its header, else None."""
    if not content.startswith(_START):
        return None
    size = None
    at, n_bytes = 2, len(content)
    while at + 10 <= n_bytes and content[at] == 0xFF:
        marker = content[at + 1]
        if marker in (_SOF_BASELINE, _SOF_SEQUENTIAL):
            bits, n_components = content[at + 4], content[at + 9]
            if bits != 8 or n_components != 3 or size:
                return None
            size = _number(content, at + 7), _number(content, at + 5)
        elif marker == _START_OF_SCAN:
            return size if size and 0 < size[0] * size[1] <= _MAX_PIXELS else None
        elif marker == _PROFILE:
            if content[at + 4 : at + 16] != b"ICC_PROFILE\0":
                return None
        elif marker not in _PASSED_OVER:
            return None
        at += 2 + _number(content, at + 2)
    return None


def _number(content: bytes, at: int) -> int:
    return content[at] << 8 | content[at + 1]


def decode_plain_jpeg(
    content: bytes, size: tuple[int, int], mode: str, wanted: tuple[int, int]
) -> Image.Image | None:
    """The picture in mode L or RGB, None where that fails.

    size: (width, height) from plain_jpeg_size. The picture has 1/1, 1/2, 1/4 or 1/8 of it, the
    least that is at least `wanted` (width, height), if any is: as Image.draft chooses.
    """
    ratio = min(size[0] // wanted[0], size[1] // wanted[1])
    scale = next((s for s in (8, 4, 2) if ratio >= s), 1)
    drafted = -(-size[0] // scale), -(-size[1] // scale)
    raw_mode = "L" if mode == "L" else "RGBX"  # as the pixels lie in memory: nothing to unpack
    try:
        return Image.frombytes(mode, drafted, content, "jpeg", raw_mode, "", scale, 0)
    except Exception:  # the usual way finds out what it was
        return None
