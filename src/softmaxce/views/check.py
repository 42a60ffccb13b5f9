"""The outcome of `check`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from rich.console import Console
from rich.text import Text

from softmaxce.views.console import output
from softmaxce.views.machine import json_text
from softmaxce.views.safe_text import visible
from softmaxce.views.wording import heading, name, table
from softmaxce.workflows.check import CheckResult, Finding

_N_EXAMPLES = 5
_N_COUNTED = 6


def show(result: CheckResult) -> None:
    """Print what there is, then what is wrong with it, the worst first."""
    console = output()
    heading(console, "What is there")
    view = table()
    view.add_column("class")
    for part in result.parts:
        view.add_column(part.name, justify="right")
    for label in sorted({label for part in result.parts for label in part.n_images}):
        view.add_row(name(label), *(f"{part.n_images.get(label, 0):,}" for part in result.parts))
    view.add_section()
    view.add_row("in all", *(f"{sum(part.n_images.values()):,}" for part in result.parts))
    console.print(view)
    for title, counts in (("Formats", result.formats), ("Modes", result.modes)):
        _line(console, f"{title}: {_counted(counts)}")
    _line(console, f"Sizes: {_counted(result.sizes)}")
    if result.form is not None:
        _line(console, f"Training would see them as {result.form} ({result.form_reason}).")
    problems = [finding for finding in result.findings if finding.is_problem]
    remarks = [finding for finding in result.findings if not finding.is_problem]
    heading(console, "Problems" if problems else "No problem found")
    for finding in problems:
        _show_finding(console, finding, "red")
    if remarks:
        heading(console, "To know")
    for finding in remarks:
        _show_finding(console, finding, "yellow")


def _show_finding(console: Console, finding: Finding, style: str) -> None:
    line = Text(f"{finding.count:,}", style=f"bold {style}")
    console.print(line.append(f" {finding.text}", style="default"), soft_wrap=True)
    for example in finding.examples[:_N_EXAMPLES]:
        files = example if isinstance(example, tuple) else (example,)
        more = f" and {len(files) - 4} more" if len(files) > 4 else ""
        _line(console, "    " + " = ".join(files[:4]) + more)
    left = finding.count - _N_EXAMPLES
    if left > 0:
        _line(console, f"    and {left:,} more (--format json names all)")


def _counted(counts: Mapping[str, int]) -> str:
    shown = ", ".join(f"{value} ({n:,})" for value, n in list(counts.items())[:_N_COUNTED])
    left = len(counts) - _N_COUNTED
    return f"{shown} and {left:,} more" if left > 0 else shown


def _line(console: Console, text: str) -> None:
    console.print(visible(text), soft_wrap=True)


def as_json(result: CheckResult) -> str:
    """The result as one JSON object."""
    return json_text("check", {**asdict(result), "n_problems": _n_problems(result)})


def _n_problems(result: CheckResult) -> int:
    return sum(finding.is_problem for finding in result.findings)
