"""`softmaxce train`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from softmaxce.cli.cluster import ClusterChoice, cluster_options, reading
from softmaxce.cli.options import (
    cache_options,
    command_line,
    debug_option,
    format_option,
    jobs_option,
    no_progress_option,
    quiet_option,
    report_option,
    save_plots_option,
    skip_bad_option,
)
from softmaxce.cli.types import Colour, FiniteFloat, FractionOrFolder, HiddenLayers, ImageSize
from softmaxce.errors import InputError

if TYPE_CHECKING:
    from softmaxce.workflows.train import TrainResult

EPILOG = """\b
Examples:
  softmaxce train photos
  softmaxce train photos --size 32 --color gray -o small.npz
  softmaxce train photos --validation 0.3 --seed 7 --format json
  softmaxce train photos --hidden 128 -o deeper.npz
"""
CHANNELS = {"auto": None, "gray": 1, "rgb": 3}


@click.command(short_help="Train a classifier on a folder of images.", epilog=EPILOG)
@click.argument("folder", metavar="DIR", type=click.Path(readable=False))
@click.option(
    "-o",
    "--output",
    type=click.Path(readable=False),
    default=lambda: os.environ.get("SOFTMAXCE_MODEL", "model.npz"),
    show_default="$SOFTMAXCE_MODEL, or model.npz",
    help="The model file to write.",
)
@click.option(
    "--force",
    is_flag=True,
    help="Replace the output even if it is no model; with --dask, train though this machine looks "
    "too small for it.",
)
@click.option(
    "--size",
    type=ImageSize(),
    default="auto",
    show_default=True,
    help="Pixels of each side. auto: the images' own size where all share one of at most 64 × 64, "
    "else 64x64.",
)
@click.option(
    "--color",
    type=click.Choice(list(CHANNELS)),
    default="auto",
    show_default=True,
    help="auto: gray only where every image is gray.",
)
@click.option(
    "--fit",
    type=click.Choice(["stretch", "crop", "pad"]),
    default="stretch",
    show_default=True,
    help="What becomes of pictures of another shape: all of them, stretched; their middle; all of "
    "them, with margins.",
)
@click.option(
    "--background",
    type=Colour(),
    default="white",
    show_default=True,
    help="The colour behind transparent pixels and of margins: a name or #rrggbb.",
)
@click.option(
    "--validation",
    type=FractionOrFolder(),
    default="0.2",
    show_default=True,
    help="Share of each class to hold out, or a folder (or manifest) of images to judge by.",
)
@click.option(
    "--l2",
    type=FiniteFloat(0.0, 1e6, word="auto"),
    default="auto",
    show_default=True,
    help="Penalty on the weights, (l2/2)·‖W‖². auto: the one with the lowest held-out "
    "cross-entropy.",
)
@click.option(
    "--hidden",
    type=HiddenLayers(),
    metavar="N[,N...]",
    default="none",
    show_default=True,
    help="Units of hidden layers, such as 128 or 256,64. none: the plain softmax classifier.",
)
@click.option(
    "--class-weight",
    type=click.Choice(["none", "balanced"]),
    default="none",
    show_default=True,
    help="balanced: every class counts the same, however many images it has.",
)
@click.option(
    "--calibrate/--no-calibrate",
    default=True,
    show_default=True,
    help="Fit a temperature on the held-out images, so that of the answers given with "
    "probability 0.8 about 80 % are right. No answer changes.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    default=0,
    show_default=True,
    help="Chooses which images are held out.",
)
@click.option(
    "--resume", is_flag=True, help="Go on with a training that was interrupted, to the same model."
)
@report_option
@save_plots_option
@skip_bad_option
@jobs_option
@cache_options
@cluster_options
@format_option("text", "json")
@no_progress_option
@quiet_option
@debug_option
def train(
    folder: str,
    output: str,
    force: bool,
    report_path: str | None,
    plots_path: str | None,
    color: str,
    output_format: str,
    no_progress: bool,
    quiet: bool,
    cluster: ClusterChoice,
    **options: Any,
) -> None:
    """Train a classifier on DIR and save it.

    DIR holds one folder of images for each class; or train/, with validation/ and test/ beside
    it, each of which holds such folders. It may also be a CSV file with the columns path, label
    and, if wanted, split; an .npz file of pixel arrays; or a folder of IDX files.
    """
    from softmaxce.views import notices
    from softmaxce.views.json import train as json_view
    from softmaxce.views.progress import shown
    from softmaxce.views.text import train as text_view
    from softmaxce.workflows import train as workflow
    from softmaxce.workflows.checkpoint import checkpoint_path
    from softmaxce.workflows.outputs import check_files, check_folder

    workflow.check_output(output, force)
    check_files([report_path], [output])
    check_folder(plots_path)
    chosen = workflow.TrainOptions(channels=CHANNELS[color], **options)
    left_over = checkpoint_path(output)
    if left_over.exists() and not (chosen.resume or quiet):
        notices.note(f"starting anew; --resume would go on with {left_over}")
    if chosen.hidden and cluster.address is not None:
        raise InputError("--dask cannot train --hidden layers: they learn from mini-batches")
    with (
        shown(not (no_progress or quiet)) as on_progress,
        reading(cluster, folder, quiet, on_progress, force) as (reader, listener),
    ):
        result = workflow.train(folder, output, chosen, listener, reader)
        _write_reports(result, report_path, plots_path)
    if not quiet:
        notices.name_left_out(result.left_out)
    if output_format == "json":
        click.echo(json_view.as_json(result))
    else:
        text_view.show(result)


def _write_reports(result: TrainResult, report_path: str | None, plots_path: str | None) -> None:
    if report_path is not None or plots_path is not None:
        from softmaxce.views.report.page import write_report
        from softmaxce.views.report.subject import of_training

        write_report(of_training(result, command_line()), report_path, plots_path)
