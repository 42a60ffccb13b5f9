"""Headers without end: refused after a bounded number of reads, whatever the format.

tests/faults/test_hostile_images.py measures the time.
"""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from picture_files import chunk, png, tiff
from PIL import Image

from softmaxce.errors import ImageError
from softmaxce.images.files import SMALL_FILE_BYTES
from softmaxce.images.reading import read_details, read_pixels
from softmaxce.preprocessing import Preprocessing

N_BYTES = 3 * 2**20
WANTED = Preprocessing(8, 8, 3)
MANY_PARTS, TOO_LONG = "too many small parts", "header is too long"


def saved(file_format: str, side: int = 24, **options: object) -> bytes:
    stream = BytesIO()
    Image.new("RGB", (side, side), "red").save(stream, file_format, **options)
    return stream.getvalue()


def segments(marker: int, content: bytes, n_bytes: int) -> bytes:
    """Segments of a JPEG, of this many bytes in all."""
    segment = bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content
    return segment * (n_bytes // len(segment))


def jpeg_with(more: bytes) -> bytes:
    content = saved("JPEG")
    return content[:2] + more + content[2:]


def png_with(before: bytes = b"", after: bytes = b"") -> bytes:
    return png(np.zeros((8, 8, 3), int), 2, 8, before=before, after=after)


def gif_with(more: bytes) -> bytes:
    return b"GIF89a\x08\0\x08\0\0\0\0" + more + b",\0\0\0\0\x08\0\x08\0\0\2\2\x4c\1\0;"


def run_lengths(width: int, height: int, content: bytes) -> bytes:
    """A BMP of run lengths."""
    sizes = struct.pack("<LHHLLllHHLLLLLL", 0, 0, 0, 62, 40, width, height, 1, 8, 1, 0, 0, 0, 2, 0)
    return b"BM" + sizes + bytes(8) + content


def progressive_jpeg(n_scans: int) -> bytes:
    content = saved("JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * n_scans + content[-2:]


def sequential_jpeg(n_scans: int) -> bytes:
    """Scans of one channel after another, and then again."""
    start = saved("JPEG", subsampling=0).partition(b"\xff\xda")[0]
    scans = [
        b"\xff\xda\0\x08\1" + bytes([1 + n % 3, 0, 0, 63, 0]) + b"\0\0" for n in range(n_scans)
    ]
    return start + b"".join(scans) + b"\xff\xd9"


EMPTY_CHUNKS = chunk(b"abCd", b"") * (N_BYTES // 12)
ENDLESS = {
    "JPEG of fill bytes": (b"\xff\xd8" + b"\xff" * N_BYTES, MANY_PARTS),
    "JPEG with junk": (b"\xff\xd8\xff\xe0\0\2" + b"a" * N_BYTES, MANY_PARTS),
    "JPEG of restart markers": (jpeg_with(b"\xff\xd0" * (N_BYTES // 2)), MANY_PARTS),
    "JPEG of comments": (jpeg_with(segments(0xFE, b"", N_BYTES)), MANY_PARTS),
    "JPEG of EXIF": (jpeg_with(segments(0xE1, b"Exif\0\0" + bytes(9**5), 9 * 2**20)), TOO_LONG),
    "JPEG of tables": (jpeg_with(segments(0xDB, (b"\0" + b"\1" * 64) * 99, 9 * 2**20)), TOO_LONG),
    "PNG of empty chunks": (png_with(before=EMPTY_CHUNKS), MANY_PARTS),
    "PNG of chunks at its end": (png_with(after=EMPTY_CHUNKS), MANY_PARTS),
    "PNG of empty pixels": (png_with(before=chunk(b"IDAT", b"") * (N_BYTES // 12)), MANY_PARTS),
    "GIF of comments": (gif_with(b"!\xfe" + b"\1a" * (N_BYTES // 2) + b"\0"), MANY_PARTS),
    "GIF of extensions": (gif_with(b"!\1\1a\0" * (N_BYTES // 5)), MANY_PARTS),
    "GIF of zeros": (gif_with(bytes(N_BYTES)), MANY_PARTS),
    "BMP of empty runs": (run_lengths(2048, 2048, b"\xff\1" * (N_BYTES // 2)), MANY_PARTS),
    "BMP of long runs": (run_lengths(9000, 6000, b"\0\0" * 6001), "large run-length encoded BMP"),
    "BigTIFF of entries": (
        b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 10**5) + bytes(20) * 10**5,
        TOO_LONG,
    ),
    "TIFF of colours": (tiff(np.zeros((1, 1, 1)), 1, 8, more={320: [1] * 70_000}), TOO_LONG),
    "TIFF of spare strips": (
        tiff(np.zeros((100, 1, 1)), 1, 8, more={278: [50]}),
        "more strips or tiles than its size needs",
    ),
    "progressive JPEG": (progressive_jpeg(101), "more than 100 scans"),
    "JPEG with junk and scans": (
        progressive_jpeg(101).replace(b"\xff\xdb", b"\0junk\xff\xdb", 1),
        "more than 100 scans",
    ),
    "JPEG of scans": (sequential_jpeg(101), "more than 100 scans"),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_header_without_end_is_refused(name, tmp_path):
    content, reason = ENDLESS[name]
    (tmp_path / "image").write_bytes(content)
    for source in (BytesIO(content), str(tmp_path / "image")):
        with pytest.raises(ImageError, match=reason):
            read_pixels(source, WANTED)


def test_many_parts_of_the_usual_size_are_read(tmp_path):
    """A PNG of small pieces, an animated GIF, a JPEG with a large header and ten scans."""
    noise = np.random.default_rng(0).integers(0, 256, (600, 600, 3))
    whole = zlib.compress(b"".join(b"\0" + row.astype(np.uint8).tobytes() for row in noise))
    pieces = b"".join(chunk(b"IDAT", whole[i : i + 512]) for i in range(0, len(whole), 512))
    header = chunk(b"IHDR", struct.pack(">2I5B", 600, 600, 8, 2, 0, 0, 0))
    small_pieces = b"\x89PNG\r\n\x1a\n" + header + pieces + chunk(b"IEND", b"")
    frames = [Image.fromarray(np.roll(noise, k, 0).astype(np.uint8)) for k in range(3)]
    gif = BytesIO()
    frames[0].save(gif, "GIF", save_all=True, append_images=frames[1:])
    profile = segments(0xE2, b"ICC_PROFILE\0\1\xff" + bytes(60_000), 2**21)
    for content in (small_pieces, gif.getvalue(), jpeg_with(profile), progressive_jpeg(10)):
        assert len(content) > SMALL_FILE_BYTES or b"JFIF" in content
        (tmp_path / "image").write_bytes(content)
        read_pixels(str(tmp_path / "image"), WANTED)
        read_details(str(tmp_path / "image"))


def test_a_row_longer_than_a_block_is_read():
    content = b"P6 2000000 1 255\n" + bytes([90]) * 6_000_000
    assert (read_pixels(BytesIO(content), Preprocessing(1, 4000, 3)) == 90).all()
