"""Inputs without an end: refused as soon as that is known, and nothing waits for a writer."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from helpers import PETS, Outcome, assert_one_error_line, environment, needs_fork, run_command

from softmaxce.bounded_input import MAX_BYTES, open_regular, read_at_most

CAT = PETS / "test" / "cat" / "cat-001.png"
MEMORY = 1_500_000 * 1024


def limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def limited(cwd: Path, *words: object, stdin: object) -> subprocess.CompletedProcess[str]:
    """Run the program with little memory, and with this file as its standard input."""
    return subprocess.run(
        [sys.executable, "-m", "softmaxce", *map(str, words)],
        cwd=cwd,
        stdin=stdin,
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
        check=False,
        preexec_fn=limit_memory,
    )


@pytest.mark.parametrize("command", ["predict", "explain"])
@pytest.mark.parametrize("kind", ["device", "pipe", "sparse file"])
def test_standard_input_without_end(tmp_path, pets_model, command, kind):
    reading = None
    if kind == "pipe":
        reading, writing = os.pipe()

        def write() -> None:
            with os.fdopen(writing, "wb") as stream:
                try:
                    while True:
                        stream.write(bytes(2**20))
                except BrokenPipeError:
                    pass

        writer = threading.Thread(target=write)
        writer.start()
    elif kind == "device":
        reading = os.open("/dev/zero", os.O_RDONLY)
    else:
        (tmp_path / "sparse").touch()
        os.truncate(tmp_path / "sparse", 2**40)
        reading = os.open(tmp_path / "sparse", os.O_RDONLY)
    done = limited(tmp_path, command, "-", "-m", pets_model, stdin=reading)
    os.close(reading)
    if kind == "pipe":
        writer.join()
    assert done.returncode == 1
    assert done.stderr == "Error: cannot read standard input: -: more than 256 MB\n"


def odd_paths(folder: Path) -> dict[str, Path]:
    """Names of inputs of each kind that are a FIFO, a device or a file of 1 TB."""
    for name in ("fifo.png", "fifo.npz", "fifo.csv", "train-images-idx3-ubyte"):
        os.mkfifo(folder / name)
    for suffix in ("png", "webp", "tif", "csv", "npz", "npy"):
        with open(folder / f"large.{suffix}", "wb") as stream:
            stream.write(b"RIFF\xff\xff\xff\x7fWEBPVP8 " if suffix == "webp" else b"path,label\n")
            stream.truncate(2**40)
    (folder / "zero.png").symlink_to("/dev/zero")
    return {path.name: path for path in folder.iterdir()}


CASES = [
    ("predict", "fifo.png"),
    ("predict", "zero.png"),
    ("predict", "/dev/zero"),
    ("predict", "large.png"),
    ("predict", "large.webp"),
    ("predict", "large.tif"),
    ("explain", "fifo.png"),
    ("explain", "large.webp"),
    ("train", "fifo.csv"),
    ("train", "fifo.npz"),
    ("train", "."),  # a folder of IDX files
    ("train", "train-images-idx3-ubyte"),
    ("train", "/dev/zero"),
    ("train", "large.csv"),
    ("train", "large.npz"),
    ("train", "large.npy"),
    ("evaluate", "."),
    ("check", "."),
    ("info", "fifo.npz"),
    ("info", "/dev/zero"),
    ("info", "large.npz"),
    ("export", "large.npz", "-o", "model.h"),
    ("compare", "fifo.npz", "/dev/zero", "."),
    ("predict", str(CAT), "-m", "fifo.npz"),
    ("predict", str(CAT), "-m", "/dev/zero"),
    ("predict", str(CAT), "-m", "large.npz"),
]
# Runs each list of words in standard input in a forked copy of itself.
RUN_ALL = """
import json, os, sys
from softmaxce.cli import main
for number, words in enumerate(json.load(sys.stdin)):
    if not os.fork():
        for stream in (1, 2):
            os.dup2(os.open(f"out.{number}.{stream}", os.O_WRONLY | os.O_CREAT), stream)
        sys.argv = ["softmaxce", *words]
        main()
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory, pets_model) -> list[Outcome]:
    """What each of CASES ended with, in one process with little memory."""
    needs_fork()
    folder = tmp_path_factory.mktemp("odd")
    odd_paths(folder)
    words = []
    for case in CASES:
        needs_model = case[0] in ("predict", "explain", "evaluate") and "-m" not in case
        words.append([*case, *(("-m", str(pets_model)) if needs_model else ())])
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL],
        cwd=folder,
        input=json.dumps(words).encode(),
        capture_output=True,
        env=environment(),
        timeout=120,
        check=True,
        preexec_fn=limit_memory,
    )
    return [
        Outcome(int(code), *((folder / f"out.{number}.{i}").read_text() for i in (1, 2)))
        for number, code in enumerate(done.stdout.split())
    ]


@pytest.mark.parametrize(
    "number",
    range(len(CASES)),
    ids=[" ".join(Path(word).name for word in words) for words in CASES],
)
def test_no_input_is_waited_for_or_read_without_end(outcomes, number):
    assert_one_error_line(outcomes[number], 1)
    assert "memory" not in outcomes[number].stderr


def test_the_limit_is_exact(tmp_path):
    (tmp_path / "file").write_bytes(b"1234")
    for max_bytes in (4, None):
        with open(open_regular(tmp_path / "file", max_bytes), "rb") as stream:
            assert read_at_most(stream, 4) == b"1234"
    with pytest.raises(OSError, match="more than 0 MB"):
        open_regular(tmp_path / "file", 3)
    with open(tmp_path / "file", "rb") as stream, pytest.raises(OSError, match="more than 0 MB"):
        read_at_most(stream, 3)
    assert MAX_BYTES == 256 * 2**20


def test_an_image_from_a_pipe_is_read(pets_model):
    done = run_command("predict", "-", "-m", pets_model, stdin=CAT.read_bytes())
    assert done.exit_code == 0
    empty = run_command("predict", "-", "-m", pets_model)
    assert_one_error_line(empty, 1, "empty")
