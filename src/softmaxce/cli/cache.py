"""`softmaxce cache`: what is kept of decoded images, and removing it."""

from __future__ import annotations

import click

from softmaxce.cli.options import debug_option, format_option

EPILOG = """\b
Examples:
  softmaxce cache info
  softmaxce cache clear
"""
_folder_option = click.option(
    "--cache",
    type=click.Path(readable=False),
    help="The cache's folder.  [default: $SOFTMAXCE_CACHE, or the user's cache folder]",
)


@click.group(short_help="See or clear what is kept of decoded images.", epilog=EPILOG)
def cache() -> None:
    """See or clear what is kept of decoded images.

    `train` and `evaluate` keep the decoded pixels of a folder, so that they need not be decoded
    again while no file changes. Nothing is lost by clearing the cache but time.
    """


@cache.command()
@_folder_option
@format_option("text", "json")
@debug_option
def info(cache: str | None, output_format: str) -> None:
    """List what the cache holds."""
    from softmaxce.views.json import cache as json_view
    from softmaxce.views.text import cache as text_view
    from softmaxce.workflows import cache as workflow

    result = workflow.info(cache)
    if output_format == "json":
        click.echo(json_view.as_json(result))
    else:
        text_view.show(result)


@cache.command()
@_folder_option
@format_option("text", "json")
@debug_option
def clear(cache: str | None, output_format: str) -> None:
    """Remove all that the cache holds."""
    from softmaxce.views.json import cache as json_view
    from softmaxce.views.text import cache as text_view
    from softmaxce.workflows import cache as workflow

    result = workflow.clear(cache)
    if output_format == "json":
        click.echo(json_view.cleared_as_json(result))
    else:
        text_view.show_cleared(result)
