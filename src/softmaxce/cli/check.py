"""`softmaxce check`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

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
    from softmaxce.workflows.checked_images import CheckedImages
    from softmaxce.workflows.label_check import LabelCheck
    from softmaxce.workflows.learning_curve import LearningCurve
    from softmaxce.workflows.progress import OnProgress

EPILOG = """\b
Examples:
  softmaxce check photos
  softmaxce check photos --format json | jq '.findings[].kind'
  softmaxce check photos --labels --report labels.html
  softmaxce check photos --curve
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
    "--curve",
    is_flag=True,
    help="Also train on an eighth, a quarter, half and all of the training images, and predict "
    "what twice as many would give.",
)
@click.option(
    "--features",
    type=Parsed("pixels|patches[:N]", filters),
    default="pixels",
    help="With --labels or --curve: input features of the models, as for `train`. patches: slower, "
    "but much better for photographs.",
)
@click.option(
    "--seed",
    type=SEED,
    default=0,
    help="With --labels or --curve: seed for the folds, or for the validation split and subsets.",
)
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
    curve: bool,
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
    from softmaxce.workflows.outputs import REPORT, check_files

    if not labels and (report_path or output.format == "csv"):
        raise InputError("--report and --format csv need --labels")
    if features and not (labels or curve):
        raise InputError("--features needs --labels or --curve")
    check_files([(report_path, REPORT)], [folder])
    found = learned = None
    with output.progress() as on_progress:
        images = read_images(
            folder,
            class_choice=class_choice,
            group_by=group_by,
            jobs=jobs,
            on_progress=on_progress,
        )
        result = workflow.check(images)
        if labels:
            found = _check_labels(images, features, seed, report_path, on_progress)
        if curve:
            from softmaxce.workflows.learning_curve import learning_curve

            learned = learning_curve(images, features=features, seed=seed, on_progress=on_progress)
    results = result, found, learned
    output.show(partial(_show, *results), partial(as_machine_text, *results))


def _check_labels(
    images: CheckedImages,
    features: int,
    seed: int,
    report_path: str | None,
    on_progress: OnProgress,
) -> LabelCheck:
    from softmaxce.workflows.label_check import check_labels

    subset = images.subset()
    found = check_labels(subset, features=features, seed=seed, on_progress=on_progress)
    if report_path is not None:
        from softmaxce.views.report.labels import write_report

        write_report(found, command_line(), report_path)
    return found


def _show(result: CheckResult, found: LabelCheck | None, learned: LearningCurve | None) -> None:
    from softmaxce.views.text import check

    check.show(result)
    if found:
        from softmaxce.views.text import label_check

        label_check.show(found)
    if learned:
        from softmaxce.views.text import learning_curve

        learning_curve.show(learned)
