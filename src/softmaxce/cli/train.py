"""`softmaxce train`."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from softmaxce.cli.cluster import backend_of, cluster_options
from softmaxce.cli.option_groups import GroupedCommand
from softmaxce.cli.options import (
    Output,
    class_options,
    command_line,
    default_model,
    details_option,
    output_options,
    reading_options,
    report_option,
    save_plots_option,
)
from softmaxce.cli.types import (
    FILE,
    N_FILTERS,
    SEED,
    Parsed,
    channel_numbers,
    colour,
    features,
    fraction_for_test,
    fraction_or_folder,
    hidden_layers,
    image_size,
    number_between,
    penalty,
    switch,
    whole,
)
from softmaxce.errors import AlreadyTrained

if TYPE_CHECKING:
    from softmaxce.cluster.settings import ClusterSettings
    from softmaxce.data.read_options import ReadOptions
    from softmaxce.workflows.train import TrainResult

EPILOG = """\b
Examples:
  softmaxce train photos
  softmaxce train photos --size 32 --color gray -o small.npz
  softmaxce train photos --merge wolf,husky=dog --only cat,dog
  softmaxce train photos --validation 0.3 --seed 7 --format json
  softmaxce train photos --features patches -o better.npz
  softmaxce train photos --hidden 128 -o deeper.npz
