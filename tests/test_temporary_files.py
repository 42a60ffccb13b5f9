"""Temporary files: nobody removes one that is in use, and the next process removes the others."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from softmaxce.atomic_files import write_atomically
from softmaxce.temporary_files import TemporaryFile, remove_abandoned

HOLD = (
    "import sys\nfrom softmaxce.temporary_files import TemporaryFile\n"
    "file = TemporaryFile(sys.argv[1], 'x-')\nprint(file.path, flush=True)\nsys.stdin.read()\n"
)


@pytest.fixture
def holder(tmp_path):
    """A process that has a temporary file in `tmp_path`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        yield process
        process.kill()


def test_a_file_stays_while_its_process_lives(tmp_path, holder):
    path = holder.stdout.readline().decode().strip()
    (tmp_path / "x-abandoned").write_bytes(b"12345")
    (tmp_path / "another").touch()
    os.mkfifo(tmp_path / "x-fifo")
    (tmp_path / "x-folder").mkdir()
    (tmp_path / "x-link").symlink_to("another")
    assert remove_abandoned(tmp_path, "x-") == (2, 5)
    assert os.path.exists(path)
    holder.kill()
    holder.wait()
    TemporaryFile(tmp_path, "x-").close()
    assert sorted(os.listdir(tmp_path)) == ["another", "x-folder", "x-link"]


def test_a_file_that_is_removed_before_it_is_locked_is_made_again(tmp_path):
    stop = threading.Event()

    def sweep() -> None:
        while not stop.is_set():
            remove_abandoned(tmp_path, "x-")

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    try:
        for number in range(300):
            with TemporaryFile(tmp_path, "x-") as file:
                os.write(file.handle, b"whole")
                file.rename(tmp_path / str(number))
    finally:
        stop.set()
        sweeper.join()
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {b"whole"}


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path):
    code = (
        "import os, sys\nfrom softmaxce.atomic_files import write_atomically\n"
        "def chunks():\n    yield b'half'\n    os.kill(os.getpid(), 9)\n"
        "write_atomically(sys.argv[1], chunks())\n"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "file"], check=False)
    assert len(os.listdir(tmp_path)) == 1
    write_atomically(tmp_path / "other", [b"new"])
    assert os.listdir(tmp_path) == ["other"]
