"""The commands of docs/explain.md run, and its table names the lesson's steps."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from softmaxce import lesson

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "explain.md").read_text("utf-8")
COMMANDS = re.findall(r"^softmaxce (.*)$", TEXT, re.M)


def test_there_are_commands():
    assert len(COMMANDS) >= 10


@pytest.fixture
def folder(tmp_path, request):
    """A folder as the reader has it: the sample, and a model if the command wants one."""
    if any(name in request.node.name for name in ("cat-001.png", "model.npz")):
        shutil.copy(request.getfixturevalue("pets_model"), tmp_path / "model.npz")
        (tmp_path / "data").symlink_to(ROOT / "data")
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_runs(softmaxce, folder, command):
    done = softmaxce(*shlex.split(command), cwd=folder)
    assert done.exit_code == 0, done.stderr
    assert done.stdout or "-o" in command


def test_the_table_names_each_step_in_order():
    named = re.findall(r"^\| ([^|]+) \| `(\w+)` \|", TEXT, re.M)
    steps = [(template.title, template.name) for template, _ in lesson.STEPS]
    assert named == [("From image to input", "image"), *steps]
