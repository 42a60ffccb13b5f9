"""`softmaxce export`."""

from __future__ import annotations

import click

from softmaxce.cli.options import common_options, default_model, format_option
from softmaxce.cli.types import FILE

EPILOG = """\b
Examples:
  softmaxce export model.npz -o model.onnx
  softmaxce export model.npz -o model.onnx --input pixels
  softmaxce export model.npz -o model.h --int8
"""


@click.command(short_help="Write a model as an ONNX file or a C header.", epilog=EPILOG)
@click.argument("model_path", metavar="[MODEL]", type=FILE, default=default_model)
@click.option(
    "-o",
    "--output",
    "output_path",
    metavar="FILE",
    type=FILE,
    required=True,
    help="File to write: .onnx, which runs in many programs and languages, or .h, a C99 header "
    "without dependencies for models of pixels.",
)
@click.option(
    "--input",
    "input_kind",
    type=click.Choice(["picture", "pixels"]),
    default="picture",
    help="Input of an ONNX file: a picture of any size, which it resizes as predict does, or "
    "pixels of the model's size, for many pictures at once.",
)
@click.option("--int8", is_flag=True, help="Store the weights of a C header in 8 bits.")
@format_option("text", "json")
@common_options
def export(
    model_path: str, output_path: str, input_kind: str, int8: bool, output_format: str
) -> None:
    """Write a model as a file that runs without softmaxce: an ONNX file or a C99 header.

    MODEL defaults to $SOFTMAXCE_MODEL if set, otherwise to model.npz. An ONNX file contains the
    preprocessing, so that it gives the probabilities of predict; before it is written, both are
    compared. It needs: pip install 'softmaxce[onnx]'.
    """
    from softmaxce.views.json.json_output import json_text
    from softmaxce.views.text import export as text_view
    from softmaxce.workflows import export as workflow

    takes_pixels = input_kind == "pixels"
    result = workflow.export(model_path, output_path, takes_pixels=takes_pixels, is_int8=int8)
    if output_format == "json":
        click.echo(json_text("export", result))
    else:
        text_view.show(result)
