"""Hostile images: named, never a traceback or a crash, never slow or large, and nothing leaks."""

from __future__ import annotations

import io
import json
import os
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import picture_files
import pytest
from fault_tools import measured
from helpers import assert_one_error_line, draw_classes, run_command
from PIL import Image

from softmaxce.errors import ImageError
from softmaxce.images.heif import heif_formats
from softmaxce.images.reading import read_image
from softmaxce.preprocessing import Preprocessing

pytestmark = pytest.mark.slow

WANTED = Preprocessing(8, 8, 3)
MAX_SECONDS, MAX_MEGABYTES = 1.0, 300.0
ENDLESS = 30 * 2**20  # bytes of headers without end
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM", *heif_formats())


def picture(mode: str = "RGB", side: int = 24, seed: int = 0) -> Image.Image:
    random = np.random.default_rng(seed)
    values = random.integers(0, 256, (side, side, 4), dtype=np.uint8)
    values[: side // 2] = values[0, 0]  # so that compression has something to do
    return Image.fromarray(values).convert(mode)


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def exif() -> Image.Exif:
    block = Image.Exif()
    block[0x0112] = 6
    block[0x010E] = "a description"
    return block


def good_images(form: str) -> list[bytes]:
    """Small good files of a format: several modes and encodings of it."""
    match form:
        case "PNG":
            whole = [encoded(picture(mode), form) for mode in ("RGB", "RGBA", "L", "LA", "P", "1")]
            sixteen = Image.fromarray(np.arange(576, dtype=np.uint16).reshape(24, 24) * 100)
            return [*whole, encoded(sixteen, form), encoded(picture(), form, exif=exif())]
        case "JPEG":
            modes = [encoded(picture(mode), form) for mode in ("RGB", "L", "CMYK")]
            return [
                *modes,
                encoded(picture(), form, progressive=True),
                encoded(picture(), form, exif=exif(), icc_profile=b"x" * 200),
            ]
        case "GIF":
            frames = [picture("P", seed=seed) for seed in range(3)]
            animated = encoded(frames[0], form, save_all=True, append_images=frames[1:])
            return [encoded(picture("P"), form), encoded(picture("L"), form), animated]
        case "WEBP":
            return [
                encoded(picture(), form),
                encoded(picture("RGBA"), form, lossless=True),
                encoded(picture(), form, exif=exif()),
            ]
        case "TIFF":
            compressions = ("raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")
            whole = [encoded(picture(), form, compression=name) for name in compressions]
            fax = encoded(picture("1"), form, compression="group4")
            return [*whole, fax, encoded(picture("L"), form, tiffinfo=exif())]
        case "AVIF" | "HEIF":
            return [encoded(picture(), form, exif=exif().tobytes()), encoded(picture("RGBA"), form)]
        case "BMP":
            return [encoded(picture(mode), form) for mode in ("RGB", "L", "P", "1", "RGBA")]
        case _:
            ascii_picture = b"P3\n# x\n4 4\n255\n" + b"10 200 30\n" * 16
            return [encoded(picture(mode), form) for mode in ("RGB", "L", "1")] + [ascii_picture]


def mutations(form: str, n_mutations: int, seed: int) -> Iterator[bytes]:
    """Seeded damage of good files; the checksums of a PNG are put right half of the time."""
    random = np.random.default_rng([seed, *form.encode()])
    good = good_images(form)
    for number in range(n_mutations):
        content = bytearray(good[number % len(good)])
        for _ in range(random.integers(1, 6)):
            size = len(content)
            head = random.random() < 0.6  # where the headers are
            place = int(random.integers(min(size, 200) if head else size))
            length = int(min(random.integers(1, 40), size - place))
            match random.integers(7):
                case 0 | 1:
                    content[place] ^= 1 << int(random.integers(8))
                case 2:
                    content[place] = int(random.choice([0, 1, 0x7F, 0x80, 0xFF]))
                case 3:
                    del content[place : place + length]
                case 4:
                    content[place:place] = content[place : place + length]
                case 5:
                    value = int(random.choice([0, 1, 2**16 - 1, 2**31 - 1, 2**32 - 1]))
                    content[place : place + 4] = struct.pack("<L", value)
                case _:
                    del content[int(random.integers(1, size)) :]
            if len(content) < 2:
                break
        yield with_true_checksums(bytes(content)) if number % 2 else bytes(content)


def with_true_checksums(content: bytes) -> bytes:
    """A PNG whose chunks have the right CRCs; anything else as it is."""
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        return content
    fixed, place = [content[:8]], 8
    while place + 12 <= len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        if place + 12 + length > len(content):
            break
        body = content[place + 4 : place + 8 + length]
        fixed += [content[place : place + 4], body, struct.pack(">L", zlib.crc32(body))]
        place += 12 + length
    return b"".join([*fixed, content[place:]])


def read_all(contents: Iterator[bytes]) -> tuple[int, float, str, bytes]:
    """Read each content: how many were readable, the slowest time, what was printed."""
    n_read, slowest = 0, 0.0
    with tempfile.TemporaryFile() as captured:
        os.dup2(captured.fileno(), 1)
        os.dup2(captured.fileno(), 2)
        for content in contents:
            began = time.process_time()
            try:
                pixels, _ = read_image(io.BytesIO(content), WANTED)
                assert pixels.shape == (WANTED.n_pixels,)
                n_read += 1
            except ImageError as error:
                fault = str(error)
                assert fault
            slowest = max(slowest, time.process_time() - began)
        captured.seek(0)
        return n_read, slowest, "", captured.read()


def forked(function: Callable[[], object]):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking beside NumPy's threads
        return measured(function)


@pytest.mark.parametrize("form", FORMATS)
def test_5000_mutated_images(form):
    n_mutations = 5_000
    outcome = forked(lambda: read_all(mutations(form, n_mutations, seed=1)))
    assert not outcome.error
    n_read, slowest, _, printed = outcome.value
    assert 0 < n_read < n_mutations
    assert slowest < MAX_SECONDS
    assert printed == b""
    assert outcome.megabytes < MAX_MEGABYTES


@pytest.mark.parametrize("form", FORMATS)
def test_every_prefix_of_an_image(form):
    contents = [good[:n] for good in good_images(form) for n in range(0, len(good), 7)]
    outcome = forked(lambda: read_all(iter(contents)))
    assert not outcome.error
    assert outcome.value[3] == b""


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))


