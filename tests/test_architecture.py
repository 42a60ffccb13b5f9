"""The design's rules, checked in the code: imports go down only, and modules stay small."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from softmaxce.views.lesson import page

SOURCE = Path(__file__).parent.parent / "src" / "softmaxce"
MODULES = sorted(SOURCE.rglob("*.py"))

# From the ground up. A module imports only from lower floors, or from its own package.
FLOORS = [
    ["class_names", "errors", "typed_numbers"],
    [
        *("bounded_input", "class_choice", "file_rows", "language", "layers", "numerics"),
        *("preprocessing", "row_threads", "temporary_files"),
    ],
    ["atomic_files", "networks", "patches", "translation"],
    ["images", "metrics"],
    ["data", "findings", "model", "training"],
    ["cluster", "estimator", "export", "lesson"],
    ["workflows"],
    ["views"],
    ["cli", "notebook"],
]
FLOOR_OF = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}
PACKAGES = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
ONLY_IN = {
    "click": {"cli"},
    "rich": {"views"},
    "PIL": {"images", "views"},
    "onnx": {"export"},
    "onnxruntime": {"export", "networks"},
    **{name: {"cluster"} for name in ("cloudpickle", "dask", "distributed", "fsspec")},
}
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 50
MAX_POSITIONAL_PARAMETERS = 5
MAX_JAVASCRIPT_LINES = 900  # of the lesson's page
WITHOUT_PILLOW = [
    "softmaxce.model.softmax_model",
    "softmaxce.model.model_file",
    "softmaxce.data.pixel_dataset",
    "softmaxce.workflows.train",
    "softmaxce.workflows.predict",
    "softmaxce.workflows.evaluate",
]


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


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions_of(tree: ast.AST) -> list[Function]:
    return [node for node in ast.walk(tree) if isinstance(node, Function)]


def n_positional(function: Function) -> int:
    """How many arguments may be given by position, not counting that of a method's object."""
    names = [argument.arg for argument in function.args.posonlyargs + function.args.args]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def is_called_by_click(function: Function) -> bool:
    """Whether Click calls the function, which it does by keyword."""
    decorators = [ast.unparse(decorator) for decorator in function.decorator_list]
    return any(".command(" in text or "click.option(" in text for text in decorators)


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(SOURCE)))
def test_modules_and_functions_stay_small(module):
    text = module.read_text("utf-8")
    assert len(text.splitlines()) <= MAX_MODULE_LINES
    for function in functions_of(ast.parse(text)):
        length = (function.end_lineno or 0) - function.lineno + 1
        assert length <= MAX_FUNCTION_LINES, f"{function.name} has {length} lines"


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(SOURCE)))
def test_functions_have_few_positional_parameters(module):
    too_many = {
        function.name: n_positional(function)
        for function in functions_of(ast.parse(module.read_text("utf-8")))
        if n_positional(function) > MAX_POSITIONAL_PARAMETERS and not is_called_by_click(function)
    }
    assert not too_many


def test_the_program_of_the_lesson_page_stays_small():
    assert sum(len(page.read(name).splitlines()) for name in page.PROGRAMS) <= MAX_JAVASCRIPT_LINES


def test_pillow_is_loaded_only_when_an_image_is_read():
    code = (
        "import sys\n"
        "for name in sys.argv[1:]:\n"
        "    __import__(name)\n"
        "    assert 'PIL' not in sys.modules, f'{name} loads Pillow'\n"
    )
    command = [sys.executable, "-c", code, *WITHOUT_PILLOW]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_module_belongs_to_a_floor():
    rooms = {room_of(m) for m in MODULES} - {"__init__", "__main__"}
    assert rooms <= set(FLOOR_OF)


def test_the_picture_in_contributing_shows_every_room_from_the_top_down():
    text = (SOURCE.parents[1] / "CONTRIBUTING.md").read_text("utf-8")
    drawn = re.findall(r"^  (\w+)(?:/|\.py) ", text, re.MULTILINE)
    assert sorted(drawn) == sorted([*FLOOR_OF, "locale"])
    heights = [FLOOR_OF[room] for room in drawn if room in FLOOR_OF]
    assert heights == sorted(heights, reverse=True)
