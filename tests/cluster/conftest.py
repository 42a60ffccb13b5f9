"""Enough images for the solver to sum them on the workers, and the model of one machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster_tools import Processes
from helpers import draw_classes, run_command

HIDE = 'mount -t tmpfs none "$1" && shift && exec "$@"'


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders train/ and test/: more rows than the preconditioner's sample has."""
    folder = tmp_path_factory.mktemp("many")
    draw_classes(folder / "train", dict.fromkeys("abc", 5500), mode="L")
    draw_classes(folder / "test", dict.fromkeys("abc", 300), mode="L", seed=1)
    return folder


@pytest.fixture(scope="session")
def local_model(many: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model that this machine alone trains on them."""
    path = tmp_path_factory.mktemp("local") / "local.npz"
    outcome = run_command("train", many, "-o", path)
    assert outcome.exit_code == 0, outcome.stderr
    return path


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Processes]:
    """A cluster without workers yet."""
    pytest.importorskip("distributed", reason="Dask is not installed")
    with Processes(tmp_path / "cluster") as processes:
        processes.start_scheduler()
        yield processes


@pytest.fixture
def hidden_from(many: Path) -> tuple[str, ...]:
    """A prefix for a command that hides the images from it."""
    words = ("unshare", "--mount", "sh", "-c", HIDE, "sh", str(many))
    if os.geteuid() or not shutil.which("unshare"):
        pytest.skip("hiding a folder from a process needs root and unshare")
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine allows no mount namespaces")
    return words
