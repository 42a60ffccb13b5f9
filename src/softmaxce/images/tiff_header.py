"""The header of a TIFF file, checked before Pillow reads it.

TIFF allows far more layouts of pixels than Pillow decodes, and Pillow decodes some of them wrongly.
Those are refused here with the reason; tests/images/test_tiff.py checks the pixels of the others.

Source: TIFF, Revision 6.0, Adobe 1992; BigTIFF, as documented by libtiff.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import BinaryIO

from softmaxce.errors import ImageError

BITS, PHOTOMETRIC, MIN_IS_WHITE = 258, 262, 0
_WIDTH, _HEIGHT, _COMPRESSION, _FILL_ORDER, _PLANAR = 256, 257, 259, 266, 284
_STRIPS, _N_SAMPLES, _ROWS_PER_STRIP = 273, 277, 278
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _EXTRA, _FORMAT, _MAX_BASIC_TAG = 322, 323, 324, 338, 339, 512
_YCBCR, _PALETTE = 6, 320
_INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}  # types of entries, for struct
_KINDS = {0: "grey, 0 is white", 1: "grey", 2: "RGB", 3: "palette", 5: "CMYK", 6: "YCbCr", 8: "LAB"}
_MAX_ENTRIES, _MAX_VALUES = 4096, 2**16  # for each strip and tile, Pillow takes about 10 µs

_DAMAGE = (struct.error, OSError, OverflowError, ValueError)

Tags = dict[int, tuple[int, ...]]
_ONES = (_WIDTH, _HEIGHT, BITS, _COMPRESSION, _FILL_ORDER, _N_SAMPLES, _PLANAR, _FORMAT)
_DEFAULTS: Tags = {**dict.fromkeys(_ONES, (1,)), PHOTOMETRIC: (MIN_IS_WHITE,), _EXTRA: (0,)}


def refuse_tiff(name: str, stream: BinaryIO) -> str:
    """Raise ImageError for a layout of pixels that is not decoded; return the layout in words."""
    tags = _DEFAULTS
    with suppress(*_DAMAGE):  # Pillow says what is damaged
        tags = _DEFAULTS | _tags(name, stream)
    reason = _fault_of_samples(tags) or _fault_of_blocks(tags)
    if reason:
        raise ImageError(name, reason)
    photometric = tags[PHOTOMETRIC][0]
    kind = _KINDS.get(photometric, f"photometric interpretation {photometric}")
    return f"{kind}, {tags[_N_SAMPLES][0]} × {max(tags[BITS])} bits"


def _tags(name: str, stream: BinaryIO) -> Tags:
    """The integers in the first directory that say how pixels are stored."""
    stream.seek(0)
    head = stream.read(16)
    order, is_big = "<" if head.startswith(b"II") else ">", 43 in head[2:4]
    number, count, width = ("Q", "Q", 8) if is_big else ("I", "H", 4)
    stream.seek(*struct.unpack(order + number, head[width : 2 * width]))
    (n_entries,) = struct.unpack(order + count, stream.read(struct.calcsize(order + count)))
    entry = struct.Struct(f"{order}HH{number}{width}s")
    if n_entries > _MAX_ENTRIES:
        raise ImageError(name, "it cannot be decoded (its header is too long)")
    tags: Tags = {}
    for tag, kind, n_values, value in entry.iter_unpack(stream.read(n_entries * entry.size)):
        if kind not in _INTEGERS or tag >= _MAX_BASIC_TAG:
            continue
        if n_values > _MAX_VALUES:
            raise ImageError(name, "it cannot be decoded (its header is too long)")
        values = struct.Struct(f"{order}{n_values}{_INTEGERS[kind]}")
        with suppress(*_DAMAGE):  # Pillow skips a damaged entry, too
            if values.size > width:
                stream.seek(*struct.unpack(order + number, value))
                value = stream.read(values.size)
            tags.setdefault(tag, values.unpack(value[: values.size]))
    return {tag: values for tag, values in tags.items() if values}


def _fault_of_samples(tags: Tags) -> str | None:
    bits, formats = max(tags[BITS]), tags[_FORMAT]
    if 3 in formats:
        what = "its pixels are floating-point numbers of unknown range"
    elif bits > 16:
        what = f"its pixels are {bits}-bit numbers of unknown range"
    elif 2 in formats:
        what = "its pixels are signed numbers"
    elif 5 in formats or 6 in formats:
        what = "its pixels are complex numbers"
    elif 0 < max(tags.get(_PALETTE, (0,))) < 256:
        what = "the colours of its palette have 8 bits instead of 16"
    elif tags[PHOTOMETRIC] == (_YCBCR,) and tags[_COMPRESSION] == (1,):
        what = "its colours are stored as uncompressed YCbCr"
    else:
        return None
    return f"{what}; save it with 8 or 16 bits"


def _fault_of_blocks(tags: Tags) -> str | None:
    """What is wrong with how channels, strips and tiles are stored."""
    is_planar = tags[_PLANAR] == (2,)
    if is_planar:
        bits, photometric = tags[BITS][0], tags[PHOTOMETRIC][0]
        is_right = photometric in (2, 5, 6) or not any(tags[_EXTRA])
        if tags[_COMPRESSION] == (1,):  # Pillow unpacks each channel as the simplest kind
            is_simple = (bits == 8 and photometric != MIN_IS_WHITE) or (bits, photometric) == (1, 1)
            is_right = is_simple and tags[_FILL_ORDER] != (2,)
        if not is_right:
            return "its channels are stored one after another; save it with interleaved channels"
    width, height = tags[_WIDTH][0], tags[_HEIGHT][0]
    columns, rows = tags.get(_TILE_WIDTH, (width,))[0], tags.get(_TILE_HEIGHT, (height,))[0]
    if _STRIPS in tags:
        columns, rows = width, min(height, tags.get(_ROWS_PER_STRIP, (height,))[0])
    n_needed = -(-width // max(1, columns)) * -(-height // max(1, rows))
    n_needed *= tags[_N_SAMPLES][0] if is_planar else 1
    if len(tags.get(_STRIPS, tags.get(_TILES, ()))) > n_needed + 10:
        return "it cannot be decoded (it has more strips or tiles than its size needs)"
    return None
