"""The result of `info` as text."""

from __future__ import annotations

from softmaxce.translation import translate
from softmaxce.views.console import output
from softmaxce.views.descriptions import model_details
from softmaxce.views.score_tables import recorded_scores_table
from softmaxce.workflows.info import InfoResult


def show(result: InfoResult) -> None:
    """Print the result."""
    console, record = output(), result.record
    console.print_line(f"Model: {result.model_path}")
    for title, value in (
        ("File", f"{result.n_bytes:,} bytes, format version {result.format_version}"),
        ("SHA-256", result.sha256),
        *model_details(result.model, record),
        ("Can be exported as", ", ".join(result.export_formats) or "–"),
    ):
        console.print_data(f"{translate(title)}: {translate(value)}")
    names, counts = result.model.class_names, record.class_counts
    console.print_heading(f"{len(names):,} classes")
    shown = [f"{count:,}" for count in counts] or [""] * len(names)
    classes = list(zip(names, shown, strict=True))
    which = "fewest training images" if counts else "lowest index"
    values = counts or range(len(names))
    console.print_class_table(("class", "training images"), classes, values, which)
    if record.scores:
        console.print_heading("Scores at training time")
        console.print_table(*recorded_scores_table(record.scores))
