"""Saving: whatever call fails, the old file or the complete new one is there, and nothing else."""

from __future__ import annotations

import errno
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fault_tools import everything_below, make_model, strace
from helpers import draw_classes, fork, run_command

from softmaxce import atomic_files as atomic_files
from softmaxce.atomic_files import write_atomically
from softmaxce.errors import OutputError
from softmaxce.model.model_file import encode_model, save_model

pytestmark = pytest.mark.slow

OLD = encode_model(make_model(seed=1))
NEW = encode_model(make_model(seed=2))
needs_strace = pytest.mark.skipif(strace() is None, reason="strace is not here, or may not trace")


class Failing:
    """The module os, with the Nth call of one function failing."""

    def __init__(self, name: str, number: int) -> None:
        self.name, self.left = name, number

    def __getattr__(self, name: str) -> object:
        function = getattr(os, name)
        return self._counted(function) if name == self.name else function

    def _counted(self, function):
        def call(*words, **options):
            self.left -= 1
            if self.left == 0:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return function(*words, **options)

        return call


@pytest.mark.parametrize("has_old_file", [True, False])
@pytest.mark.parametrize("name", ["open", "fdopen", "fsync", "chmod", "replace", "unlink"])
def test_each_call_failing_in_turn(tmp_path, monkeypatch, name, has_old_file):
    path = tmp_path / "model.npz"
    for number in range(1, 20):
        path.unlink(missing_ok=True)
        if has_old_file:
            path.write_bytes(OLD)
        failing = Failing(name, number)
        monkeypatch.setattr(atomic_files, "os", failing)
        before = everything_below(tmp_path)
        fault = None
        try:
            write_atomically(path, [NEW[:100], NEW[100:]])
        except OutputError as error:
            fault = str(error)
        if fault:
            assert "Input/output error" in fault
            # Once renamed, the new file is complete, even if flushing its folder fails.
            renamed = {"model.npz": NEW}
            assert everything_below(tmp_path) in (
                [before, renamed] if name == "fsync" else [before]
            )
        else:
            assert path.read_bytes() == NEW
            if name != "unlink":  # it may leave the temporary file, which breaks no promise
                assert everything_below(tmp_path) == {"model.npz": NEW}
        if failing.left > 0:
            return  # no more such calls
    raise AssertionError(f"{name} is called without end")


SAVER = """
import os, sys
from softmaxce.errors import OutputError
from softmaxce.atomic_files import write_atomically
content = open(sys.argv[1], "rb").read()
for line in sys.stdin:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.read(reading, 1)
        try:
            write_atomically(sys.argv[2], [content])
        except OutputError:
            os._exit(1)
        except BaseException:
            os._exit(2)
        os._exit(0)
    print(child, flush=True)
    sys.stdin.readline()
    os.write(writing, b"x")
    os.close(writing), os.close(reading)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Saver:
    """A process that forks a saving child for each order, so that strace counts its calls alone."""

    def __init__(self, content: Path, target: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SAVER, content, target],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def save(self, *options: str) -> tuple[int, bool]:
        """Save with strace's `options`: the child's exit code, whether a fault was injected."""
        self._tell()
        child = self._hear()
        tracer = subprocess.Popen(
            [str(strace()), "-f", "-p", child, *options],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert tracer.stderr is not None
        assert "attached" in tracer.stderr.readline()
        self._tell()
        exit_code = int(self._hear())
        return exit_code, "(INJECTED)" in tracer.communicate(timeout=60)[1]

    def _tell(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")

    def _hear(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()


@needs_strace
@pytest.mark.parametrize("has_old_file", [True, False])
@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("write", "ENOSPC"),
        ("write", "EIO"),
        ("write", "EFBIG"),
        ("fsync", "EIO"),
        ("rename", "EACCES"),
        ("openat", "EACCES"),
        ("openat", "EMFILE"),
        ("chmod", "EPERM"),
        ("close", "EIO"),
    ],
)
def test_the_kernel_failing_the_nth_call(tmp_path, call, code, has_old_file):
    content, folder = tmp_path / "content", tmp_path / "folder"
    content.write_bytes(NEW)
    folder.mkdir()
    path = folder / "model.npz"
    saver = Saver(content, path)
    try:
        for number in range(1, 30):
            path.unlink(missing_ok=True)
            if has_old_file:
                path.write_bytes(OLD)
            before = everything_below(folder)
            inject = f"inject={call}:error={code}:when={number}"
            exit_code, was_injected = saver.save("-e", f"trace={call}", "-e", inject)
            after = everything_below(folder)
            assert exit_code in (0, 1)
            renamed = {"model.npz": NEW}
            failed = [before, renamed] if call == "fsync" else [before]
            assert after in (failed if exit_code else [renamed]), number
            if not was_injected:
                assert exit_code == 0
                return
    finally:
        saver.close()
    raise AssertionError("the call never stopped being made")


@needs_strace
@pytest.mark.parametrize("fault", ["fsync:error=EIO:when=1", "rename:error=ENOSPC:when=1"])
def test_a_training_whose_model_cannot_be_saved(tmp_path, fault):
    draw_classes(tmp_path / "d", {"bright": 9, "dark": 9})
    (tmp_path / "model.npz").write_bytes(OLD)
    words = ["-m", "softmaxce", "train", "d", "--quiet", "--jobs", "1"]
    command = [str(strace()), "-f", "-qq", "-o", "log", "-e", f"inject={fault}", sys.executable]
    done = subprocess.run(
        [*command, *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert re.fullmatch(r"Error: cannot write: model\.npz: .*\n", done.stderr)
    assert done.stdout == ""
    assert (tmp_path / "model.npz").read_bytes() == OLD
    assert sorted(os.listdir(tmp_path)) == ["d", "log", "model.npz"]


def test_a_file_too_large_for_its_limit(tmp_path):
    path = tmp_path / "model.npz"
    path.write_bytes(OLD)
    child = fork()
    if not child:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            save_model(make_model(seed=2), path)
        except OutputError as error:
            os._exit(3 if "too large" in str(error) else 4)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    assert everything_below(tmp_path) == {"model.npz": OLD}


def test_a_disk_that_is_full(tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    draw_classes(tmp_path / "d", {"bright": 9, "dark": 9})
    outcome = run_command("train", "d", "-o", "/dev/full", cwd=tmp_path)
    assert outcome.exit_code == 1
    assert outcome.stderr == "Error: cannot write: /dev/full: not a regular file\n"


def test_a_name_as_long_as_can_be(tmp_path):
    path = tmp_path / ("사" * 85)  # 255 bytes
    write_atomically(path, [NEW])
    write_atomically(path, [OLD])
    assert path.read_bytes() == OLD
    with pytest.raises(OutputError, match="too long"):
        atomic_files.check_can_write(tmp_path / ("사" * 86))
