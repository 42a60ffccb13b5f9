"""What the documents say is what the program does."""

from __future__ import annotations

import re

import pytest
import readme
from helpers import ROOT

from softmaxce.cli import commands

TEXT = readme.README.read_text()
_NUMBER = re.compile(r"\d[\d,]*\.?\d*(?:e[-+]?\d+)?")
_SECONDS = re.compile(r"\d+\.\d+ s\b")


@pytest.fixture(scope="module")
def real_outputs():
    """Every example, run once in order in one folder."""
    names = {}
    with readme.playground() as folder:
        return [(example, readme.run(example, folder, names)) for example in readme.examples(TEXT)]


def test_every_example_prints_what_the_readme_shows(real_outputs):
    assert len(real_outputs) >= 8
    for example, output in real_outputs:
        shown, real = (_SECONDS.sub("T s", text) for text in (example.output, output))
        assert _words(real) == _words(shown), f"run `python tools/readme.py update`: {example}"
        # The last digits may differ on another processor; nothing else may.
        for ours, theirs in zip(_numbers(shown), _numbers(real), strict=True):
            assert ours == pytest.approx(theirs, rel=0.05, abs=0.02), example.source


def _words(text):
    return re.sub(r"[█#─ ]+", " ", _NUMBER.sub("#", text))


def _numbers(text):
    return [float(number.replace(",", "")) for number in _NUMBER.findall(text)]


def test_every_command_is_documented():
    for name in commands.commands:
        assert f"softmaxce {name}" in TEXT, name


def test_every_option_the_readme_names_exists():
    known = {"--version", "--help", "--debug"}
    for command in commands.commands.values():
        known |= {option for parameter in command.params for option in parameter.opts}
    for block in re.findall(r"`(softmaxce [^`]*)`|^\$ (softmaxce .*)$", TEXT, re.MULTILINE):
        for option in re.findall(r"(?<!\S)--[a-z][a-z0-9-]*", " ".join(block)):
            assert option in known, option


def test_links_lead_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
