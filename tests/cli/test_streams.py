"""The standard streams: encodings that lack our characters, and sizes that no screen has."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys

import pytest
from babel.messages.pofile import read_po
from helpers import PETS, ROOT, run_process

PACKAGE = ROOT / "src" / "softmaxce"
NOT_PRINTED = {"csv_output.py", "streams.py"}  # what a cell may start with; what is replaced
HANGUL = re.compile("[가-힣]")
ESCAPE = re.compile(r"\\[uxU][0-9a-f]")


def own_characters() -> set[str]:
    """Every character of a text in the program (not of comments and docstrings), and of the
    Korean lesson."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
        docs = {ast.get_docstring(n, False) for n in ast.walk(tree) if isinstance(n, documented)}
        for node in ast.walk(tree):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if is_text and node.value not in docs and path.name not in NOT_PRINTED:
                found.update(node.value)
    with (PACKAGE / "locale" / "ko" / "LC_MESSAGES" / "softmaxce.po").open("rb") as stream:
        for message in read_po(stream, locale="ko"):
            found.update(message.string)
    return {character for character in found if character.isprintable()}


def printed(text: str, encoding: str) -> str:
    """What a pipe of this encoding gets of the text."""
    code = (
        "import sys\nfrom softmaxce.cli import streams\n"
        "text = sys.stdin.buffer.read().decode()\nstreams.prepare()\nprint(text, end='')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=text.encode(),
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        check=True,
    )
    return done.stdout.decode(encoding)


@pytest.mark.parametrize("encoding", ["cp949", "ascii", "latin-1", "cp1252", "cp437", "koi8-r"])
def test_every_character_of_our_own_has_a_replacement(encoding):
    text = "".join(sorted(own_characters()))
    assert {"ₖ", "✓", "−", "×", "…", "–", "Σ", "█", "가"} <= set(text)
    if encoding != "cp949":
        text = HANGUL.sub("", text)
    shown = printed(text.replace("\\", ""), encoding)
    assert not ESCAPE.search(shown), shown


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        ("pₖ = eᶻₖ / Σⱼ eᶻⱼ", "cp949", "p_k = e^z_k / Σ_j e^z_j"),
        ("pₖ = eᶻₖ / Σⱼ eᶻⱼ", "ascii", "p_k = e^z_k / sum_j e^z_j"),
        ("✓ 4.54×10⁻⁵ ≤ −log p", "ascii", "v 4.54x10^-5 <= -log p"),
        ("✓ 4.54×10⁻⁵ ≤ −log p", "cp949", "v 4.54×10^-5 ≤ -log p"),
        ("1 − 2 → ∞ …", "latin-1", "1 - 2 -> inf ..."),
        ("40 – 47 % ██", "cp1252", "40 – 47 % ##"),
        ("고양이 ₖ", "latin-1", r"\uace0\uc591\uc774 _k"),  # a class name is data: kept
    ],
)
def test_replacements_are_readable(text, encoding, expected):
    assert printed(text, encoding) == expected


@pytest.mark.parametrize("encoding", ["cp949", "ascii", "latin-1", "cp1252"])
@pytest.mark.parametrize(
    "words",
    [
        ("explain", "--logits", "2", "1", "-9", "--more", "--lang", "en"),
        ("explain", "--exercise", "20", "--answers", "--lang", "en"),
        ("train", PETS / "train", "--size", "8"),
    ],
    ids=["lesson", "exercises", "tables"],
)
def test_commands_print_no_escapes(tmp_path, words, encoding):
    outcome = run_process(*words, cwd=tmp_path, env={"PYTHONIOENCODING": encoding})
    assert outcome.exit_code == 0, outcome.stderr
    assert not ESCAPE.search(outcome.stdout + outcome.stderr)


def test_the_korean_lesson_in_a_korean_pipe(tmp_path):
    words = ("explain", "--logits", "2", "1", "-9", "--more", "--lang", "ko")
    done = subprocess.run(
        [sys.executable, "-m", "softmaxce", *words],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "cp949"},
        check=True,
    )
    text = done.stdout.decode("cp949")
    assert not ESCAPE.search(text)
    assert "비율_k = z_k / Σ_j z_j" in text


@pytest.mark.parametrize("output_format", ["html", "markdown"])
def test_pages_are_utf_8_whatever_the_pipe(output_format):
    words = ("explain", "--logits", "2", "1", "--lang", "ko", "--format", output_format)
    outcomes = [
        run_process(*words, env={"PYTHONIOENCODING": encoding}) for encoding in ("cp949", "utf-8")
    ]
    assert outcomes[0].stdout == outcomes[1].stdout
    assert HANGUL.search(outcomes[0].stdout)


@pytest.mark.parametrize("columns", ["0", "1", "5", "00", "-5", "abc", "²", " 80 ", "9" * 20])
def test_a_width_that_no_screen_has_is_an_unknown_width(softmaxce, pets_model, columns):
    commands = (
        ("explain", "--logits", "1", "2"),
        ("evaluate", PETS / "test", "-m", pets_model, "-q"),
        ("info", pets_model),
        ("train", "--help"),
    )
    for words in commands:
        shown = softmaxce(*words, env={"COLUMNS": columns})
        assert shown == softmaxce(*words, env={"COLUMNS": ""})
        assert shown.exit_code == 0
        assert len(shown.stdout) > 100


@pytest.mark.parametrize("name", ["COLUMNS", "LINES"])
@pytest.mark.parametrize("value", ["0", "²", "-1"])
def test_notes_and_warnings_are_printed_on_any_screen(softmaxce, pets_model, tmp_path, name, value):
    (tmp_path / "bad.png").write_bytes(b"")
    image = PETS / "test" / "cat" / "cat-001.png"
    words = ("predict", image, "bad.png", "-m", pets_model, "--skip-bad")
    outcome = softmaxce(*words, env={name: value})
    assert outcome.exit_code == 0
    assert "1 file left out: bad.png" in outcome.stderr
    assert "probability" in outcome.stdout
