"""The result of `export` as text."""

from __future__ import annotations

from softmaxce.views.console import output
from softmaxce.workflows.export import ExportResult


def show(result: ExportResult) -> None:
    """Print what was written, and how it was checked."""
    console = output()
    console.print_line(f"Wrote {result.output}: {result.n_bytes:,} bytes")
    if result.largest_difference is not None:
        console.print_line(
            f"onnxruntime gives the model's probabilities for {result.n_compared} test pictures, "
            f"within {result.largest_difference:.0e}"
        )
