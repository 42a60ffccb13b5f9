"""Runs the notebook in docs/ without Jupyter.

    python tools/notebook.py update   run its cells and write their real outputs into it

A cell may not print, and shows the value of its last line.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import sys
from typing import Any

from readme import ROOT, playground

NOTEBOOK = ROOT / "docs" / "notebook.ipynb"
Outputs = list[dict[str, Any]]


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """The cells that hold code, in order."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def run(notebook: dict[str, Any]) -> list[Outputs]:
    """The outputs of each code cell, run in a copy of the notebook's folder."""
    names: dict[str, Any] = {}
    with playground() as folder:
        (folder / "docs").mkdir()
        with contextlib.chdir(folder / "docs"):
            cells = enumerate(code_cells(notebook), 1)
            return [_outputs("".join(cell["source"]), names, count) for count, cell in cells]


def _outputs(source: str, names: dict[str, Any], count: int) -> Outputs:
    """What Jupyter shows for a cell: the value of the expression in its last line."""
    *statements, last = ast.parse(source).body
    if not isinstance(last, ast.Expr):
        statements.append(last)
    exec(compile(ast.Module(statements, []), NOTEBOOK.name, "exec"), names)
    if not isinstance(last, ast.Expr):
        return []
    value = eval(compile(ast.Expression(last.value), NOTEBOOK.name, "eval"), names)
    shown = {"text/plain": repr(value)}
    if hasattr(value, "_repr_html_"):
        shown["text/html"] = value._repr_html_()
    data = {kind: text.splitlines(keepends=True) for kind, text in sorted(shown.items())}
    result = {"data": data, "execution_count": count, "metadata": {}}
    return [{**result, "output_type": "execute_result"}]


def update() -> None:
    """Write the real outputs into the notebook."""
    notebook = json.loads(NOTEBOOK.read_text("utf-8"))
    for count, (cell, outputs) in enumerate(
        zip(code_cells(notebook), run(notebook), strict=True), 1
    ):
        cell |= {"execution_count": count, "outputs": outputs}
    NOTEBOOK.write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    if sys.argv[1:] != ["update"]:
        raise SystemExit(__doc__)
    os.environ["LC_ALL"] = "C.UTF-8"
    update()
