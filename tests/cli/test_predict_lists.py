"""`predict --files-from`: lists of images, as other programs print them; and the tally."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest
from helpers import PETS, assert_one_error_line, environment

CAT, DOG = (PETS / "test" / name / f"{name}-001.png" for name in ("cat", "dog"))
NAMES = ["plain.png", " a b .png", "-k.png", "-", "고양이.png", "caf\udce9.png", '=1,"x".png']


@pytest.fixture
def predicted(softmaxce, pets_model, tmp_path):
    """The rows of `predict WORDS`, run in a folder with an image of each of NAMES."""
    for name in [*NAMES, "two\nlines.png"]:
        shutil.copy(CAT, tmp_path / name)

    def run(*words, stdin=b""):
        outcome = softmaxce("predict", *words, "-m", pets_model, "--format", "jsonl", stdin=stdin)
        assert outcome.exit_code == 0, outcome.stderr
        return [json.loads(line) for line in outcome.stdout.splitlines()]

    return run


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n", "\0"])
@pytest.mark.parametrize("last", [True, False])
def test_every_name_of_a_list_is_predicted(predicted, tmp_path, end, last):
    content = os.fsencode(end.join(NAMES) + end * last)
    options = ["-0"] * (end == "\0")
    expected = ["./-" if name == "-" else name for name in NAMES]
    (tmp_path / "list.txt").write_bytes(content)
    filed = predicted("--files-from", "list.txt", *options)
    assert [row["path"] for row in filed] == expected
    assert len({row["probability"] for row in filed}) == 1
    assert predicted("--files-from", "-", *options, stdin=content) == filed


def test_a_name_with_a_newline_needs_nul(predicted):
    rows = predicted("--null", "--files-from", "-", stdin=b"two\nlines.png\0plain.png")
    assert [row["path"] for row in rows] == ["two\nlines.png", "plain.png"]


def test_a_list_from_windows_may_start_with_a_byte_order_mark(predicted):
    (row,) = predicted("--files-from", "-", stdin=b"\xef\xbb\xbfplain.png\r\n")
    assert row["path"] == "plain.png"


def test_a_list_continues_what_the_command_line_names(predicted):
    rows = predicted(DOG, PETS / "test" / "cat", "--files-from", "-", stdin=b"plain.png\n-k.png")
    assert [row["path"] for row in rows[::41]] == [str(DOG), "plain.png"]
    assert rows[-1]["path"] == "-k.png"


def test_an_image_from_stdin_and_a_list_from_a_file(predicted, tmp_path):
    (tmp_path / "list").write_text("-\n")
    rows = predicted("-", "--files-from", "list", stdin=DOG.read_bytes())
    assert [row["path"] for row in rows] == ["-", "./-"]
    assert rows[0]["probability"] != rows[1]["probability"]


@pytest.mark.skipif(not os.path.exists("/dev/fd"), reason="no process substitution")
def test_a_list_from_a_process(pets_model):
    command = f"{sys.executable} -m softmaxce predict -m {pets_model} --format csv --files-from"
    listing = f"<(find {PETS}/test -name '*-00?.png')"
    done = subprocess.run(
        ["bash", "-c", f"{command} {listing}"], capture_output=True, env=environment(), check=True
    )
    assert done.stdout.count(b"\n") == 1 + 27


def test_missing_files_and_folders_of_a_list_are_counted(softmaxce, pets_model, tmp_path):
    shutil.copy(CAT, tmp_path / "a.png")
    (tmp_path / "folder").mkdir()
    (tmp_path / "l").write_text("gone.png\na.png\nfolder\nhttps://a.org/b.png\n")
    words = ("predict", "--files-from", "l", "-m", pets_model)
    assert_one_error_line(softmaxce(*words), 1, "gone.png: no such file (and 2 more)", "--skip-bad")
    outcome = softmaxce(*words, "--skip-bad")
    assert outcome.exit_code == 0
    assert outcome.stdout.endswith("\nPredicted: dog 1; 3 could not be read\n")
    assert "3 files left out: gone.png" in outcome.stderr
    assert "folder: it is a folder" in outcome.stderr


@pytest.mark.parametrize(
    ("words", "content", "exit_code", "fragments"),
    [
        (["--files-from", "-"], b"", 1, ["list of images: -: it contains no paths"]),
        (["--files-from", "-", CAT], b"\r\n\n", 1, ["no paths"]),
        (["--files-from", "-", "-0"], b"\0\0", 1, ["no paths"]),
        (["--files-from", "-"], b"a.png\0b.png\0", 1, ["-: it contains NUL", "--null"]),
        (["--files-from", "-"], "a.png\n".encode("utf-16"), 1, ["-: it contains NUL", "UTF-8"]),
        (["--files-from", "gone"], b"", 1, ["gone: no such file"]),
        (["-0", "--files-from", "-"], b"a.png\nb.png\n", 1, ["no NUL characters; omit --null"]),
        (["--null", "--files-from", "-"], b"a.png\r\n", 1, ["no NUL characters; omit --null"]),
        (["--files-from", "."], b"", 1, [".: it is a folder"]),
        (["--files-from", ""], b"", 2, ["--files-from", "empty"]),
        (["--files-from", "-", "-"], b"a.png", 2, ["stdin", "--files-from"]),
        (["--null", CAT], b"", 2, ["--null needs --files-from"]),
        ([], b"", 2, ["IMAGE", "--files-from"]),
    ],
)
def test_unusable_lists(softmaxce, pets_model, words, content, exit_code, fragments):
    outcome = softmaxce("predict", *words, "-m", pets_model, stdin=content)
    assert_one_error_line(outcome, exit_code, *fragments)


@pytest.mark.parametrize(
    ("content", "option"),
    [
        (b"photos/a.png\nphotos/b.png\n", "for a list of paths, use --files-from {}"),
        (b"photos/a.png\r\n", "for a list of paths, use --files-from {}"),
        (b"./A B.JPG", "for a list of paths, use --files-from {}"),
        (
            b".\n./a.txt\n",
            "for a list of paths, use --files-from {}",
        ),  # `find .` names the folder first
        (b"a.png\0b.png\0", "for a list of paths, use --files-from {} --null"),
        (b"caf\xe9.jpeg\n", "for a list of paths, use --files-from {}"),
        (b"hello, world\n", None),
        (CAT.read_bytes()[:99], None),
        (b"", None),
    ],
)
def test_a_list_where_an_image_is_expected(softmaxce, pets_model, tmp_path, content, option):
    (tmp_path / "list").write_bytes(content)
    for image, stdin in (("-", content), ("list", b"")):
        outcome = softmaxce("predict", image, "-m", pets_model, stdin=stdin)
        hint = f"; {option.format(image)}\n" if option else "\n"
        assert_one_error_line(outcome, 1, image, hint)
        assert "--skip-bad" not in outcome.stderr
        assert ("--files-from" in outcome.stderr) == bool(option)


def test_a_tally_of_many_images(softmaxce, pets_model, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"")
    words = ("predict", PETS / "test", "bad.png", "-m", pets_model, "--skip-bad")
    rows = softmaxce(*words, "--format", "json").json["predictions"]
    found = [row.get("predicted") for row in rows]
    counts = sorted(((found.count(c), c) for c in ("cat", "dog", "person")), reverse=True)
    tally = ", ".join(f"{name} {count}" for count, name in counts)
    text = softmaxce(*words).stdout
    assert text.splitlines()[-1] == f"Predicted: {tally}; 1 could not be read"
    assert sum(count for count, _ in counts) == 120
    for output_format in ("json", "jsonl", "csv"):
        assert "Predicted:" not in softmaxce(*words, "--format", output_format).stdout
    assert "Predicted:" not in softmaxce("predict", CAT, "-m", pets_model).stdout
    assert "Predicted: dog 2\n" in softmaxce("predict", CAT, CAT, "-m", pets_model).stdout
