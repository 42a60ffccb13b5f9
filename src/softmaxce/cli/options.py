"""Options that several commands share, so that each has one name, one default and one help."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from softmaxce.cli.types import OpenShare

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def format_option(*formats: str) -> Decorator:
    """`--format`, the first of `formats` being the default."""
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="Text for people, the others for programs.",
    )


def model_option(**overrides: Any) -> Decorator:
    """`-m/--model`: the model to read; SOFTMAXCE_MODEL, or model.npz in this folder."""
    return click.option(
        "-m",
        "--model",
        "model_path",
        type=click.Path(readable=False),
        default=lambda: os.environ.get("SOFTMAXCE_MODEL", "model.npz"),
        show_default="$SOFTMAXCE_MODEL, or model.npz",
        help="The model file.",
        **overrides,
    )


# Its value is read by `main` before Click sees it: errors of Click's own count too.
debug_option = click.option(
    "--debug", is_flag=True, expose_value=False, help="Show a traceback when something fails."
)

jobs_option = click.option(
    "--jobs",
    type=click.IntRange(1, 1024),
    help="Processes that read images.  [default: one for each core]",
)

skip_bad_option = click.option(
    "--skip-bad", is_flag=True, help="Go on without images that cannot be read, and name them."
)

no_progress_option = click.option("--no-progress", is_flag=True, help="Show no progress on stderr.")

quiet_option = click.option(
    "-q", "--quiet", is_flag=True, help="Show no progress and no notes on stderr; errors only."
)

coverage_option = click.option(
    "--coverage",
    type=OpenShare(),
    help="Also give each image a set of classes that holds the true one with this probability, "
    "such as 0.95. It is a promise for the average of images like those held out in training; "
    "it does not notice a picture of something else.",
)

report_option = click.option(
    "--report",
    "report_path",
    metavar="FILE.html",
    type=click.Path(readable=False),
    help="Also write a report for people: one file with scores, pictures and the worst answers, "
    "to be opened in a browser or printed.",
)

save_plots_option = click.option(
    "--save-plots",
    "plots_path",
    metavar="DIR",
    type=click.Path(readable=False),
    help="Also write the charts of the report (SVG) and the weights of each class (PNG) to this "
    "folder.",
)


def cache_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--cache DIR` and `--no-cache`; the command gets `cache`, a folder or None for no cache."""

    @wraps(command)
    def with_cache(*args: Any, cache: str | None, no_cache: bool, **options: Any) -> Any:
        from softmaxce.data.pixel_cache import default_folder, usable_folder

        folder = None
        if not no_cache:
            folder = default_folder() if cache is None else usable_folder(cache)
        return command(*args, cache=folder, **options)

    switch = click.option("--no-cache", is_flag=True, help="Decode anew, and keep nothing.")
    place = click.option(
        "--cache",
        metavar="DIR",
        type=click.Path(readable=False),
        help="Where decoded pixels are kept.  [default: $SOFTMAXCE_CACHE, or the user's cache "
        "folder]",
    )
    return place(switch(with_cache))


def command_line() -> str:
    """The command that is running, as it could be pasted into a shell."""
    return shlex.join(["softmaxce", *sys.argv[1:]])