def png(width: int, height: int, *more: bytes, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG of this size whose pixels are one short row of zeros."""
    header = struct.pack(">LLBBBBB", width, height, depth, colour, 0, 0, 0)
    data = zlib.compress(bytes(10_000))
    chunks = [chunk(b"IHDR", header), *more, chunk(b"IDAT", data), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def honest_png(side: int) -> bytes:
    """A PNG bomb that keeps its promise: all its pixels are there, and black."""
    packer = zlib.compressobj(9)
    row = bytes(1 + 3 * side)
    data = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">LLBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def bmp(width: int, height: int) -> bytes:
    header = struct.pack("<LLLHHLLLLLL", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<LHHL", 1000, 0, 0, 54) + header + bytes(900)


def gif(width: int, height: int) -> bytes:
    good = bytearray(encoded(picture("P"), "GIF"))
    good[6:10] = struct.pack("<HH", width, height)
    start = good.index(b"\x2c", 13 + 3 * 2)
    good[start + 5 : start + 9] = struct.pack("<HH", width, height)
    return bytes(good)


def jpeg(width: int, height: int, **options: object) -> bytes:
    good = bytearray(encoded(picture(), "JPEG", **options))
    start = max(good.find(b"\xff\xc0"), good.find(b"\xff\xc2"))
    good[start + 5 : start + 9] = struct.pack(">HH", height, width)
    return bytes(good)


def tiff(width: int, height: int, compression: str = "tiff_lzw") -> bytes:
    good = encoded(picture(), "TIFF", compression=compression)
    for tag, value in ((256, width), (257, height)):
        old = struct.pack("<HHLHH", tag, 3, 1, 24, 0)
        assert old in good
        good = good.replace(old, struct.pack("<HHLL", tag, 4, 1, value))
    return good


def text_bomb(kind: bytes) -> bytes:
    packed = zlib.compress(bytes(100 * 2**20), 9)
    key = b"Raw profile type exif\0\0"
    body = key + packed if kind != b"iTXt" else b"XML:com.adobe.xmp\0\1\0\0\0" + packed
    return png(8, 8, chunk(kind, body))


def jpeg_with(header: bytes) -> bytes:
    good = encoded(picture(), "JPEG")
    return good[:2] + header + good[2:]


def many_scans(n_scans: int) -> bytes:
    """A progressive JPEG of 5,000 × 5,000 pixels, of which each scan refines one channel."""
    good = jpeg(5_000, 5_000, progressive=True)
    scan = b"\xff\xda\0\x08\1\1\0\1\x3f\0" + bytes(8)
    return good[: good.rindex(b"\xff\xda")] + scan * n_scans + b"\xff\xd9"


def run_lengths(side: int) -> bytes:
    sizes = (0, 0, 0, 62, 40, side, side, 1, 8, 1, 0, 0, 0, 2, 0)
    return b"BM" + struct.pack("<LHHLLllHHLLLLLL", *sizes) + bytes(8)


def tiff_of_strips(rows: int) -> bytes:
    """A TIFF of one column in 32,768 strips, which it says have this many rows."""
    return picture_files.tiff(np.zeros((65_536, 1, 1)), 1, 8, more={278: [rows]})


BOMBS: dict[str, Callable[[], bytes]] = {
    "png of 100,000 x 100,000": lambda: png(100_000, 100_000),
    "png of 2^31": lambda: png(2**31 - 1, 2**31 - 1),
    "png of 1 x 2^31": lambda: png(1, 2**31 - 1),
    "png of 2^31 x 1": lambda: png(2**31 - 1, 1),
    "png of 12,000 x 8,000": lambda: png(12_000, 8_000),
    "png of 16 bits": lambda: png(9_000, 9_000, depth=16, colour=6),
    "png of 0 x 0": lambda: png(0, 0),
    "honest png of 5,000 x 5,000": lambda: honest_png(5_000),
    "honest png of 9,000 x 9,000": lambda: honest_png(9_000),
    "png zTXt": lambda: text_bomb(b"zTXt"),
    "png iTXt": lambda: text_bomb(b"iTXt"),
    "png iCCP": lambda: text_bomb(b"iCCP"),
    "png of many chunks": lambda: png(8, 8, *[chunk(b"tEXt", b"k\0v")] * 60_000),
    "png of many frames": lambda: png(8, 8, chunk(b"acTL", struct.pack(">LL", 2**31 - 1, 0))),
    "bmp": lambda: bmp(30_000, 30_000),
    "bmp of negative height": lambda: bmp(8, 2**32 - 100_000_000),
    "gif of 65,535 x 65,535": lambda: gif(65_535, 65_535),
    "gif of 10,000 x 9,000": lambda: gif(10_000, 9_000),
    "jpeg of 65,500 x 65,500": lambda: jpeg(65_500, 65_500),
    "jpeg of 10,000 x 9,000": lambda: jpeg(10_000, 9_000),
    "progressive jpeg": lambda: jpeg(65_500, 65_500, progressive=True),
    "progressive jpeg of 9,000": lambda: jpeg(9_000, 9_000, progressive=True),
    "webp": lambda: b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0\xff\x3f\0\xff\x3f\0VP8 \0\0\0\0",
    "tiff of 100,000": lambda: tiff(100_000, 100_000),
    "tiff of 10,000": lambda: tiff(10_000, 9_000),
    "tiff deflate of 10,000": lambda: tiff(10_000, 9_000, "tiff_adobe_deflate"),
    "ppm": lambda: b"P6 1000000 1000000 255\n" + bytes(100),
    "ppm of digits": lambda: b"P6 " + b"9" * 10**6 + b" 1 255\n",
    "ppm of 10,000 x 9,000": lambda: b"P6 10000 9000 255\n" + bytes(100),
    "pbm of text": lambda: b"P1 9000 9000\n" + b"0 " * 10_000,
    "nothing but spaces": lambda: b"P3" + b" " * 10**7,
    "jpeg of fill bytes": lambda: b"\xff\xd8" + b"\xff" * ENDLESS,
    "jpeg with junk": lambda: b"\xff\xd8\xff\xe0\0\2" + b"a" * ENDLESS,
    "jpeg of comments": lambda: jpeg_with(b"\xff\xfe\0\2" * (ENDLESS // 4)),
    "jpeg of exif": lambda: jpeg_with((b"\xff\xe1\xff\xffExif\0\0" + bytes(65_527)) * 120),
    "jpeg of photoshop": lambda: jpeg_with(
        (b"\xff\xed\xea\x70Photoshop 3.0\0" + b"8BIM\0\1\0\0\0\0\0\0" * 5_000) * 130
    ),
    "jpeg that ends in fill bytes": lambda: jpeg(24, 24)[:-2] + b"\xff" * ENDLESS,
    "jpeg of 98 scans": lambda: many_scans(98),
    "jpeg of 100,000 scans": lambda: many_scans(100_000),
    "png of empty chunks": lambda: png(8, 8, chunk(b"abCd", b"") * (ENDLESS // 12)),
    "png of empty pixels": lambda: png(8, 8, chunk(b"IDAT", b"") * (ENDLESS // 12)),
    "gif of comments": lambda: b"GIF89a\x08\0\x08\0\0\0\0!\xfe" + b"\1a" * (ENDLESS // 2),
    "gif of extensions": lambda: b"GIF89a\x08\0\x08\0\0\0\0" + b"!\xf9\0" * (ENDLESS // 3),
    "bmp of empty runs": lambda: run_lengths(2_048) + b"\xff\1" * (ENDLESS // 2),
    "bmp of long runs": lambda: run_lengths(2_048) + b"\0\0" * 2_049,
    "bmp of one row": lambda: b"BM" + bmp(10**7, 1)[2:54] + bytes(3 * 10**7),
    "tiff of strips": lambda: tiff_of_strips(2),
    "tiff of the same strip": lambda: tiff_of_strips(65_535),
    "bigtiff": lambda: b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 10**6) + bytes(2 * 10**7),
    "webp of 7,000 x 7,000": lambda: encoded(Image.new("RGB", (7_000, 7_000)), "WEBP", method=0),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_cheap(name):
    content = BOMBS[name]()

    def read() -> str:
        n_read, _, _, printed = read_all(iter([content]))
        assert printed == b"", printed
        return f"{n_read} read"

    outcome = forked(read)
    assert not outcome.error
    assert outcome.seconds < MAX_SECONDS
    assert outcome.megabytes < MAX_MEGABYTES


def hostile_files(folder: Path) -> dict[str, str]:
    """Things called .png that are none, and how each is named."""
    folder.mkdir(parents=True, exist_ok=True)
    os.mkfifo(folder / "fifo.png")
    (folder / "device.png").symlink_to("/dev/zero")
    (folder / "terminal.png").symlink_to("/dev/tty")
    (folder / "loop.png").symlink_to("loop.png")
    (folder / "gone.png").symlink_to("nowhere.png")
    (folder / "empty.png").touch()
    (folder / "text.png").write_text("no image")
    (folder / "truncated.png").write_bytes(encoded(picture(), "PNG")[:200])
    (folder / "bomb.png").write_bytes(png(100_000, 100_000))
    (folder / "postscript.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    return {
        "fifo.png": "not a regular file",
        "device.png": "not a regular file",
        "terminal.png": "not a regular file",
        "loop.png": "symbolic links",
        "gone.png": "no such file",
        "empty.png": "empty",
        "text.png": "not a supported image format",
        "truncated.png": "decoded",
        "bomb.png": "more than 256 MB of memory",
        "postscript.png": "not a supported image format",
    }


def test_files_that_are_not_images_are_named_by_every_command(tmp_path):
    draw_classes(tmp_path / "data", {"a": 12, "b": 12})
    assert run_command("train", "data", "-q", cwd=tmp_path).exit_code == 0
    faults = hostile_files(tmp_path / "data" / "a" / "hostile")
    (tmp_path / "data" / "a" / "folder.png").mkdir()
    shutil.copy(tmp_path / "data" / "b" / "000.png", tmp_path / "data" / "a" / "wrong.jpg")
    began = time.perf_counter()
    for words in (("train", "data", "-o", "x.npz"), ("evaluate", "data"), ("predict", "data")):
        outcome = run_command(*words, "--no-progress", cwd=tmp_path)
        assert_one_error_line(outcome, 1, "hostile/", "--skip-bad")
        outcome = run_command(*words, "--skip-bad", "--format", "json", cwd=tmp_path)
        assert outcome.exit_code == 0, outcome.stderr
        assert f"{len(faults)} files left out" in outcome.stderr
    rows = {os.path.basename(row["path"]): row for row in outcome.json["predictions"]}
    for name, fault in faults.items():
        assert fault in rows[name]["error"], rows[name]
    assert "probabilities" in rows["wrong.jpg"]
    assert time.perf_counter() - began < 60


def test_folders_that_loop(tmp_path):
    draw_classes(tmp_path / "data", {"a": 3, "b": 3})
    (tmp_path / "data" / "a" / "again").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "a" / "self").symlink_to(tmp_path / "data" / "a")
    outcome = run_command("train", "data", "--format", "json", cwd=tmp_path)
    assert outcome.exit_code == 0, outcome.stderr
    assert outcome.json["n_train"] + outcome.json["n_validation"] == 6


def test_names_that_cannot_be_files(tmp_path, pets_model):
    for path in ("x" * 300 + ".png", "/".join("x" * 1500) + ".png"):
        outcome = run_command("predict", path, "-m", pets_model, cwd=tmp_path)
        assert_one_error_line(outcome, 1, "cannot")


@pytest.mark.parametrize("form", FORMATS)
def test_5000_mutated_images_through_predict(tmp_path, pets_model, form):
    """Similar damage through `predict` itself, and the memory of the whole process."""
    n_mutations = 5_000
    for number, content in enumerate(mutations(form, n_mutations, seed=2)):
        (tmp_path / f"{number:04}.png").write_bytes(content)
    words = ["predict", str(tmp_path), "-m", str(pets_model), "--skip-bad", "--format", "jsonl"]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "softmaxce", *words, "--jobs", "1"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == n_mutations
    assert all("predicted" in row or row["error"] for row in rows)
    for line in done.stderr.decode().splitlines():
        assert line.startswith(("Note: ", "Reading images: "))
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 2**20
