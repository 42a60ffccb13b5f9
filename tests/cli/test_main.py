"""The command line as a whole: lazy imports, help, signals, streams."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import PETS, assert_one_error_line

import softmaxce as package
from softmaxce.cli import commands

LIGHT = (["--help"], ["--version"], [], *([name, "--help"] for name in commands.commands))


@pytest.mark.parametrize("words", LIGHT, ids=" ".join)
def test_help_loads_neither_numpy_nor_pillow_nor_rich(words):
    code = (
        "import sys\nfrom softmaxce.cli import main\n"
        f"sys.argv[1:] = {words!r}\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print({'numpy', 'PIL', 'rich'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "set()\n"
    assert done.stdout


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, softmaxce; print({'numpy', 'PIL', 'rich', 'click'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_version(softmaxce):
    assert softmaxce("--version").stdout == f"softmaxce {package.__version__}\n"


def test_no_command_shows_the_help(softmaxce):
    outcome = softmaxce()
    assert outcome.exit_code == 0
    assert "train" in outcome.stdout


def test_no_line_of_the_help_is_cut_off(softmaxce):
    assert "..." not in softmaxce("--help").stdout.partition("Commands:")[2]


def test_unknown_command(softmaxce):
    assert_one_error_line(softmaxce("fly"), 2, "fly")


@pytest.mark.parametrize("name", sorted(commands.commands))
def test_every_option_has_help_and_every_command_examples(name):
    command = commands.commands[name]
    assert command.help
    assert "Examples:" in (command.epilog or "")
    for parameter in command.params:
        if parameter.param_type_name == "option":
            assert parameter.help, parameter.name


def test_debug_shows_the_traceback(softmaxce):
    outcome = softmaxce("train", "nowhere", "--debug")
    assert outcome.exit_code == 1
    assert "Traceback" in outcome.stderr


def test_a_closed_pipe_is_no_error(pets_model):
    command = f"{sys.executable} -m softmaxce evaluate {PETS}/test -m {pets_model} --no-progress"
    piped = f"({command}; echo $? >&2) | head -n 1"
    done = subprocess.run(["bash", "-c", piped], capture_output=True, text=True, check=True)
    assert done.stderr == "0\n"


def wait_until_it_listens(pid):
    """Wait until the process handles SIGTERM itself, which it does once it has started; then a
    little more, until it reads the image from stdin."""
    status = Path(f"/proc/{pid}/status")
    deadline = time.monotonic() + 20
    while status.exists() and time.monotonic() < deadline:
        caught = int(status.read_text().split("SigCgt:")[1].split()[0], 16)
        if caught >> (signal.SIGTERM - 1) & 1:
            break
        time.sleep(0.02)
    time.sleep(0.5)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_a_run_with_their_exit_codes(tmp_path, number, code):
    process = subprocess.Popen(
        [sys.executable, "-m", "softmaxce", "predict", "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    )
    wait_until_it_listens(process.pid)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == code
    assert stderr.count(b"\n") == 1
