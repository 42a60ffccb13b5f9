"""What `softmaxce cache` shows."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from softmaxce.views.console import output
from softmaxce.views.machine import json_text
from softmaxce.views.safe_text import visible
from softmaxce.views.wording import name, table
from softmaxce.workflows.cache import CacheInfo, Cleared

_MB = 10**6


def show(result: CacheInfo) -> None:
    """The entries as a table, and their sum."""
    console = output()
    if result.entries:
        view = table()
        for title in ("images of", "as", "images", "MB", "last used"):
            view.add_column(title, justify="right" if title in ("images", "MB") else "left")
        for entry in result.entries:
            used = datetime.fromtimestamp(entry.last_used).strftime("%Y-%m-%d %H:%M")
            size = f"{entry.n_bytes / _MB:.1f}"
            view.add_row(name(entry.source), entry.form, f"{entry.n_images:,}", size, used)
        console.print(view)
    console.print(
        f"{result.n_bytes / _MB:,.1f} MB of at most {result.max_bytes / _MB:,.0f} MB "
        f"in {visible(result.folder)}",
        soft_wrap=True,
    )


def as_json(result: CacheInfo) -> str:
    """The entries as one JSON object."""
    return json_text(
        "cache info",
        {
            "folder": result.folder,
            "n_bytes": result.n_bytes,
            "max_bytes": result.max_bytes,
            "entries": [asdict(entry) for entry in result.entries],
        },
    )


def show_cleared(result: Cleared) -> None:
    """What was removed."""
    noun = "file" if result.n_files == 1 else "files"
    text = f"Removed {result.n_files} {noun}, {result.n_bytes / _MB:,.1f} MB, from {result.folder}"
    output().print(visible(text), soft_wrap=True)


def cleared_as_json(result: Cleared) -> str:
    """What was removed, as one JSON object."""
    return json_text("cache clear", asdict(result))
