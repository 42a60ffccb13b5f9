"""Words that we do not use, in what the program says, in its documents and in its comments."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable

import click
import pytest
from helpers import ROOT

from softmaxce.cli import commands

# What not to write (a regular expression; a space matches any white space) and what to write.
WORDS = {
    r"judg(e|es|ed|ing|ement|ements)": "evaluate",
    r"(held|hold|holds|holding)[ -]out": "validation images",
    r"without (looking|a look)|guess(es|ed|ing)?|(?<!colour-)blind(ly)?": "baseline",
    r"luck": "chance",
    r"(is|was|are|were|be|been) taken for": "confusion matrix; classified as",
    r"the truth": "true class, target",
    r"mend(s|ed|ing)?": "fix",
    r"anew": "again",
    r"kin": "related",
    r"lest": "to avoid",
    r"wherefore": "why",
    r"(training|validation|test|unbalanced) parts?|(across|within) parts": "split",
    r"(this|that|same|one|another|other|wanted|model's) form": "preprocessing",
    r"as wanted|wanted (shape|size|sides?|colour)": "target, requested",
    r"(?<!of\s)course": "objective history",
    r"proofs?|prov(e|es|ed|en)|claim(s|ed)?": "check",
    r"beliefs?|corrections?": "misconception",
    r"facts": "info, record",
    r"foreign files?": "ignored files",
    r"leaf": "block",
    r"image as [\d…]+": "resized to",
    r"(?<!there\s)(is|are|was|were|be) no(?! (longer|more|less|larger|better|worse))": "is not a",
    r"go(es)? on": "continue",
    r"becomes? of": "say what is done with it",
    r"stands? (in|on|at|beside|alone|between|under|above|below)": "say what it does there",
    r"(written|put) aside": "written to a temporary file",
    r"(the|these|those|that|this) very (same )?\w+": "the same",
    r"endlessly": "infinitely",
    r"gets? refused": "is refused",
}
RULES = {
    re.compile(rf"(?<![\w-])(?:{words})(?![\w-])".replace(" ", r"\s+"), re.IGNORECASE): better
    for words, better in WORDS.items()
}
RULES[re.compile(r"(?:\A|[.:;(]\s)[Oo]f\s[\w\s-]{1,25},\s")] = "do not begin with 'of …,'"
_NAMES = re.compile(r"`[^`\n]*`|\{\w+\}")  # quoted names and the fields of templates

# Values in JSON and model files, which never change.
MACHINE_NAMES = {"blind", "corrections", "course", "facts", "foreign", "held_out", "proofs"}

PACKAGE = ROOT / "src" / "softmaxce"
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "data" / "README.md"]
Passages = Iterable[tuple[int, str]]  # the number of the first line, and the text


def complaints(passages: Passages) -> list[str]:
    """One line per word to replace: its line number, the word in context, what to write."""
    found = []
    for first_line, passage in passages:
        text = "" if passage in MACHINE_NAMES else _NAMES.sub("``", passage)
        for rule, better in RULES.items():
            for match in rule.finditer(text):
                line = first_line + text.count("\n", 0, match.start())
                around = text[max(0, match.start() - 30) : match.end() + 30]
                found.append(f"line {line}: {' '.join(around.split())!r}: {better}")
    return found


def assert_plain(passages: Passages) -> None:
    found = complaints(passages)
    assert not found, "\n".join(found)


def strings(source: str) -> Passages:
    """All string constants except dictionary keys and subscripts; an f-string counts as one."""
    skipped: set[ast.AST | None] = set()
    for node in ast.walk(ast.parse(source)):  # parents come before their children
        if isinstance(node, ast.Dict):
            skipped |= set(node.keys)
        elif isinstance(node, ast.Subscript):
            skipped.add(node.slice)
        elif isinstance(node, ast.JoinedStr):
            skipped |= set(node.values)
            parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
            yield node.lineno, "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in skipped:
            yield node.lineno, node.value


def comments(source: str) -> Passages:
    """All comments; those on successive lines count as one."""
    first, lines = 0, list[str]()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        if token.start[0] != first + len(lines):
            yield first, "\n".join(lines)
            first, lines = token.start[0], []
        lines.append(token.string.lstrip("#: "))
    yield first, "\n".join(lines)


def script_texts(source: str) -> Passages:
    """The comments of a JavaScript file, and its string constants of more than one word."""
    for match in re.finditer(r'"[^"\n]*"|//[^\n]*|/\*.*?\*/', source, re.DOTALL):
        if " " in match[0]:
            yield source.count("\n", 0, match.start()) + 1, match[0]


def help_texts(command: click.Command, name: str = "softmaxce") -> dict[str, str]:
    """What `--help` prints for this command and all its commands, by name."""
    texts = {name: command.get_help(click.Context(command, info_name=name, max_content_width=96))}
    for child_name, child in getattr(command, "commands", {}).items():
        texts |= help_texts(child, f"{name} {child_name}")
    return texts


HELP = help_texts(commands)


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_a_module(path):
    source = path.read_text("utf-8")
    assert_plain([*strings(source), *comments(source)])


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.js")), ids=lambda path: path.name)
def test_a_script(path):
    assert_plain(script_texts(path.read_text("utf-8")))


@pytest.mark.parametrize("path", sorted(DOCUMENTS), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_document(path):
    assert_plain([(1, path.read_text("utf-8"))])


@pytest.mark.parametrize("name", HELP)
def test_a_help_text(name):
    assert_plain([(1, HELP[name])])


@pytest.mark.parametrize(
    "text",
    [
        "Judge a model.",
        "'x' is\nno number",
        "61 held-out images",
        "Of the exercises, one",
        "What was taken for what",
        "another run's facts",
    ],
)
def test_a_word_is_found(text):
    assert complaints([(1, text)])


@pytest.mark.parametrize(
    "text",
    [
        "There is no model, of course.",
        "It is no longer there.",
        "colour-blind readers",
        "the field `held_out`",
        "foreign",
        "it holds no images",
    ],
)
def test_plain_english_passes(text):
    assert not complaints([(1, text)])