"""
CHANNELS = {"auto": None, "gray": 1, "grey": 1, "rgb": 3}


@click.command(
    cls=GroupedCommand, short_help="Train a classifier on a folder of images.", epilog=EPILOG
)
@click.argument("folder", metavar="DIR", type=click.Path(readable=False))
@click.option(
    "-o",
    "--output",
    "model_path",
    type=FILE,
    default=default_model,
    show_default=False,
    help="Model file to write.  [default: $SOFTMAXCE_MODEL if set, otherwise model.npz]",
)
@click.option(
    "--force",
    is_flag=True,
    help="Overwrite the output file even if it is not a model.",
)
@class_options
@click.option(
    "--size",
    type=Parsed("auto|N|WxH", image_size),
    default="auto",
    help="Image size in pixels. auto: the original size if all images have the same size, up to "
    "64x64; otherwise 64x64.",
)
@click.option(
    "--color",
    metavar="[auto|gray|rgb]",
    type=click.Choice(list(CHANNELS), case_sensitive=False),
    default="auto",
    help="Colour mode. auto: gray if every image is gray, otherwise rgb.",
)
@click.option(
    "--fit",
    type=click.Choice(["stretch", "crop", "pad"]),
    default="stretch",
    help="How to fit images whose aspect ratio differs from the target's: stretch, crop the "
    "centre, or pad with the background colour.",
)
@click.option(
    "--background",
    type=Parsed("COLOUR", colour),
    default="white",
    help="Background colour for transparent areas and padding: white, black, gray or #rrggbb.",
)
@click.option(
    "--validation",
    type=Parsed("FRACTION|DIR", fraction_or_folder),
    default="0.2",
    help="Fraction of each class to use for validation, or a folder or manifest of validation "
    "images.",
)
@click.option(
    "--test",
    type=Parsed("FRACTION", fraction_for_test),
    default="0",
    help="Fraction of each class to reserve for testing: nothing is learned or chosen from these "
    "images.",
)
@click.option(
    "--folds",
    type=Parsed("N", number_between(2, 1000, whole)),
    default=None,
    help="Cross-validation: divide the images into N folds, score each fold with a model trained "
    "on the others, then train on all images. Best for fewer than about 50 images per class.",
)
@click.option(
    "--permutations",
    type=Parsed("N", number_between(1, 100_000, whole)),
    default=None,
    help="With --folds: repeat everything with labels shuffled N times, and report how often that "
    "scores as well (p-value).",
)
@click.option(
    "--l2",
    type=Parsed("auto|NUMBER", penalty),
    default="auto",
    help="L2 penalty on the weights, (l2/2)·‖W‖². auto: the value with the lowest validation "
    "cross-entropy.",
)
@click.option(
    "--features",
    type=Parsed("pixels|patches[:N]|FILE.onnx", features),
    default="pixels",
    help="Input features of the classifier. patches: how well each region of an image matches N "
    f"patches ({N_FILTERS} by default) learned from the training images; much better for "
    "photographs. FILE.onnx: the output of a pretrained network; see docs/networks.md.",
)
@click.option(
    "--onnx-mean",
    type=Parsed("R,G,B", channel_numbers(0, 1)),
    help="With --features FILE.onnx: mean of the brightnesses, from 0 to 1, that is subtracted "
    "from each colour.  [default: that of the file's metadata if set, otherwise ImageNet's, "
    "0.485,0.456,0.406]",
)
@click.option(
    "--onnx-std",
    type=Parsed("R,G,B", channel_numbers(1e-6, 1000)),
    help="With --features FILE.onnx: standard deviation by which each colour is then divided.  "
    "[default: that of the file's metadata if set, otherwise ImageNet's, 0.229,0.224,0.225]",
)
@click.option(
    "--onnx-channels",
    type=click.Choice(["rgb", "bgr"]),
    help="With --features FILE.onnx: the order in which the network reads the colours.  "
    "[default: that of the file's metadata if set, otherwise rgb]",
)
@click.option(
    "--onnx-output",
    metavar="NAME",
    help="With --features FILE.onnx: the network's output to use.  [default: the last one that is "
    "a vector]",
)
@click.option(
    "--mirror",
    type=Parsed("auto|on|off", switch),
    default="auto",
    help="With --features patches: treat an image and its mirror image as the same. auto: on "
    "if this lowers the validation cross-entropy.",
)
@click.option(
    "--hidden",
    type=Parsed("N[,N...]", hidden_layers),
    default="none",
    help="Number of units in each hidden layer, such as 128 or 256,64. none: no hidden layer.",
)
@click.option(
    "--class-weight",
    type=click.Choice(["none", "balanced"]),
    default="none",
    help="Class weights in the objective. balanced: every class has the same total weight.",
)
@click.option(
    "--calibrate/--no-calibrate",
    default=True,
    help="Calibrate the probabilities with a temperature fitted on the validation images. "
    "Calibration never changes the predicted class.",
)
@click.option(
    "--seed",
    type=SEED,
    default=0,
    help="Seed for the validation split and for training.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Continue from the checkpoint of an interrupted run; the model is the same as "
    "without the interruption.",
)
@report_option
@save_plots_option
@reading_options
@cluster_options
@click.option(
    "--ignore-memory-check",
    is_flag=True,
    help="With --dask: train even if this machine seems to have too little memory.",
)
@details_option
@output_options("text", "json")
def train(
    folder: str,
    model_path: str,
    force: bool,
    report_path: str | None,
    plots_path: str | None,
    color: str,
    read: ReadOptions,
    cluster: ClusterSettings | None,
    ignore_memory_check: bool,
    details: bool,
    output: Output,
    **options: Any,
) -> None:
    """Train a classifier on the images in DIR and save it.

    DIR contains one subfolder of images per class, or such subfolders in train/ and, optionally,
    validation/ and test/. DIR may also be a CSV manifest with the columns path, label and,
    optionally, split; an .npz file of pixels or features; a CSV file of pixels; or a folder of IDX
    or .npy files.
    """
    from softmaxce.workflows import train as workflow
    from softmaxce.workflows.checkpoint import saving_noted
    from softmaxce.workflows.outputs import REPORT, check_files, check_folder
    from softmaxce.workflows.train_options import TrainOptions, check_distributable

    replaced = workflow.check_output(model_path, force)
    check_files([(report_path, REPORT)], [model_path, folder])
    check_folder(plots_path)
    chosen = TrainOptions(channels=CHANNELS[color], **_with_network(**options))
    _note_beforehand(output, model_path, chosen.resume)
    if cluster is not None:
        check_distributable(chosen)
        cluster = replace(cluster, ignore_memory_check=ignore_memory_check)
    with saving_noted(model_path):
        try:
            with (
                output.progress() as on_progress,
                backend_of(cluster, folder, output.note, on_progress) as (backend, listener),
            ):
                read = replace(read, backend=backend)
                result = workflow.train(folder, model_path, chosen, read, listener)
                _write_reports(result, report_path, plots_path)
        except AlreadyTrained as finished:
            _show_finished(model_path, finished, output)
            return
        if replaced:
            output.note(f"replaced {replaced}")
        _show(result, details, output)


def _with_network(
    features: int | str,
    onnx_mean: tuple[float, ...] | None,
    onnx_std: tuple[float, ...] | None,
    onnx_channels: str | None,
    onnx_output: str | None,
    **options: Any,
) -> dict[str, Any]:
    """The options, with a NetworkChoice of those about a network."""
    from softmaxce.networks.graph import NetworkChoice

    given = onnx_mean, onnx_std, onnx_channels, onnx_output
    if isinstance(features, str):
        return {**options, "network": NetworkChoice(features, *given)}
    for name, value in zip(("mean", "std", "channels", "output"), given, strict=True):
        if value is not None:
            raise click.UsageError(f"--onnx-{name} needs --features FILE.onnx")
    return {**options, "features": features}


def _show_finished(model_path: str, finished: AlreadyTrained, output: Output) -> None:
    from softmaxce.views.json import train as json_view
    from softmaxce.views.text import train as text_view

    text = json_view.finished(model_path, finished)
    output.show(partial(text_view.show_finished, finished), lambda _: text)


def _show(result: TrainResult, details: bool, output: Output) -> None:
    from softmaxce.views.json.train import as_json
    from softmaxce.views.text.train import show
    from softmaxce.workflows.assessment import of_training

    found, command = of_training(result), command_line()
    output.show(
        partial(show, result, found, command, details),
        lambda _: as_json(result, found, command),
        result.left_out,
        result.findings,
    )


def _note_beforehand(output: Output, model_path: str, resume: bool) -> None:
    """What the names of the model and of its checkpoint mean for this run."""
    from softmaxce.workflows.checkpoint import checkpoint_path

    if (suffix := os.path.splitext(model_path)[1].lower()) not in ("", ".npz"):
        output.note(f"{model_path} will be a softmaxce model (.npz), not a {suffix} file")
    left_over = checkpoint_path(model_path)
    if left_over.exists() and not resume:
        output.note(f"starting from the beginning; --resume would continue from {left_over}")


def _write_reports(result: TrainResult, report_path: str | None, plots_path: str | None) -> None:
    if report_path is not None or plots_path is not None:
        from softmaxce.views.report.page import write_report
        from softmaxce.views.report.subject import of_training

        write_report(of_training(result, command_line()), report_path, plots_path)
