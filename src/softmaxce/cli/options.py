"""Options that several commands share, with one name, one default and one help text each."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from functools import wraps
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from softmaxce.cli.types import (
    FILE,
    Parsed,
    class_merger,
    classes,
    number_between,
    probability,
    whole,
)
from softmaxce.errors import InputError

if TYPE_CHECKING:
    from softmaxce.data.source_findings import Finding
    from softmaxce.workflows.progress import OnProgress

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def default_model() -> str:
    """The model file that commands read and write unless another is named."""
    return os.environ.get("SOFTMAXCE_MODEL") or "model.npz"


def format_option(*formats: str) -> Decorator:
    """`--format`; the first of `formats` is the default."""
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(formats, case_sensitive=False),
        default=formats[0],
        help="Output format: json for programs, the others for reading."
        if "html" in formats
        else "Output format: text for reading, "
        f"{formats[1] if len(formats) == 2 else 'the others'} for programs.",
    )


model_option = click.option(
    "-m",
    "--model",
    "model_path",
    type=FILE,
    default=default_model,
    show_default=False,
    help="Model file.  [default: $SOFTMAXCE_MODEL if set, otherwise model.npz]",
)


network_option = click.option(
    "--network",
    "networks",
    metavar="FILE.onnx",
    type=FILE,
    multiple=True,
    envvar="SOFTMAXCE_NETWORK",
    help="Network file of a model that was trained with one.  [default: $SOFTMAXCE_NETWORK if set, "
    "otherwise a file in the model's folder]",
)


def use_language(name: str | None) -> None:
    """Write in the language of this name from now on; without a name, in that of the locale."""
    from softmaxce import translation
    from softmaxce.language import default_language, language_of

    translation.use(language_of(name) if name else default_language())


def use_wanted_language() -> None:
    """As use_language, before the options are read: for the help, and for errors of the options."""
    words = re.split("[ =]", " ".join(sys.argv[1:]).partition(" -- ")[0])
    name = words[words.index("--lang") + 1] if "--lang" in words[:-1] else None
    try:
        use_language(name)
    except InputError:
        use_language(None)


def common_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--lang` and `--debug`, which `main` reads from sys.argv for Click's own errors, too."""
    language = click.option(
        "--lang",
        type=Parsed("en|ko", str),
        expose_value=False,
        is_eager=True,
        callback=lambda _context, _parameter, name: use_language(name),
        help="Language of results, notes and errors.  [default: the language of the locale if "
        "available, otherwise en]",
    )
    debug = click.option(
        "--debug", is_flag=True, expose_value=False, help="Show the traceback of an error."
    )
    return language(debug(command))


jobs_option = click.option(
    "--jobs",
    type=Parsed("N", number_between(1, 1024, whole)),
    help="Number of processes that decode images (threads, if a network computes features), at "
    "most 1024.  [default: one per core]",
)

group_by_option = click.option(
    "--group-by",
    type=Parsed("REGEX|COLUMN|parent", str),
    help="Groups of images that belong together, such as those of a patient: the text that a "
    "regular expression (or its first group) matches in the path, a column of the manifest, or "
    "the parent folder. A group is never in two splits; intervals and tests count groups.",
)

skip_bad_option = click.option(
    "--skip-bad", is_flag=True, help="Skip unreadable images and list them."
)


class Output(NamedTuple):
    """How a command prints its result, its notes and its progress."""

    format: str
    quiet: bool
    hides_progress: bool

    def progress(self) -> AbstractContextManager[OnProgress]:
        """A listener that shows progress on stderr, if it is wanted."""
        from softmaxce.views.progress import shown

        return shown(not (self.quiet or self.hides_progress))

    def note(self, text: str) -> None:
        """Print a line on stderr, unless quiet."""
        if not self.quiet:
            from softmaxce.views.console import note

            note(text)

    def show(
        self,
        show_text: Callable[[], None],
        machine_text: Callable[[str], str | Iterable[str]],
        left_out: Sequence[str] = (),
        findings: Sequence[Finding] = (),
    ) -> None:
        """Print the result, for people or as machine_text(format), and name the files left out and
        what was found in the source."""
        for found in findings:
            self.note(str(found))
        if left_out and not self.quiet:
            from softmaxce.views.console import left_out_note

            self.note(left_out_note(left_out))
        if self.format == "text":
            show_text()
        else:
            from softmaxce.views.json.csv_output import print_exactly

            print_exactly(machine_text(self.format))


