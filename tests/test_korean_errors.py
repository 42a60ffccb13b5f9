"""What errors say in Korean: the reasons inside them, too, and in lists of files."""

from __future__ import annotations

import re
from io import BytesIO

import numpy as np
import pytest
from helpers import run_command
from hostile_models import HOSTILE, Hostile
from picture_files import png

from softmaxce import translation
from softmaxce.errors import ImageError, ModelError, SoftmaxceError, first_and_more
from softmaxce.images import signatures
from softmaxce.images.reading import read_details, read_pixels
from softmaxce.images.signatures import why_not_opened
from softmaxce.model.model_file import load_model
from softmaxce.preprocessing import Preprocessing
from softmaxce.training.checkpoints import AnswerLog

# Names that are the same in Korean; words with a dot, a slash, a hyphen or an underscore are names.
NAMES = """
    softmaxce train DIR Pillow pip install heif macOS git lfs pull Git LFS uint float NaN None
    PNG JPEG GIF BMP WEBP TIFF PPM HEIF HEIC AVIF XL LS RAW PDF HTML SVG XML JSON PostScript RGB
    NUL CRC URL MB ZIP zip
    header filters scales weights layers patches preprocessing training grid fit channels background
"""


@pytest.fixture(autouse=True)
def _korean():
    translation.use("ko")
    yield
    translation.use("en")


def english_words(message: str) -> list[str]:
    """The English words of a message in Korean, but for names."""
    shown = re.sub(r"'[^']*'|\S*[/_.\\-]\w\S*", " ", message)
    return [word for word in re.findall(r"[A-Za-z]{2,}", shown) if word not in NAMES.split()]


def assert_korean(message: str) -> None:
    translated = translation.translate(message)
    assert not english_words(translated), translated
    assert re.search("[가-힣]", translated), translated


def error_of(function, *arguments) -> str:
    with pytest.raises(SoftmaxceError) as caught:
        function(*arguments)
    return str(caught.value)


@pytest.mark.parametrize("signature", signatures._SIGNATURES, ids=lambda signature: signature[1])
def test_what_a_file_is_instead_of_an_image(signature):
    _, what, fix = signature
    reason = f"not a supported image format: {what}; {fix}"
    if not fix:
        reason = f"it cannot be decoded (the header of this {what} is damaged)"
    assert_korean(f"dir/a b.png: {reason}")


@pytest.mark.parametrize("kind", ["missing", "folder", "empty", "cut", "garbled", "NUL", "URL"])
def test_why_an_image_cannot_be_read(kind, tmp_path):
    path = tmp_path / "a.png"
    content = png(np.arange(3072).reshape(32, 32, 3) % 251, 2, 8)
    if kind == "folder":
        path.mkdir()
    elif kind != "missing":
        cut = content[: len(content) // 2] if kind == "cut" else b""
        path.write_bytes(content[:99] + bytes(99) + content[198:] if kind == "garbled" else cut)
    name = {"NUL": "a\0.png", "URL": "https://example.org/a.png"}.get(kind, str(path))
    assert_korean(error_of(read_pixels, name, Preprocessing(4, 4, 3)))


@pytest.mark.parametrize(
    "layout", ["grey, 0 is white, 1 × 16 bits", "RGB, 3 × 12 bits", "palette, 1 × 8 bits"]
)
def test_the_layout_of_a_tiff(layout):
    assert_korean(f"a.tif: {why_not_opened(b'II*', ('TIFF',), layout)}")


@pytest.mark.parametrize("n_files", [2, 5, 13])
def test_a_list_of_files_and_reasons(n_files):
    heif = b"\0\0\0\x18ftypheic"
    reasons = [
        why_not_opened(heif, ("PNG",), ""),
        "lossless JPEG is not supported; save it as PNG",
        "the file is empty",
        "it cannot be decoded (image file is truncated (3 bytes not processed))",
    ]
    failures = [ImageError(f"{n}.jpg", reasons[n % len(reasons)]) for n in range(n_files)]
    listed = first_and_more(list(map(str, failures)), separator="; ")
    shown = translation.translate(f"cannot read the data: {listed}")
    assert not english_words(shown), shown
    assert [f"{n}.jpg" in shown for n in range(n_files)] == [n < 10 for n in range(n_files)]


SMALL = [h for h in HOSTILE if not re.search("members: |bomb|many|million|deep", h.name)]


@pytest.mark.parametrize("hostile", SMALL, ids=lambda hostile: hostile.name)
def test_why_a_model_cannot_be_used(hostile: Hostile, tmp_path):
    path = tmp_path / "model.npz"
    path.write_bytes(hostile.content())
    with pytest.raises(ModelError) as caught:
        load_model(path)
    assert_korean(str(caught.value))


def test_why_a_training_cannot_be_resumed(tmp_path):
    path = str(tmp_path / "model.npz.checkpoint")
    assert_korean(error_of(AnswerLog, path, {}, True))
    log = AnswerLog(path, {"the options": {"l2": "0.1"}})
    log._append(b"")
    log.close()
    message = error_of(AnswerLog, path, {"the options": {"l2": "0.2"}}, True)
    assert "0.1" in translation.translate(message)
    assert "--resume" in translation.translate(message)
    with open(path, "wb") as stream:
        stream.write(b"{}")
    assert_korean(error_of(AnswerLog, path, {}, True))


@pytest.mark.parametrize(
    "words",
    [
        "--label 7",
        "--label bird",
        "--classes cat dog bird",
        "--classes cat cat",
        "--temperature 0",
        "--learning-rate -1",
    ],
)
def test_wrong_options_of_explain(words):
    outcome = run_command("explain", "--logits", "0.2", "0.3", *words.split(), "--lang", "ko")
    assert outcome.exit_code == 2
    said = outcome.stderr.partition(": ")[2]
    assert not english_words(re.sub(r"\b(cat|dog|bird)\b", "", said)), said


@pytest.mark.parametrize("path", ["remove it/the file is empty.png", "a: b: c.png", ": " * 2000])
def test_a_path_stays_as_it_is(path):
    for before in ("", "cannot use the model: "):
        assert f"{path}: " in translation.translate(f"{before}{path}: the file is empty")


def test_an_image_on_stdin():
    assert_korean(error_of(read_details, BytesIO(b"")))
