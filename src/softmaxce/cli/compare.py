"""`softmaxce compare`."""

from __future__ import annotations

import click

from softmaxce.cli.options import (
    debug_option,
    format_option,
    jobs_option,
    no_progress_option,
    quiet_option,
    skip_bad_option,
)

EPILOG = """\b
Examples:
  softmaxce compare old.npz new.npz photos/test
  softmaxce compare old.npz new.npz photos/test --format csv > differences.csv
"""


@click.command(short_help="Compare two models on the same images.", epilog=EPILOG)
@click.argument("model_a", metavar="MODEL_A", type=click.Path(readable=False))
@click.argument("model_b", metavar="MODEL_B", type=click.Path(readable=False))
@click.argument("folder", metavar="DIR", type=click.Path(readable=False))
@skip_bad_option
@jobs_option
@format_option("text", "json", "csv")
@no_progress_option
@quiet_option
@debug_option
def compare(
    model_a: str,
    model_b: str,
    folder: str,
    skip_bad: bool,
    jobs: int | None,
    output_format: str,
    no_progress: bool,
    quiet: bool,
) -> None:
    """Compare two models on the images in DIR, which has one folder per class.

    Shows the differences in accuracy and cross-entropy with 95 % confidence intervals, McNemar's
    exact test, and the images whose predictions differ. CSV output lists only these images.
    """
    from softmaxce.views import notices
    from softmaxce.views.json import compare as json_view
    from softmaxce.views.json.csv_output import print_exactly
    from softmaxce.views.progress import shown
    from softmaxce.views.text import compare as text_view
    from softmaxce.workflows import compare as workflow

    with shown(not (no_progress or quiet)) as on_progress:
        result = workflow.compare(
            folder, model_a, model_b, skip_bad=skip_bad, jobs=jobs, on_progress=on_progress
        )
    if not quiet:
        notices.name_left_out(result.left_out)
    if output_format == "text":
        text_view.show(result)
    else:
        print_exactly(json_view.as_machine_text(result, output_format))
