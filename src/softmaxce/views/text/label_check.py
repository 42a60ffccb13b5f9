"""The result of `check --labels` as text."""

from __future__ import annotations

from softmaxce.views.console import output
from softmaxce.views.formatting import Strong, counted, probability
from softmaxce.views.labels import advice, estimate, method, weakness
from softmaxce.workflows.label_check import LabelCheck

_N_SHOWN = 20


def show(found: LabelCheck) -> None:
    """Print the images that are probably mislabelled, or why that cannot be told."""
    console, suspects = output(), found.suspects
    console.print_heading("Labels")
    console.print_wrapped(method(found))
    if found.noise.is_too_weak:
        console.print_wrapped(weakness(found))
        console.print_wrapped(advice(found))
        return
    console.print_wrapped(estimate(found))
    if not suspects:
        console.print_heading("No label is probably wrong")
        return
    console.print_heading(f"Probably mislabelled: {counted(len(suspects), 'image')}")
    rows = [
        (s.label, probability(s.p_label), Strong(s.likelier), probability(s.p_likelier), s.path)
        for s in suspects[:_N_SHOWN]
    ]
    console.print_table(("label", "p", "likelier label", "p", "image"), rows, left=(0, 2, 4))
    rest = len(suspects) - _N_SHOWN
    if rest > 0:
        console.print(f"and {rest:,} more; --format csv lists all of them.")
