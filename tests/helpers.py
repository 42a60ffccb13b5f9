"""What many tests need: the command line as a function, and folders of small images."""

from __future__ import annotations

import gettext
import json
import os
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from softmaxce.language import CATALOGS, Translate

ROOT = Path(__file__).parent.parent
PETS = ROOT / "data" / "pets"
CACHE = Path(tempfile.gettempdir(), f"softmaxce-test-cache-{os.getpid()}")
MAX_SECONDS = 300
CAN_FORK = hasattr(os, "fork")
START_METHODS = ["fork", "spawn"] if CAN_FORK else ["spawn"]


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """stdout as strict JSON."""

        def refuse(word: str) -> None:
            raise AssertionError(f"{word} is not JSON")

        return json.loads(self.stdout, parse_constant=refuse)


NOT_INHERITED = ("SOFTMAXCE_", "FORCE_", "OPENBLAS_")


def environment(**more: str) -> dict[str, str]:
    """The environment of a command: the tests' cache, 80 columns, and warnings as errors."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(NOT_INHERITED)}
    own = {"SOFTMAXCE_CACHE": str(CACHE), "COLUMNS": "80", "PYTHONWARNINGS": "error"}
    return {**inherited, **own, **more}


def run_process(
    *words: object,
    cwd: Path | None = None,
    stdin: bytes = b"",
    env: dict[str, str] | None = None,
) -> Outcome:
    """Run `softmaxce WORDS` in a new Python, without a terminal.

    For tests of starting, importing, encodings, and all else that is settled before `main`;
    `run_command` does the same sooner.
    """
    done = subprocess.run(
        [sys.executable, "-m", "softmaxce", *map(str, words)],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        env=environment(**(env or {})),
        timeout=MAX_SECONDS,
        check=False,
    )
    return Outcome(done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr))


def run_command(
    *words: object,
    cwd: Path | None = None,
    stdin: bytes = b"",
    env: dict[str, str] | None = None,
) -> Outcome:
    """Run `softmaxce WORDS` in a process of its own that need not load Python (command_server)."""
    env = env or {}
    assert not any(name.startswith("PYTHON") for name in env), "use run_process"
    if not CAN_FORK:
        return run_process(*words, cwd=cwd, stdin=stdin, env=env)
    return SERVER.run([*map(str, words)], cwd or Path.cwd(), stdin, environment(**env))


class CommandServer:
    """The process of `command_server.py`, started when the first command needs it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, words: list[str], cwd: Path, stdin: bytes, env: dict[str, str]) -> Outcome:
        """Run one command and wait for its end."""
        if self._process is None:
            self._start()
        streams = Path(self._folder.name)
        for name, content in (("stdin", stdin), ("stdout", b""), ("stderr", b"")):
            (streams / name).write_bytes(content)
        request = {"words": words, "cwd": str(cwd), "env": env, "streams": str(streams)}
        self._requests.write(json.dumps(request) + "\n")
        self._requests.flush()
        exit_code = int(self._requests.readline())
        stdout, stderr = ((streams / name).read_bytes() for name in ("stdout", "stderr"))
        return Outcome(exit_code, os.fsdecode(stdout), os.fsdecode(stderr))

    def _start(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            one_thread = {f"{name}_NUM_THREADS": "1" for name in ("OPENBLAS", "MKL", "OMP")}
            self._process = subprocess.Popen(
                [sys.executable, ROOT / "tests" / "command_server.py", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                env=environment(**one_thread),
                pass_fds=[theirs.fileno()],
            )
            self._requests = ours.makefile("rw", encoding="utf-8")

    def close(self) -> None:
        """End the process and remove its files."""
        if self._process is not None:
            self._requests.close()
            self._process.wait()
            self._folder.cleanup()


SERVER = CommandServer()


def needs_fork() -> None:
    """Skip the test where processes cannot be forked, as on Windows."""
    if not CAN_FORK:
        pytest.skip("processes cannot be forked here")


def needs_both_unicode_forms(folder: Path) -> None:
    """Skip the test where files cannot have names that differ in their Unicode form alone."""
    for form in ("e\u0301", "\u00e9"):
        (folder / form).touch()
    created = [name for name in ("e\u0301", "\u00e9") if name in os.listdir(folder)]
    for name in created:
        (folder / name).unlink()
    if len(created) < 2:
        pytest.skip("the file system takes one Unicode form for another")


def fork() -> int:
    """os.fork; where there is none, the test is skipped."""
    needs_fork()
    return os.fork()


def assert_one_error_line(outcome: Outcome, exit_code: int, *fragments: str) -> None:
    """The contract for errors: nothing on stdout, one line on stderr, the right exit code."""
    assert outcome.exit_code == exit_code, outcome
    assert outcome.stdout == ""
    assert outcome.stderr.startswith("Error: ")
    assert outcome.stderr.count("\n") == 1
    for fragment in fragments:
        assert fragment in outcome.stderr


def draw_classes(
    folder: Path, counts: dict[str, int], *, side: int = 8, mode: str = "RGB", seed: int = 0
) -> Path:
    """Class folders of noisy pictures; each class has a brightness of its own, so can be learnt."""
    random = np.random.default_rng(seed)
    for position, (name, count) in enumerate(counts.items()):
        (folder / name).mkdir(parents=True, exist_ok=True)
        level = 40 + 170 * position / max(1, len(counts) - 1)
        for number in range(count):
            shape = (side, side) if mode == "L" else (side, side, 3)
            values = np.clip(random.normal(level, 25, shape), 0, 255).astype(np.uint8)
            Image.fromarray(values).save(folder / name / f"{number:03}.png")
    return folder


def draw_photographs(folder: Path, seed: int) -> None:
    """Two classes of 150 JPEG files of noise, which take more than a second to decode."""
    random = np.random.default_rng(seed)
    for name in ("dark", "light"):
        (folder / name).mkdir(parents=True)
        for number in range(150):
            pixels = random.integers(0, 256, (300, 400, 3), np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.jpg")


def translator(language: str) -> Translate:
    """The function from an English message of the lesson to the same message in `language`."""
    if language == "en":
        return lambda message: message
    return gettext.translation("softmaxce", CATALOGS, [language]).gettext
