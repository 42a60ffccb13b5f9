"""`softmaxce compare`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from softmaxce.cli.options import Output, network_option, output_options, reading_options

if TYPE_CHECKING:
    from softmaxce.data.read_options import ReadOptions

EPILOG = """\b
Examples:
  softmaxce compare old.npz new.npz photos/test
  softmaxce compare old.npz new.npz photos/test --format csv > differences.csv
"""


@click.command(short_help="Compare two models on the same images.", epilog=EPILOG)
@click.argument("model_a", metavar="MODEL_A", type=click.Path(readable=False))
@click.argument("model_b", metavar="MODEL_B", type=click.Path(readable=False))
@click.argument("folder", metavar="DIR", type=click.Path(readable=False))
@network_option
@reading_options
@output_options("text", "json", "csv")
def compare(
    model_a: str,
    model_b: str,
    folder: str,
    networks: tuple[str, ...],
    read: ReadOptions,
    output: Output,
) -> None:
    """Compare two models on the images in DIR, which contains one subfolder per class.

    Shows the differences in accuracy and cross-entropy with 95 % confidence intervals, McNemar's
    exact test, and the images whose predictions differ. CSV output lists only these images.
    """
    from softmaxce.views.json import compare as json_view
    from softmaxce.views.text import compare as text_view
    from softmaxce.workflows import compare as workflow

    with output.progress() as on_progress:
        result = workflow.compare(
            folder, model_a, model_b, read, networks=networks, on_progress=on_progress
        )
    machine_text = partial(json_view.as_machine_text, result)
    findings = result.a.subset.dataset.findings
    output.show(partial(text_view.show, result), machine_text, result.left_out, findings)