def output_options(*formats: str) -> Decorator:
    """`--format` and what is printed on stderr; the command receives `output`, an Output."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def with_output(
            *args: Any, output_format: str, no_progress: bool, quiet: bool, **options: Any
        ) -> Any:
            return command(*args, output=Output(output_format, quiet, no_progress), **options)

        progress = click.option("--no-progress", is_flag=True, help="Hide the progress display.")
        quietly = click.option(
            "-q",
            "--quiet",
            is_flag=True,
            help="Suppress progress and notes; only errors are written to stderr.",
        )
        return format_option(*formats)(progress(quietly(common_options(with_output))))

    return add


coverage_option = click.option(
    "--coverage",
    type=Parsed("PROBABILITY", probability),
    help="Also show for each image a set of classes that contains the true class with this "
    "probability, such as 0.95. The guarantee holds on average over images like the validation "
    "images. Images of unknown classes are not detected.",
)

details_option = click.option(
    "--details",
    is_flag=True,
    help="Also print calibration details and the scores of every class.",
)

report_option = click.option(
    "--report",
    "report_path",
    metavar="FILE.html",
    type=FILE,
    help="Also write an HTML report: scores, plots and the worst predictions in one file that "
    "works offline.",
)

save_plots_option = click.option(
    "--save-plots",
    "plots_path",
    metavar="DIR",
    type=FILE,
    help="Also write the charts of the report (SVG) and the weights of each class (PNG) to this "
    "folder.",
)


def class_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--only` and `--merge`; the command receives `class_choice`, the ClassChoice."""

    @wraps(command)
    def with_choice(*args: Any, only: Any, merge: Any, **options: Any) -> Any:
        from softmaxce.class_choice import ClassChoice

        choice = ClassChoice(tuple(chain(*only)), tuple(sorted(chain(*merge))))
        return command(*args, class_choice=choice, **options)

    merging = click.option(
        "--merge",
        type=Parsed("CLASS[,CLASS...]=CLASS", class_merger),
        multiple=True,
        help="Merge classes into one, such as wolf,husky=dog, whose name may be new. May be "
        "repeated.",
    )
    choosing = click.option(
        "--only",
        type=Parsed("CLASS[,CLASS...]", classes),
        multiple=True,
        help="Use only these classes, by their names after --merge, and leave out the images of "
        "all others.",
    )
    return choosing(merging(with_choice))


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How images are read and grouped; the command receives `read`, the ReadOptions."""

    @wraps(command)
    def with_reading(
        *args: Any,
        skip_bad: bool,
        jobs: int | None,
        cache: str | None,
        no_cache: bool,
        group_by: str | None,
        **options: Any,
    ) -> Any:
        from softmaxce.data.pixel_cache import PixelCache, default_folder, usable_folder
        from softmaxce.data.read_options import ReadOptions
        from softmaxce.views.console import note

        folder = None
        if not no_cache:
            folder = default_folder() if cache is None else usable_folder(cache)
        on_note = (lambda _: None) if options["quiet"] else note
        kept = None if folder is None else PixelCache(folder, on_note=on_note)
        return command(*args, read=ReadOptions(skip_bad, kept, jobs, group_by=group_by), **options)

    switch = click.option("--no-cache", is_flag=True, help="Do not read or write the cache.")
    location = click.option(
        "--cache",
        metavar="DIR",
        type=FILE,
        help="Cache folder for decoded pixels.  [default: $SOFTMAXCE_CACHE if set, otherwise "
        "the user cache folder]",
    )
    return group_by_option(skip_bad_option(jobs_option(location(switch(with_reading)))))


def command_line() -> str:
    """The running command, quoted for a shell."""
    return shlex.join(["softmaxce", *sys.argv[1:]])
