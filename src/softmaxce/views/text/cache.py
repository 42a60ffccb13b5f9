"""The results of `cache` as text."""

from __future__ import annotations

from datetime import datetime

from softmaxce.views.console import output
from softmaxce.views.formatting import Word, counted
from softmaxce.workflows.cache import CacheInfo, Cleared

_MB = 10**6


def show(result: CacheInfo) -> None:
    """Print the entries, and their total size."""
    console = output()
    if result.entries:
        rows = [
            (
                entry.source,
                Word(entry.form),
                f"{entry.n_images:,}",
                f"{entry.n_bytes / _MB:.1f}",
                datetime.fromtimestamp(entry.last_used).strftime("%Y-%m-%d %H:%M"),
            )
            for entry in result.entries
        ]
        header = ("source", "preprocessing", "images", "MB", "last used")
        console.print_table(header, rows, left=(0, 1, 4))
    console.print_line(
        f"{result.n_bytes / _MB:,.1f} MB of at most {result.max_bytes / _MB:,.0f} MB "
        f"in {result.folder}"
    )


def show_cleared(result: Cleared) -> None:
    """Print what was removed."""
    files, size = counted(result.n_files, "file"), f"{result.n_bytes / _MB:,.1f} MB"
    output().print_line(f"Removed {files}, {size}, from {result.folder}")
