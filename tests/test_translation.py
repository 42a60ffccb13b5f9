"""Every message of the program is in the catalogue, and what a message becomes."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from softmaxce import translation
from softmaxce.translation import particle_of

SOURCE = Path(translation.__file__).parent
PO = SOURCE / "locale" / "ko" / "LC_MESSAGES" / "softmaxce.po"
# The lesson's messages have a test of their own (test_catalogs.py); JSON, CSV and C stay English.
LEFT_OUT = ("export/c_header.py", "lesson/", "views/lesson/", "views/json/", "estimator.py")
PROSE = re.compile(r"[A-Za-z]{2,} [a-z('{\d]|\{\d\}[:,;.]? [a-z]{2}|[a-z]{3}[:,;] ")
# Not messages: words that are looked for, words of options, signatures.
NOT_MESSAGES = set(json.loads((Path(__file__).parent / "not_messages.json").read_text("utf-8")))


def template(node: ast.AST) -> str | None:
    """A string as the catalogue holds it, its values numbered; None for anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if not isinstance(node, ast.JoinedStr):
        return None
    parts, n_values = [], 0
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value))
        else:
            parts.append(f"{{{n_values}}}")
            n_values += 1
    return "".join(parts)


def messages_of(module: Path) -> set[str]:
    """The strings of a module that read like prose, but for docstrings and long help."""
    found: set[str] = set()

    def walk(node: ast.AST) -> None:
        if isinstance(node, ast.keyword) and node.arg in ("help", "metavar", "epilog"):
            return
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "EPILOG":
            return
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return  # a docstring
        text = template(node)
        if text is not None and PROSE.search(text):
            found.add(text)
        inside = node.values if isinstance(node, ast.JoinedStr) else ast.iter_child_nodes(node)
        for child in inside:
            if not (isinstance(node, ast.JoinedStr) and isinstance(child, ast.Constant)):
                walk(child)

    walk(ast.parse(module.read_text("utf-8")))
    return found


MODULES = [
    module
    for module in sorted(SOURCE.rglob("*.py"))
    if not str(module.relative_to(SOURCE)).startswith(LEFT_OUT)
]


@pytest.fixture(scope="module")
def korean() -> dict[str, str]:
    """English → Korean."""
    with PO.open("rb") as stream:
        return {m.id: m.string for m in read_po(stream, abort_invalid=True) if m.id}


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(SOURCE)))
def test_every_message_is_translated(module, korean):
    missing = messages_of(module) - NOT_MESSAGES
    assert not sorted(message for message in missing if not korean.get(message))


@pytest.mark.parametrize(
    ("word", "object_", "direction"),
    [
        ("사람", "을", "으로"),
        ("고양이", "를", "로"),
        ("서울", "을", "로"),
        ("0", "을", "으로"),
        ("1", "을", "로"),
        ("2", "를", "로"),
        ("'개'", "를", "로"),
        ("95 %", "를", "로"),
    ],
)
def test_a_particle_follows_the_final_sound(word, object_, direction):
    assert particle_of(word, "을") == object_
    assert particle_of(word, "으로") == direction
