"""What many tests need: the command line in a folder of its own, a trained model, the real data."""

from __future__ import annotations

import os
import shutil
import signal
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Before NumPy is loaded: on small arrays several BLAS threads mostly wait for each other.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
# What the tests start writes UTF-8, whatever the console in which they run.
os.environ["PYTHONIOENCODING"] = "utf-8"

import pytest
from helpers import CACHE, PETS, ROOT, SERVER, Outcome, run_command

# A shell ignores SIGINT in what it starts in the background, and so would the processes that the
# tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def _nothing_is_left_behind() -> Iterator[None]:
    """The process that runs commands ends with the tests, and their cache is removed."""
    yield
    SERVER.close()
    shutil.rmtree(CACHE, ignore_errors=True)


@pytest.fixture
def softmaxce(tmp_path: Path) -> Callable[..., Outcome]:
    """`softmaxce("train", …)`, run in the test's own folder."""

    def run(*words: object, **options: Any) -> Outcome:
        return run_command(*words, **{"cwd": tmp_path, **options})

    return run


@pytest.fixture(scope="session")
def pets_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained on the sample's training split, as in the README."""
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
