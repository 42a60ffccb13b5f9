"""What a shell shows: completion, and the groups of options in `--help`."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from click import Context
from helpers import environment

from softmaxce.cli import commands
from softmaxce.cli.option_groups import GROUPS, GroupedCommand

COMPLETE = (
    "import sys\nsys.argv[:] = ['softmaxce']\nfrom softmaxce.cli import main\n"
    "try:\n    main()\n"
    "finally:\n    print({'numpy', 'PIL', 'rich'} & set(sys.modules), file=sys.stderr)"
)


def shell(instruction: str, **variables: str) -> str:
    """What completion prints for a shell; it loads nothing heavy."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", COMPLETE],
        env=environment(_SOFTMAXCE_COMPLETE=instruction, PYTHONWARNINGS="ignore", **variables),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.endswith("set()\n"), done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell_asks_softmaxce(name):
    script = shell(f"{name}_source")
    assert f"_SOFTMAXCE_COMPLETE={name}_complete" in script
    assert "softmaxce" in script.rstrip().splitlines()[-1] or name == "zsh"


def test_bash_completes(tmp_path):
    program = tmp_path / "softmaxce"
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -W ignore -m softmaxce\n")
    program.chmod(0o755)
    code = (
        'eval "$(_SOFTMAXCE_COMPLETE=bash_source softmaxce)"; complete -p softmaxce\n'
        "COMP_WORDS=(softmaxce predict --format j) COMP_CWORD=3\n"
        '_softmaxce_completion softmaxce; echo "${COMPREPLY[@]}"'
    )
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", code],
        env=environment(PATH=path, PYTHONWARNINGS="ignore"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[1:] == ["json jsonl"], done.stderr
    assert "_softmaxce_completion softmaxce" in done.stdout


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("softmaxce tr", {"train"}),
        ("softmaxce c", {"check", "compare", "cache"}),
        ("softmaxce cache ", {"info", "clear"}),
        ("softmaxce train --fea", {"--features"}),
        ("softmaxce predict --fi", {"--files-from"}),
        ("softmaxce predict --format ", {"text", "json", "jsonl", "csv"}),
        ("softmaxce explain --format h", {"html"}),
        ("softmaxce explain --lang ", {"en", "ko"}),
        ("softmaxce train --features ", {"pixels", "patches"}),
        ("softmaxce train --mirror o", {"on", "off"}),
        ("softmaxce train --size ", {"auto"}),
        ("softmaxce train --l2 0.", set()),
        ("softmaxce evaluate d --coverage ", set()),
    ],
)
def test_commands_options_and_choices_are_completed(line, expected):
    words = line.split()
    position = str(len(words) - (not line.endswith(" ")))
    answer = shell("bash_complete", COMP_WORDS=line, COMP_CWORD=position)
    assert set(answer.split()) == {f"plain,{word}" for word in expected}


@pytest.mark.parametrize(
    "line",
    [
        *("softmaxce train ", "softmaxce predict ", "softmaxce compare a ", "softmaxce info "),
        *("softmaxce predict -m ", "softmaxce predict --files-from ", "softmaxce train -o "),
        *("softmaxce train --validation ", "softmaxce train --cache ", "softmaxce explain "),
    ],
)
def test_files_and_folders_are_completed(line):
    answer = shell("bash_complete", COMP_WORDS=line, COMP_CWORD=str(len(line.split())))
    assert answer.split(",")[0] == "file"


GROUPED = [name for name, c in commands.commands.items() if isinstance(c, GroupedCommand)]


def test_commands_with_many_options_are_grouped():
    assert {"train", "evaluate", "predict"} <= set(GROUPED)


@pytest.mark.parametrize("name", GROUPED)
def test_every_option_is_in_exactly_one_group(name):
    command = commands.commands[name]
    context = Context(command, info_name=name, parent=Context(commands))
    text = command.get_help(context)
    listed = [f"--{option}" for options in GROUPS.values() for option in options.split()]
    for parameter in command.get_params(context):
        if parameter.param_type_name == "option":
            assert listed.count(parameter.opts[-1]) == 1, parameter.opts
            declared = ", ".join(parameter.opts[-2:])
            shown = rf"^  {re.escape(declared)}(?![\w-])"
            assert len(re.findall(shown, text, re.MULTILINE)) == 1, declared


def test_every_name_in_a_group_is_an_option():
    known = {p.opts[-1] for n in GROUPED for p in commands.commands[n].params} | {"--help"}
    assert {f"--{option}" for options in GROUPS.values() for option in options.split()} <= known


@pytest.mark.parametrize("name", GROUPED)
def test_the_grouped_help_fits_80_columns_in_the_order_of_the_groups(softmaxce, name):
    lines = softmaxce(name, "--help").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    headings = [line[:-1] for line in lines if line[:-1] in GROUPS]
    assert headings == [heading for heading in GROUPS if heading in headings]
    assert len(headings) >= 3
    starts = [line for line in lines if line.startswith("  -")]
    assert {line[34:35] == " " for line in starts if len(line) > 34} == {False}  # aligned
