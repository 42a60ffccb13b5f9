"""What many tests need: the command line as a function, small image folders, the real data."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
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
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture(autouse=True, scope="session")
def _no_cache_is_left() -> Iterator[None]:
    """The tests' cache is not the user's, and goes when they end."""
    yield
    shutil.rmtree(CACHE, ignore_errors=True)


@pytest.fixture
def softmaxce(tmp_path: Path) -> Callable[..., Outcome]:
    """`softmaxce("train", …)`, run in the test's own folder."""

    def run(*words: object, **options: Any) -> Outcome:
        return run_command(*words, **{"cwd": tmp_path, **options})

    return run


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


@pytest.fixture(scope="session")
def pets_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained on the sample's training part, as the README does."""
    path = tmp_path_factory.mktemp("pets") / "model.npz"
    outcome = run_command("train", PETS / "train", "-o", path)
    assert outcome.exit_code == 0, outcome.stderr
    return path


def _real_data(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real data set: $SOFTMAXCE_DATA/NAME, or unpacked from beside the project."""
    given = os.environ.get("SOFTMAXCE_DATA")
    if given and (Path(given) / name).is_dir():
        return Path(given) / name
    archives = sorted((ROOT.parent / "shared" / "data").glob(f"{name}-*.tar.gz"))
    if not archives:
        pytest.skip(f"the {name} images are not here (set SOFTMAXCE_DATA)")
    folder = tmp_path_factory.mktemp(name)
    with tarfile.open(archives[0]) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="session")
def mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The MNIST folders train/ and test/."""
    return _real_data("mnist", tmp_path_factory)


@pytest.fixture(scope="session")
def clothing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clothing photographs' folders train/ and validation/."""
    return _real_data("clothing", tmp_path_factory)
