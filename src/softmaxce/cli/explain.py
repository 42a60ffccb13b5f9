"""`softmaxce explain`."""

from __future__ import annotations

import click

from softmaxce.cli.options import debug_option


@click.command()
@debug_option
def explain() -> None:
    """Walk through softmax and cross-entropy with your own numbers."""
