"""`softmaxce predict`."""

from __future__ import annotations

import sys
from functools import partial

import click

from softmaxce.cli.options import (
    Output,
    coverage_option,
    jobs_option,
    model_option,
    output_options,
    skip_bad_option,
)

EPILOG = """\b
Examples:
  softmaxce predict cat.png
  softmaxce predict cat.png --label cat -k 3
  softmaxce predict photos/ --format csv > predictions.csv
  cat cat.png | softmaxce predict -
"""


@click.command(short_help="Show the class probabilities for images.", epilog=EPILOG)
@click.argument(
    "images", metavar="IMAGE...", nargs=-1, required=True, type=click.Path(readable=False)
)
@model_option
@click.option(
    "-k",
    "--top-k",
    metavar="K",
    type=click.IntRange(1),
    help="Show only the K most probable classes in text output.  [default: all; 10 of more than "
    "30]",
)
@click.option(
    "--label",
    "label_name",
    metavar="LABEL",
    help="True class (name, or index starting at 0): also show the cross-entropy in nats.",
)
@coverage_option
@skip_bad_option
@jobs_option
@output_options("text", "json", "jsonl", "csv")
def predict(
    images: tuple[str, ...],
    model_path: str,
    top_k: int | None,
    label_name: str | None,
    coverage: float | None,
    skip_bad: bool,
    jobs: int | None,
    output: Output,
) -> None:
    """Show the class probabilities for each IMAGE: a file, a folder of images, or - for stdin.

    A single IMAGE may also be a source of pixel arrays that `train` accepts; it needs no labels.
    """
    from softmaxce.views.json import predict as json_view
    from softmaxce.views.text import predict as text_view
    from softmaxce.workflows import predict as workflow

    stdin = b""
    if workflow.STDIN in images:
        stdin = sys.stdin.buffer.read()
    with output.progress() as on_progress:
        result = workflow.predict(
            images,
            model_path,
            label_name=label_name,
            skip_bad=skip_bad,
            jobs=jobs,
            coverage=coverage,
            stdin=stdin,
            on_progress=on_progress,
        )
    output.show(
        partial(text_view.show, result, top_k),
        partial(json_view.as_machine_text, result),
        [str(failure) for failure in result.failures],
    )
