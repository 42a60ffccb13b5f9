"""The picture of the design held against the code: imports go down only, modules stay small."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "softmaxce"
MODULES = sorted(SOURCE.rglob("*.py"))

# From the ground up; a room may import what stands on lower floors. Inside a floor nobody
# imports a neighbour, except inside a package.
FLOORS = [
    ["errors"],
    ["atomic_files", "layers", "mapped_rows", "numerics", "preprocessing"],
    ["images", "metrics"],
    ["data", "model", "training"],
    ["cluster", "estimator", "lesson"],
    ["workflows"],
    ["views"],
    ["cli"],
]
FLOOR_OF = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}
PACKAGES = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
ONLY_IN = {
    "click": {"cli"},
    "rich": {"views"},
    "PIL": {"images", "views"},
    **{name: {"cluster"} for name in ("cloudpickle", "dask", "distributed", "fsspec")},
}
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 50


def room_of(module: Path) -> str:
    parts = module.relative_to(SOURCE).with_suffix("").parts
    return parts[0]


def imported_names(module: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            base = node.module or ""
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return names


INSIDE = [m for m in MODULES if m.name not in {"__init__.py", "__main__.py"} or m.parent != SOURCE]


@pytest.mark.parametrize("module", INSIDE, ids=lambda m: str(m.relative_to(SOURCE)))
def test_imports_go_down_only(module):
    room = room_of(module)
    for name in imported_names(module):
        top, *rest = name.split(".")
        if top == "softmaxce" and rest and rest[0] in FLOOR_OF:
            if rest[0] == room and room in PACKAGES:
                continue
            assert FLOOR_OF[rest[0]] < FLOOR_OF[room], f"{room} must not import {rest[0]}"
        if top in ONLY_IN:
            assert room in ONLY_IN[top], f"only {ONLY_IN[top]} may import {top}"


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(SOURCE)))
def test_modules_and_functions_stay_small(module):
    text = module.read_text("utf-8")
    assert len(text.splitlines()) <= MAX_MODULE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= MAX_FUNCTION_LINES, f"{node.name} has {length} lines"


def test_every_room_stands_on_a_floor():
    rooms = {room_of(m) for m in MODULES} - {"__init__", "__main__"}
    assert rooms <= set(FLOOR_OF)
