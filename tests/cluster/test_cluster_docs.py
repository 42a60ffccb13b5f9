"""The commands of docs/cluster.md run, with this machine as the first machine."""

from __future__ import annotations

import subprocess
import sys

import pytest
import readme
from cluster_tools import environment, free_port
from helpers import PETS, ROOT

pytestmark = [pytest.mark.slow, pytest.mark.cluster]


def test_the_commands_of_the_page_run(tmp_path):
    pytest.importorskip("distributed", reason="Dask is not installed")
    page = ROOT / "docs" / "cluster.md"
    install, settings, start, use = [body for _, body in readme.snippets(page)]
    assert install == "pip install 'softmaxce[dask]'\n"
    (tmp_path / "photos").symlink_to(PETS)
    port = str(free_port())
    start, use = (
        text.replace("FIRST-MACHINE", "127.0.0.1").replace("8786", port) for text in (start, use)
    )
    scheduler, worker = start.splitlines()
    running = []
    try:
        for number, command in enumerate((scheduler, worker, worker)):
            program = command.replace("dask", f"exec {sys.executable} -m dask", 1)
            with open(tmp_path / f"{number}.log", "wb") as log:
                words = ["bash", "-c", f"{settings}\n{program} --no-dashboard"]
                running.append(
                    subprocess.Popen(words, stdout=log, stderr=log, cwd=tmp_path, env=environment())
                )
        done = readme.shell(f"set -e\n{settings}\n{use}", tmp_path)
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait()
    assert done.returncode == 0, done.stderr
