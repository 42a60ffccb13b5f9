"""Each command in a new Python process: it works, it fails as it should, and the process that the
other tests fork (`tests/command_server.py`) does exactly the same."""

from __future__ import annotations

import re

import pytest
from helpers import assert_one_error_line, draw_classes, run_command, run_process

from softmaxce.cli import commands

WORKING = {
    "train": ("data", "-o", "model.npz"),
    "predict": ("data/dark/000.png",),
    "evaluate": ("data", "--format", "json"),
    "explain": ("--logits", 0.2, 0.3),
    "check": ("data",),
    "compare": ("model.npz", "model.npz", "data"),
    "info": (),
    "export": ("-o", "model.h", "--format", "json"),
    "cache": ("info", "--cache", "none", "--format", "json"),
}
FAILING = {
    "train": (("nowhere",), 1, "no such folder: nowhere"),
    "predict": (("nowhere.png",), 1, "nowhere.png"),
    "evaluate": (("data", "--coverage", 2), 2, "--coverage"),
    "explain": ((), 2, "--logits"),
    "check": (("nowhere",), 1, "no such folder: nowhere"),
    "compare": (("model.npz", "none.npz", "data"), 1, "none.npz"),
    "info": (("none.npz",), 1, "none.npz"),
    "export": (("none.npz", "-o", "model.h"), 1, "none.npz"),
    "cache": (("clear", "--nonsense"), 2, "--nonsense"),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a small data set and a model of it."""
    folder = tmp_path_factory.mktemp("place")
    draw_classes(folder / "data", {"bright": 6, "dark": 6})
    assert run_command("train", "data", "-q", cwd=folder).exit_code == 0
    return folder


def without_times(text: str) -> str:
    """The text with its seconds replaced; and without the progress, whose lines depend on them."""
    lines = [line for line in text.splitlines() if not line.startswith("Fitting")]
    return re.sub(r"\d+\.\d+ s\b", "T s", "\n".join(lines))


def test_every_command_is_tried():
    assert WORKING.keys() == FAILING.keys() == commands.commands.keys()


@pytest.mark.parametrize("name", WORKING)
def test_a_command_that_works(place, name):
    outcome = run_process(name, *WORKING[name], cwd=place)
    assert outcome.exit_code == 0, outcome.stderr
    assert outcome.stdout
    forked = run_command(name, *WORKING[name], cwd=place)
    assert forked.exit_code == 0
    assert without_times(forked.stdout) == without_times(outcome.stdout)
    assert without_times(forked.stderr) == without_times(outcome.stderr)


@pytest.mark.parametrize("name", FAILING)
def test_a_command_that_fails(place, name):
    words, exit_code, fragment = FAILING[name]
    outcome = run_process(name, *words, cwd=place)
    assert_one_error_line(outcome, exit_code, fragment)
    assert run_command(name, *words, cwd=place) == outcome


def test_both_read_stdin(place):
    image = (place / "data" / "dark" / "000.png").read_bytes()
    outcome = run_process("predict", "-", "--format", "json", cwd=place, stdin=image)
    assert outcome.json["predictions"][0]["predicted"] == "dark"
    assert run_command("predict", "-", "--format", "json", cwd=place, stdin=image) == outcome
