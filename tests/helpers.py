"""What many tests need: the command line as a function, small image folders."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).parent.parent
PETS = ROOT / "data" / "pets"
CACHE = Path(tempfile.gettempdir(), f"softmaxce-test-cache-{os.getpid()}")


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
            raise AssertionError(f"{word} is no JSON")

        return json.loads(self.stdout, parse_constant=refuse)


def run_command(
    *words: object,
    cwd: Path | None = None,
    stdin: bytes | None = None,
    env: dict[str, str] | None = None,
) -> Outcome:
    """Run `softmaxce WORDS` in a process of its own, without a terminal."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SOFTMAXCE_", "FORCE_"))}
    done = subprocess.run(
        [sys.executable, "-m", "softmaxce", *map(str, words)],
        cwd=cwd,
        input=stdin if stdin is not None else b"",
        capture_output=True,
        env={
            **clean,
            "SOFTMAXCE_CACHE": str(CACHE),
            "COLUMNS": "80",
            "PYTHONWARNINGS": "error",
            **(env or {}),
        },
        timeout=300,
        check=False,
    )
    stdout, stderr = (os.fsdecode(stream) for stream in (done.stdout, done.stderr))
    return Outcome(done.returncode, stdout, stderr)


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
