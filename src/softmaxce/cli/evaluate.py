"""`softmaxce evaluate`."""

from __future__ import annotations

import click

from softmaxce.cli.options import (
    debug_option,
    format_option,
    jobs_option,
    model_option,
    no_progress_option,
    quiet_option,
    skip_bad_option,
)

EPILOG = """\b
Examples:
  softmaxce evaluate photos/test
  softmaxce evaluate photos/test -m small.npz --format json
"""


@click.command(short_help="Judge a model on a folder of images.", epilog=EPILOG)
@click.argument("folder", metavar="DIR", type=click.Path())
@model_option()
@skip_bad_option
@jobs_option
@format_option("text", "json")
@no_progress_option
@quiet_option
@debug_option
def evaluate(
    folder: str,
    model_path: str,
    skip_bad: bool,
    jobs: int | None,
    output_format: str,
    no_progress: bool,
    quiet: bool,
) -> None:
    """Judge a model on DIR, which holds one folder of images for each class.

    Classes are matched by name. A folder that the model does not know is an error.
    """
    from softmaxce.views import evaluate as view
    from softmaxce.views import notices
    from softmaxce.views.progress import shown
    from softmaxce.workflows import evaluate as workflow

    with shown(not (no_progress or quiet)) as on_progress:
        result = workflow.evaluate(
            folder, model_path, skip_bad=skip_bad, jobs=jobs, on_progress=on_progress
        )
    if not quiet:
        notices.name_left_out(result.left_out)
    if output_format == "json":
        click.echo(view.as_json(result))
    else:
        view.show(result)
