"""`softmaxce check`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from softmaxce.cli.options import Output, class_options, jobs_option, output_options

if TYPE_CHECKING:
    from softmaxce.class_choice import ClassChoice

EPILOG = """\b
Examples:
  softmaxce check photos
  softmaxce check photos --format json | jq '.findings[].kind'
"""


@click.command(short_help="Find problems in a data set before training.", epilog=EPILOG)
@click.argument("folder", metavar="DIR", type=click.Path(readable=False))
@class_options
@jobs_option
@output_options("text", "json")
def check(folder: str, class_choice: ClassChoice, jobs: int | None, output: Output) -> None:
    """Find problems in the images in DIR before training on them.

    DIR contains one subfolder of images per class, or such subfolders in train/, validation/ and
    test/; it may also be any other source that `train` accepts. Findings include unreadable
    images, empty and tiny classes, and duplicates within and across classes and splits.
    """
    from softmaxce.views.json.json_output import json_text
    from softmaxce.views.text import check as text_view
    from softmaxce.workflows import check as workflow

    with output.progress() as on_progress:
        result = workflow.check(
            folder, class_choice=class_choice, jobs=jobs, on_progress=on_progress
        )
    output.show(partial(text_view.show, result), lambda _: json_text("check", result))
