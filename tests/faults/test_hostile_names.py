"""Names of classes and files are data: shown escaped, kept exactly, never obeyed."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from helpers import needs_both_unicode_forms, run_command
from PIL import Image

from softmaxce.views.formatting import command
from softmaxce.views.safe_text import visible

NAMES = sorted(
    [
        "[red]markup[~]",
        "[bold",
        "a\x1b[31mb\x1b]0;title\x07",
        ":smiley:",
        "two\nlines",
        "tab\tand\rreturn",
        "-dash",
        "--help",
        "=1+1",
        "+1",
        "@SUM(A1)",
        "bytes\udcff\udc80",
        "\u202eright to left",
        "사람",
        "cafe\u0301",
        "👩\u200d👩",
        "quote\"'`$(touch pwned)",
        "comma,semicolon;",
        "%s {0} \\n",
        "nul\x01\x7f\x9b",
    ]
)
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u200d\ud800-\udfff]")
STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Path:
    """A folder with `data`, one hostile class folder for each name, and a model of it."""
    folder = tmp_path_factory.mktemp("names")
    needs_both_unicode_forms(folder)
    random = np.random.default_rng(0)
    try:
        for position, name in enumerate(NAMES):
            (folder / "data" / name).mkdir(parents=True)
            for number in range(3):
                values = random.normal(10 * position, 2, (3, 3)).clip(0, 255).astype(np.uint8)
                Image.fromarray(values).save(folder / "data" / name / f"{name}{number}.png")
    except OSError:
        pytest.skip("the file system takes no such names")
    outcome = run_command("train", "data", "--format", "json", cwd=folder)
    assert outcome.exit_code == 0, outcome.stderr
    assert outcome.json["classes"] == NAMES
    return folder


def assert_harmless(text: str) -> None:
    assert not CONTROL.search(text), CONTROL.search(text)


@pytest.mark.parametrize(
    "words",
    [
        ("train", "data", "-o", "again.npz"),
        ("evaluate", "data", "--details"),
        ("predict", "data"),
        ("predict", "--", f"data/{NAMES[0]}/{NAMES[0]}0.png"),
        ("predict", "data/-dash/-dash0.png", "--label", "a\x1b[31mb\x1b]0;title\x07"),
        ("info", "model.npz"),
        ("export", "model.npz", "-o", "model.h"),
        ("check", "data"),
        ("compare", "model.npz", "model.npz", "data"),
        ("explain", "data/--help/--help0.png"),
    ],
    ids=lambda words: words[0],
)
def test_text_shows_names_escaped(hostile, words):
    outcome = run_command(*words, cwd=hostile, env={"COLUMNS": "1000"})
    assert outcome.exit_code == 0, outcome.stderr
    assert_harmless(outcome.stdout + outcome.stderr)
    if words[0] in ("evaluate", "info") or words == ("predict", "data"):
        shown = unicodedata.normalize("NFC", outcome.stdout)
        for name in NAMES:
            assert unicodedata.normalize("NFC", visible(name)) in shown
    assert not (hostile / "pwned").exists()


def test_json_keeps_names_exactly(hostile):
    result = run_command("evaluate", "data", "--format", "json", cwd=hostile).json
    assert result["confusion_matrix"]["classes"] == NAMES
    assert list(result["per_class"]) == NAMES
    outcome = run_command("predict", "data", "--format", "json", cwd=hostile)
    assert outcome.stdout.isascii()
    rows = outcome.json["predictions"]
    assert {row["path"] for row in rows} == {
        f"data/{name}/{name}{number}.png" for name in NAMES for number in range(3)
    }
    for row in rows:
        assert Path(hostile, row["path"]).is_file()
        assert list(row["probabilities"]) == NAMES
    lines = run_command("predict", "data", "--format", "jsonl", cwd=hostile).stdout.splitlines()
    assert [json.loads(line) for line in lines] == rows
    assert run_command("info", "model.npz", "--format", "json", cwd=hostile).exit_code == 0


@pytest.mark.parametrize("command_name", ["predict", "evaluate"])
def test_csv_cells_are_not_executed(hostile, command_name):
    (hostile / "starts").mkdir(exist_ok=True)
    for name in NAMES:
        source = hostile / "data" / name / f"{name}0.png"
        shutil.copy(source, hostile / "starts" / f"{name}.png")
    folder = hostile / "starts" if command_name == "predict" else hostile
    words = [f"./{path.name}" for path in sorted(folder.iterdir()) if path.suffix == ".png"]
    words = [word.removeprefix("./") for word in words if word.startswith("./=")] + words[:3]
    given = words if command_name == "predict" else ["data"]
    model = hostile / "model.npz"
    outcome = run_command(command_name, "-m", model, "--format", "csv", "--", *given, cwd=folder)
    assert outcome.exit_code == 0, outcome.stderr
    assert_harmless(outcome.stdout)
    rows = list(csv.reader(io.StringIO(outcome.stdout)))
    assert len(rows) == outcome.stdout.count("\n")
    for cell in (cell for row in rows for cell in row):
        is_number = re.fullmatch(r"-?[\d.]+(e-?\d+)?", cell)
        assert is_number or not cell.startswith(STARTS_FORMULA), cell


def test_errors_show_names_escaped(hostile):
    for words in (
        ("train", "a\x1b[31m\n[red]", "-o", "x.npz"),
        ("predict", "data", "--label", "\x1b[31m\udcff"),
        ("predict", "\x1b[31m.png"),
        ("evaluate", "data", "-m", "\x1b[31m.npz"),
        ("train", "data", "--size", "\x1b[31m"),
        ("\x1b[31mfly",),
        ("train", "--\x1b[31m"),
    ):
        outcome = run_command(*words, cwd=hostile)
        assert outcome.exit_code in (1, 2)
        assert outcome.stderr.count("\n") == 1
        assert "\\x1b[31m" in outcome.stderr
        assert_harmless(outcome.stderr)


def test_the_next_command_can_be_pasted(hostile):
    outcome = run_command("train", "data", "-o", "e\x1b\udcff.npz", cwd=hostile)
    (pasted,) = re.findall(r"Next:  softmaxce (.*)\n", outcome.stdout)
    shell = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -m softmaxce {pasted} --format json'],
        cwd=hostile,
        capture_output=True,
        check=False,
    )
    assert shell.returncode == 0, shell.stderr
    assert os.path.exists(os.fsencode(hostile) + b"/e\x1b\xff.npz")


def test_a_command_is_quoted_for_the_shell():
    words = ("plain", "with space", "a'b", "a\x1b'\\b", "bytes\udcff", "사람\n")
    printed = subprocess.run(
        ["bash", "-c", "printf '%s\\0' " + command(*words)], capture_output=True, check=True
    )
    expected = b"".join(word.encode("utf-8", "surrogateescape") + b"\0" for word in words)
    assert printed.stdout == expected
