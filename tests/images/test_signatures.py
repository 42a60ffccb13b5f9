"""Files that are not images, or not in a format that is read: named by their first bytes."""

from __future__ import annotations

import gzip
from io import BytesIO

import numpy as np
import pytest
from helpers import assert_one_error_line, draw_classes, run_command
from picture_files import png

from softmaxce.errors import ImageError
from softmaxce.images.reading import read_details, read_pixels
from softmaxce.preprocessing import Preprocessing

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
ERROR = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code></Error>'
SVG = b'<?xml version="1.0"?>\n<!-- a --><svg xmlns="http://www.w3.org/2000/svg"></svg>'
NAMED = {
    LFS: "a Git LFS pointer; run git lfs pull",
    b"<!DOCTYPE html>\n<html><body>404</body></html>": "an HTML page; the download failed",
    b"\n\n <!-- x -->\n<HTML lang='ko'>": "an HTML page; the download failed",
    ERROR: "an XML document; the download failed",
    SVG: "an SVG drawing; convert it to PNG",
    b"<svg width='1'/>": "an SVG drawing",
    b'{"message": "Not Found"}': "JSON text; the download failed",
    b"\0\0\0\x18ftypheic\0\0\0\0mif1heic": r"HEIF \(HEIC\)",
    b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom": "a video or sound",
    b"RIFF\x24\0\0\0WAVEfmt ": "a video or sound",
    b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 ": "JPEG 2000; convert it to PNG",
    b"\xff\x4f\xff\x51\0\x2f": "JPEG 2000",
    b"\xff\x0a\xfa\x1f\x41": "JPEG XL; convert it to PNG",
    b"8BPS\0\1": "a Photoshop document",
    b"%PDF-1.7\n": "a PDF document",
    b"%!PS-Adobe-3.0 EPSF-3.0\n": "PostScript",
    b"FUJIFILMCCD-RAW 0201": "a raw photo; convert it to JPEG",
    b"PK\3\4\x14\0": "an archive; unpack it",
    gzip.compress(b"picture", mtime=0): "a compressed file; unpack it",
    bytes(5000): "nothing but zero bytes; copy or download it again",
    b"just words\n": "text; remove it",
    "# 오류: 28 × 28\n".encode(): "text; remove it",
    ("가" * 2000).encode()[:4095] + b"\xea\xb0": "text; remove it",
    b"P7\nWIDTH 1\n": "another image format; convert it to PNG",
    bytes(127) + b"\1DICM\2\0": "scientific data",
    b"\x12\x34\x56\x78": r"format \(PNG, JPEG, GIF, BMP, WEBP, TIFF, PPM\)$",
    b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0": "cannot be decoded",
    b"\xff\xd8\xff\xe0\0\x10JFIF": "cannot be decoded",
    b"RIFF\x24\0\0\0WEBPVP8 ": "cannot be decoded",
    b"GIF87a\0\0": "the header of this GIF is damaged",
}


@pytest.mark.parametrize("content", NAMED, ids=lambda content: repr(content[:12]))
def test_a_file_is_named_by_its_first_bytes(content, monkeypatch):
    monkeypatch.setattr("softmaxce.images.reading.heif_formats", lambda: ())
    for look in (read_details, lambda stream: read_pixels(stream, Preprocessing(4, 4, 3))):
        with pytest.raises(ImageError, match=NAMED[content]):
            look(BytesIO(content))


def test_hostile_text_is_recognised_quickly():
    for content in (b"<!---->" * 700, b"<" * 4096, b" " * 4096, b"<svg" * 1000):
        with pytest.raises(ImageError, match="not a supported image format"):
            read_details(BytesIO(content))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("IMG_0001.HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", ""),
        ("photo.avif", b"\0\0\0\x18ftypavif\0\0\0\0", ""),
        ("tile.jp2", b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        ("photo.jxl", b"\xff\x0a\xfa\x1f", "JPEG XL"),
        ("pointer.jpg", LFS, "git lfs pull"),
    ],
)
def test_a_photo_that_cannot_be_read_is_a_problem_of_its_class(tmp_path, name, content, reason):
    draw_classes(tmp_path / "data", {"a": 12, "b": 12})
    (tmp_path / "data" / "a" / name).write_bytes(content)
    outcome = run_command("check", "data", "--format", "json", cwd=tmp_path)
    (finding,) = (f for f in outcome.json["findings"] if f["kind"] == "unreadable")
    assert finding["is_problem"]
    assert f"{name}: " in finding["examples"][0]
    assert reason in finding["examples"][0]
    outcome = run_command("train", "data", "-q", cwd=tmp_path)
    assert_one_error_line(outcome, 1, name, reason, "--skip-bad")


def test_formats_without_their_own_message_are_still_read():
    assert read_details(BytesIO(png(np.zeros((2, 2, 1), int), 0, 8))).format == "PNG"
