"""`softmaxce info`."""

from __future__ import annotations

import click

from softmaxce.cli.options import common_options, default_model, format_option
from softmaxce.cli.types import FILE

EPILOG = """\b
Examples:
  softmaxce info model.npz
  softmaxce info model.npz --format json
"""


@click.command(short_help="Show the contents of a model file.", epilog=EPILOG)
@click.argument(
    "model_path",
    metavar="[MODEL]",
    type=FILE,
    default=default_model,
)
@format_option("text", "json")
@common_options
def info(model_path: str, output_format: str) -> None:
    """Show the contents of a model file: classes, preprocessing, training, scores, size.

    MODEL defaults to $SOFTMAXCE_MODEL if set, otherwise to model.npz.
    """
    from softmaxce.views.json import info as json_view
    from softmaxce.views.text import info as text_view
    from softmaxce.workflows import info as workflow

    result = workflow.info(model_path)
    if output_format == "json":
        click.echo(json_view.as_json(result))
    else:
        text_view.show(result)
