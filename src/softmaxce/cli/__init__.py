"""The command line: one file per command, imported only when the command is used."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from types import FrameType
from typing import NoReturn

import click

from softmaxce import __version__
from softmaxce.cli import streams
from softmaxce.cli.help_text import HelpFormatter
from softmaxce.cli.options import use_wanted_language
from softmaxce.errors import SoftmaxceError


class _Modules(Mapping[str, click.Command]):
    """The commands in the order of their use, each imported on first use."""

    _names = (
        *("train", "predict", "evaluate", "explain", "check", "compare", "info", "export"),
        "cache",
    )

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._names:
            raise KeyError(name)
        command: click.Command = getattr(import_module(f"softmaxce.cli.{name}"), name)
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class _Commands(click.Group):
    """The commands, in the order of their use."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            commands = self.commands.items()
            formatter.write_dl(
                [(name, command.get_short_help_str(80)) for name, command in commands]
            )


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 96,
        "show_default": True,
    },
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def commands(context: click.Context) -> None:
    """Train, evaluate and explain a softmax image classifier."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


commands.commands = _Modules()  # type: ignore[assignment]  # nothing is added to it


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Stopped(BaseException):
    """A signal asked the program to stop. Not KeyboardInterrupt, which Click handles itself."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number
        self.word = "Interrupted." if number == signal.SIGINT else "Terminated."


def _on_signal(number: int, _frame: FrameType | None) -> NoReturn:
    for other in _SIGNALS:
        signal.signal(other, _exit_at_once)
    raise _Stopped(number)


def _exit_at_once(number: int, _frame: FrameType | None) -> NoReturn:
    os._exit(128 + number)


def _listen_for_signals() -> None:
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # set by `nohup` and by `&`
            signal.signal(number, _on_signal)


def _hold_blas_to_one_thread() -> None:
    """To be called before NumPy loads: the fit runs its own threads, each over its own rows."""
    for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(variable, "1")


def _say(line: str) -> None:
    from softmaxce.translation import translate
    from softmaxce.views.safe_text import visible

    print(visible(translate(line)), file=sys.stderr, flush=True)


def _fail(message: str, exit_code: int, end: str = "") -> NoReturn:
    from softmaxce.cli.hints import better_message

    use_wanted_language()
    _say(f"Error: {better_message(message, sys.argv[1:], commands, end)}")
    sys.exit(exit_code)


def main() -> None:
    """Run the command line and exit with the code for its outcome."""
    streams.prepare()
    _hold_blas_to_one_thread()
    _listen_for_signals()
    click.Context.formatter_class = HelpFormatter
    debug = "--debug" in sys.argv[1:]
    stdout = sys.stdout
    try:
        commands.main(prog_name="softmaxce", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        _leave_after_closed_pipe()
    except SystemExit:
        if sys.stdout is not stdout:  # on a closed pipe, Click wraps stdout and exits with 1
            _leave_after_closed_pipe()
        raise
    except _Stopped as stop:
        _leave_stopped(stop)
    except click.exceptions.Exit:
        raise
    except click.UsageError as error:
        from softmaxce.cli.hints import usage_message

        message, end = usage_message(error, sys.argv[1:], commands)
        _fail(message, error.exit_code, end)
    except Exception as error:
        cause = _cause(error)
        if cause is not None:
            _leave_stopped(cause)
        if debug:
            raise
        _fail(_error_message(error), getattr(error, "exit_code", 1))


def _cause(error: BaseException) -> _Stopped | None:
    """The _Stopped behind an error that a library (such as the import system) raised instead."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, _Stopped):
        cause = cause.__cause__ or cause.__context__
    return cause


def _leave_stopped(stop: _Stopped) -> NoReturn:
    from softmaxce.translation import translate

    _say(" ".join(map(translate, (stop.word, *getattr(stop, "__notes__", [])))))
    sys.exit(stop.exit_code)


def _leave_after_closed_pipe() -> NoReturn:
    """The reader (`| head`) has closed the pipe, which is not an error."""
    streams.let_stdout_go()
    sys.exit(0)


def _error_message(error: Exception) -> str:
    if isinstance(error, SoftmaxceError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"not enough memory {error}".strip()
    if isinstance(error, OSError):  # errors of a command's files are SoftmaxceErrors
        streams.let_stdout_go()
        return f"{error.filename or 'standard output'}: {error.strerror or error}"
    return (
        f"unexpected {type(error).__name__}: {error}; this is a bug in softmaxce; "
        "please report it with the output of --debug"
    )
