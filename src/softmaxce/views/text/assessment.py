"""What `train` and `evaluate` print alike: the verdict, the findings and the worst classes."""

from __future__ import annotations

from collections.abc import Sequence

from softmaxce.metrics.scores import Scores
from softmaxce.translation import translate
from softmaxce.views.console import PlainConsole
from softmaxce.views.descriptions import MOST_CONFUSED_TITLE, confusion_lines
from softmaxce.views.findings import finding_text, remedy_text, verdict_text
from softmaxce.views.score_tables import N_WORST, worst_classes
from softmaxce.workflows.assessment import Assessment


def show_assessment(console: PlainConsole, found: Assessment, command_line: str) -> None:
    """Print the verdict, and each finding with its remedy."""
    console.print_wrapped(verdict_text(found.verdict), style="bold")
    for number, finding in enumerate(found.findings, start=1):
        console.print_wrapped(f"{number}. {translate(finding_text(finding))}", indent=3)
        if remedy := remedy_text(finding, command_line):
            console.print_data(f"   → {translate(remedy)}")


def show_classes(
    console: PlainConsole, class_names: Sequence[str], scores: Scores, images: str
) -> None:
    """Print the recall of the classes, or of the worst."""
    title = f"Recall of each class ({images})"
    if scores.n_present > N_WORST:
        title = f"The {N_WORST} of {scores.n_present:,} classes with the lowest recall ({images})"
    console.print_heading(title)
    console.print_table(*worst_classes(class_names, scores), left=(0, 2), less=(5, 3, 4))
    console.print(f"|: the recall of a random choice (1/{scores.n_classes:,}).", style="dim")


def show_confusions(
    console: PlainConsole, class_names: Sequence[str], scores: Scores, n: int
) -> None:
    """Print the n most frequent confusions in words."""
    if scores.confusions:
        console.print_heading(MOST_CONFUSED_TITLE)
        for line in confusion_lines(class_names, scores, n):
            console.print_line(line)
