"""The result of `check` as text."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text

from softmaxce.class_names import in_class_order
from softmaxce.data.source_findings import Finding
from softmaxce.errors import first_and_more
from softmaxce.preprocessing import FeatureVectors, Preprocessing
from softmaxce.translation import listed, translate
from softmaxce.views.console import PlainConsole, output
from softmaxce.views.descriptions import preprocessing_line
from softmaxce.views.formatting import Strong
from softmaxce.views.score_tables import SPLIT_TITLES
from softmaxce.workflows.check import CheckResult
from softmaxce.workflows.groups import Grouping

_N_EXAMPLES = 5
_N_FILES = 4
_N_COUNTED = 6
_IN_WORDS = ("unreadable", "unbalanced", "arrays")  # findings whose examples are not only names


def show(result: CheckResult) -> None:
    """Print what the folder contains, then the problems, then the remarks."""
    console = output()
    console.print_heading("Images")
    labels = in_class_order({label for part in result.parts for label in part.n_images})
    rows = [
        (label, *(f"{part.n_images.get(label, 0):,}" for part in result.parts)) for label in labels
    ]
    total = (Strong(f"{sum(part.n_images.values()):,}") for part in result.parts)
    header = ("class", *(part.name for part in result.parts))
    counts = [result.parts[0].n_images.get(label, 0) for label in labels]
    which = f"fewest {SPLIT_TITLES[result.parts[0].name]} images"
    console.print_class_table(
        header, rows, counts, which, total=(Strong(translate("total")), *total)
    )
    console.print()
    if isinstance(result.form, FeatureVectors):
        console.print_data(": ".join(map(translate, preprocessing_line(result.form))))
    else:
        console.print_line(f"Formats: {_counted(result.formats)}")
        console.print_line(f"Modes: {_counted(result.modes)}")
        console.print_line(f"Sizes: {_counted(result.sizes)}")
    if isinstance(result.form, Preprocessing):
        console.print_line(f"Preprocessing: {result.form} ({result.form_reason})")
    if result.grouping is not None:
        console.print_line(_groups(result.grouping))
    problems = [finding for finding in result.findings if finding.is_problem]
    remarks = [finding for finding in result.findings if not finding.is_problem]
    console.print_heading("Problems" if problems else "No problem found")
    for finding in problems:
        _show_finding(console, finding, "red")
    if remarks:
        console.print_heading("Remarks")
    for finding in remarks:
        _show_finding(console, finding, "yellow")


def _groups(grouping: Grouping) -> str:
    if grouping.n_splits == 1:
        return f"Groups: {grouping.n_groups:,}"
    if not grouping.shared.count:
        return f"Groups: {grouping.n_groups:,}, none in two splits"
    return f"Groups: {grouping.n_groups:,}, {grouping.shared.count:,} in more than one split"


def _show_finding(console: PlainConsole, finding: Finding, style: str) -> None:
    count = f"{finding.count:,}"
    line = Text(translate(f"{count} {finding.text}"), "default")
    line.stylize(f"bold {style}", line.plain.find(count), line.plain.find(count) + len(count))
    console.print(line, soft_wrap=True)
    for example in finding.examples[:_N_EXAMPLES]:
        files = example if isinstance(example, tuple) else (example,)
        files = tuple(map(translate, files)) if finding.kind in _IN_WORDS else files
        console.print_data(f"    {listed(first_and_more(files, _N_FILES, ' = '))}")
    rest = finding.count - _N_EXAMPLES
    if rest > 0:
        console.print_line(f"    and {rest:,} more (--format json lists all)")


def _counted(counts: Mapping[str, int]) -> str:
    return first_and_more([f"{value} ({n:,})" for value, n in counts.items()], _N_COUNTED)
