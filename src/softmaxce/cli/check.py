"""`softmaxce check`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from softmaxce.cli.options import (
    Output,
    class_options,
    command_line,
    group_by_option,
    jobs_option,
    output_options,
)
from softmaxce.cli.types import FILE, SEED, Parsed, filters
from softmaxce.errors import InputError

if TYPE_CHECKING:
    from softmaxce.class_choice import ClassChoice
    from softmaxce.workflows.check import CheckResult
    from softmaxce.workflows.label_check import LabelCheck

EPILOG = """\b
Examples:
  softmaxce check photos
  softmaxce check photos --format json | jq '.findings[].kind'
  softmaxce check photos --labels --report labels.html
"""


@click.command(short_help="Find problems in a data set before training.", epilog=EPILOG)
@click.argument("folder", metavar="DIR", type=click.Path(readable=False))
@click.option(
    "--labels",
    is_flag=True,
    help="Also list the images of all splits that are probably mislabelled, according to models "
    "trained without them.",
)
@click.option(
    "--features",
    type=Parsed("pixels|patches[:N]", filters),
    default="pixels",
    help="With --labels: input features of these models, as for `train`. patches: slower, but much "
    "better for photographs.",
)
@click.option("--seed", type=SEED, default=0, help="With --labels: seed for the folds.")
@click.option(
    "--report",
    "report_path",
    metavar="FILE.html",
    type=FILE,
    help="With --labels: also write an HTML page with the pictures that are probably mislabelled.",
)
@class_options
@group_by_option
@jobs_option
@output_options("text", "json", "csv")
def check(
    folder: str,
    labels: bool,
    features: int,
    seed: int,
    report_path: str | None,
    class_choice: ClassChoice,
    group_by: str | None,
    jobs: int | None,
    output: Output,
) -> None:
    """Find problems in the images in DIR before training on them.

    DIR contains one subfolder of images per class, or such subfolders in train/, validation/ and
    test/; it may also be any other source that `train` accepts. Findings include unreadable
    images, empty and tiny classes, and duplicates within and across classes and splits. CSV output
    lists only the images that are probably mislabelled.
    """
    from softmaxce.views.json.check import as_machine_text
    from softmaxce.workflows import check as workflow
    from softmaxce.workflows.checked_images import read_images
    from softmaxce.workflows.label_check import check_labels
    from softmaxce.workflows.outputs import REPORT, check_files

    if not labels and (features or report_path or output.format == "csv"):
        raise InputError("--features, --report and --format csv need --labels")
    check_files([(report_path, REPORT)], [folder])
    found = None
    with output.progress() as on_progress:
        choices: dict[str, Any] = {"class_choice": class_choice, "group_by": group_by, "jobs": jobs}
        images = read_images(folder, on_progress=on_progress, **choices)
        result = workflow.check(images)
        if labels:
            found = check_labels(
                images.subset(), features=features, seed=seed, on_progress=on_progress
            )
            if report_path:
                from softmaxce.views.report.labels import write_report

                write_report(found, command_line(), report_path)
    output.show(partial(_show, result, found), partial(as_machine_text, result, found))


def _show(result: CheckResult, found: LabelCheck | None) -> None:
    from softmaxce.views.text import check, label_check

    check.show(result)
    if found:
        label_check.show(found)
