"""A hook of MkDocs: writes what `--help` says about each command into docs/reference-cli.md."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import click

from softmaxce.cli import commands

MARK = "<!-- the commands -->"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Called by MkDocs for each page."""
    if MARK not in markdown:
        return markdown
    root = click.Context(commands, info_name="softmaxce", **commands.context_settings)
    sections = (
        "\n".join(_lines(command, click.Context(command, root, name)))
        for name, command in commands.commands.items()
    )
    return markdown.replace(MARK, "\n\n".join(sections))


def _lines(command: click.Command, context: click.Context, level: int = 2) -> Iterator[str]:
    """The description, the usage and the options of a command, then its own commands."""
    yield f"{'#' * level} {context.command_path}\n"
    yield f"{_escape(command.help or '')}\n"
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"```text\n{context.command_path} {usage}\n```\n"
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    yield "| option | meaning |\n|---|---|"
    for names, meaning in filter(None, records):
        if meaning:
            yield f"| <code>{_escape(names)}</code> | {_escape(meaning)} |"
    if command.epilog:
        examples = command.epilog.replace("\b", "").strip()
        yield f"\n```text\n{examples}\n```"
    for name, child in getattr(command, "commands", {}).items():
        yield "\n" + "\n".join(_lines(child, click.Context(child, context, name), level + 1))


def _escape(text: str) -> str:
    """Text as Markdown shows it, except that `...` remains code."""
    escaped = re.sub(r"([\\*_\[\]#])", r"\\\1", html.escape(" ".join(text.split()), quote=False))
    return escaped.replace("|", "&#124;")
