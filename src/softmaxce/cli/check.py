"""`softmaxce check`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from softmaxce.cli.options import (
    Output,
    class_options,
    group_by_option,
    jobs_option,
    output_options,
)
from softmaxce.cli.types import SEED, Parsed, filters
from softmaxce.errors import InputError

if TYPE_CHECKING:
    from softmaxce.workflows.check import CheckResult
    from softmaxce.workflows.learning_curve import LearningCurve

EPILOG = """\b
Examples:
  softmaxce check photos
  softmaxce check photos --format json | jq '.findings[].kind'
  softmaxce check photos --curve
"""


@click.command(short_help="Find problems in a data set before training.", epilog=EPILOG)
@click.argument("folder", metavar="DIR", type=click.Path(readable=False))
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
    help="With --curve: input features, as for `train`.",
)
@click.option(
    "--seed", type=SEED, default=0, help="With --curve: seed for the validation split and subsets."
)
@class_options
@group_by_option
@jobs_option
@output_options("text", "json")
def check(
    folder: str, curve: bool, features: int, seed: int, output: Output, **options: Any
) -> None:
    """Find problems in the images in DIR before training on them.

    DIR contains one subfolder of images per class, or such subfolders in train/, validation/ and
    test/; it may also be any other source that `train` accepts. Findings include unreadable
    images, empty and tiny classes, and duplicates within and across classes and splits.
    """
    from softmaxce.views.json.check import as_json
    from softmaxce.workflows import check as workflow

    if (features or seed) and not curve:
        raise InputError("--features and --seed need --curve")
    found = None
    with output.progress() as on_progress:
        result = workflow.check(folder, on_progress=on_progress, **options)
        if curve:
            from softmaxce.workflows.learning_curve import learning_curve
            from softmaxce.workflows.train_options import TrainOptions

            choice = TrainOptions(
                features=features, seed=seed, class_choice=options.pop("class_choice")
            )
            found = learning_curve(folder, choice, on_progress=on_progress, **options)
    output.show(partial(_show, result, found), lambda _: as_json(result, found))


def _show(result: CheckResult, found: LearningCurve | None) -> None:
    from softmaxce.views.text import check as check_view
    from softmaxce.views.text import learning_curve as curve_view

    check_view.show(result)
    if found:
        curve_view.show(found)
