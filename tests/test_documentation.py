"""What the documents say is what the program does."""

from __future__ import annotations

import operator
import re

import pytest
import readme
from helpers import ROOT

from softmaxce.cli import commands

_NUMBER = re.compile(r"\d[\d,]*\.?\d*(?:e[-+]?\d+)?")
_SECONDS = re.compile(r"\d+\.\d+ s\b")
by_name = operator.attrgetter("name")


@pytest.mark.parametrize("path", readme.PAGES_WITH_OUTPUTS, ids=by_name)
def test_every_example_prints_what_the_page_shows(path):
    examples = readme.examples(path.read_text("utf-8"))
    assert len(examples) >= (6 if path in readme.READMES else 1)
    names = {}
    with readme.playground() as folder:
        outputs = [readme.run(e, folder, names, readme.locale_of(path)) for e in examples]
    for example, output in zip(examples, outputs, strict=True):
        shown, real = (_SECONDS.sub("T s", text) for text in (example.output, output))
        assert _words(real) == _words(shown), f"run `python tools/readme.py update`: {example}"
        # The last digits may differ on another processor; nothing else may.
        for ours, theirs in zip(_numbers(shown), _numbers(real), strict=True):
            assert ours == pytest.approx(theirs, rel=0.05, abs=0.02), example.source


def _words(text):
    return re.sub(r"[█#─ ]+", " ", _NUMBER.sub("#", text))


def _numbers(text):
    return [float(number.replace(",", "")) for number in _NUMBER.findall(text)]


@pytest.mark.parametrize("path", readme.READMES, ids=by_name)
def test_every_command_is_documented(path):
    for name in commands.commands:
        assert f"softmaxce {name}" in path.read_text("utf-8"), name


@pytest.mark.parametrize("path", readme.READMES, ids=by_name)
def test_every_option_the_readme_names_exists(path):
    known = {"--version", "--help", "--debug"}
    for command in commands.commands.values():
        known |= {option for parameter in command.params for option in parameter.opts}
    text = path.read_text("utf-8")
    for block in re.findall(r"`(softmaxce [^`]*)`|^\$ (softmaxce .*)$", text, re.MULTILINE):
        for option in re.findall(r"(?<!\S)--[a-z][a-z0-9-]*", " ".join(block)):
            assert option in known, option


def test_links_lead_somewhere():
    for page in [*readme.PAGES, ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
