"""`softmaxce predict`."""

from __future__ import annotations

from functools import partial

import click

from softmaxce.cli.option_groups import GroupedCommand
from softmaxce.cli.options import (
    Output,
    coverage_option,
    jobs_option,
    model_option,
    network_option,
    output_options,
    skip_bad_option,
)
from softmaxce.cli.streams import read_input
from softmaxce.cli.types import FILE, LARGEST, Parsed, number_between, whole

EPILOG = """\b
Examples:
  softmaxce predict cat.png
  softmaxce predict cat.png --label cat -k 3
  softmaxce predict photos/ --format csv > predictions.csv
  cat cat.png | softmaxce predict -
  find photos -name '*.jpg' -print0 | softmaxce predict --null --files-from -
"""


@click.command(
    cls=GroupedCommand, short_help="Show the class probabilities for images.", epilog=EPILOG
)
@click.argument("images", metavar="[IMAGE...]", nargs=-1, type=click.Path(readable=False))
@click.option(
    "--files-from",
    metavar="FILE",
    type=FILE,
    help="Also read the paths of image files from this file, one per line; - is stdin.",
)
@click.option(
    "-0",
    "--null",
    is_flag=True,
    help="With --files-from: NUL characters separate the paths, as printed by find -print0.",
)
@model_option
@network_option
@click.option(
    "-k",
    "--top-k",
    type=Parsed("K", number_between(1, LARGEST, whole)),
    help="Show only the K most probable classes in text output.  [default: all, or 10 if there "
    "are more than 30]",
)
@click.option(
    "--label",
    "label_name",
    metavar="LABEL",
    help="True class, by name or index from 0; also shows its cross-entropy.",
)
@coverage_option
@skip_bad_option
@jobs_option
@output_options("text", "json", "jsonl", "csv")
def predict(
    images: tuple[str, ...],
    files_from: str | None,
    null: bool,
    model_path: str,
    networks: tuple[str, ...],
    top_k: int | None,
    label_name: str | None,
    coverage: float | None,
    skip_bad: bool,
    jobs: int | None,
    output: Output,
) -> None:
    """Show the class probabilities for each IMAGE: a file, a folder of images, or - for stdin.

    A single IMAGE may also be a source of arrays that `train` accepts, or one of its rows, such as
    features.npz[3]; it needs no labels.
    """
    from softmaxce.data.path_list import paths_in
    from softmaxce.views.json import predict as json_view
    from softmaxce.views.text import predict as text_view
    from softmaxce.workflows import predict as workflow

    _check(images, files_from, null)
    listed = [] if files_from is None else paths_in(read_input(files_from), files_from, null=null)
    stdin = read_input() if workflow.STDIN in images else b""
    with output.progress() as on_progress:
        result = workflow.predict(
            images,
            model_path,
            networks=networks,
            listed=listed,
            label_name=label_name,
            skip_bad=skip_bad,
            jobs=jobs,
            coverage=coverage,
            stdin=stdin,
            on_progress=on_progress,
        )
    output.show(
        partial(text_view.show, result, top_k),
        partial(json_view.as_machine_text, result),
        [str(failure) for failure in result.failures],
    )


def _check(images: tuple[str, ...], files_from: str | None, null: bool) -> None:
    """Refuse arguments that do not go together."""
    if null and files_from is None:
        raise click.UsageError("--null needs --files-from FILE")
    if not images and files_from is None:
        raise click.UsageError("name an IMAGE: a file, a folder or -; or use --files-from FILE")
    if "-" in images and files_from == "-":
        raise click.UsageError("stdin cannot be both an image and the list for --files-from")
