"""`softmaxce cache`: list or clear the cache of decoded images."""

from __future__ import annotations

import click

from softmaxce.cli.options import common_options, format_option
from softmaxce.cli.types import FILE

EPILOG = """\b
Examples:
  softmaxce cache info
  softmaxce cache clear
"""
_folder_option = click.option(
    "--cache",
    metavar="DIR",
    type=FILE,
    help="Cache folder.  [default: $SOFTMAXCE_CACHE if set, otherwise the user cache folder]",
)


@click.group(epilog=EPILOG, invoke_without_command=True)
@click.pass_context
def cache(context: click.Context) -> None:
    """List or clear the cache of decoded images.

    `train`, `evaluate` and `compare` cache decoded pixels, or the features that a network computed
    from them, so that unchanged files are decoded only once. Clearing the cache is safe: the images
    are decoded again when they are needed.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@cache.command()
@_folder_option
@format_option("text", "json")
@common_options
def info(cache: str | None, output_format: str) -> None:
    """List the cache entries."""
    from softmaxce.views.json.json_output import json_text
    from softmaxce.views.text import cache as text_view
    from softmaxce.workflows import cache as workflow

    result = workflow.info(cache)
    if output_format == "json":
        click.echo(json_text("cache info", result))
    else:
        text_view.show(result)


@cache.command()
@_folder_option
@format_option("text", "json")
@common_options
def clear(cache: str | None, output_format: str) -> None:
    """Delete all cache entries."""
    from softmaxce.views.json.json_output import json_text
    from softmaxce.views.text import cache as text_view
    from softmaxce.workflows import cache as workflow

    result = workflow.clear(cache)
    if output_format == "json":
        click.echo(json_text("cache clear", result))
    else:
        text_view.show_cleared(result)
