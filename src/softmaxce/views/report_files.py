"""A report's files: the page, and the pictures."""

from __future__ import annotations

import os

from softmaxce.atomic_files import write_atomically
from softmaxce.views.report import as_page, plots
from softmaxce.views.report_subject import Subject
from softmaxce.workflows.outputs import make_folder


def write_report(subject: Subject, page_path: str | None, plots_path: str | None) -> None:
    """Write what is asked for: the page, the pictures into a folder. Raises OutputError."""
    if page_path is not None:
        write_atomically(page_path, [as_page(subject)])
    if plots_path is not None:
        make_folder(plots_path)
        for name, content in plots(subject).items():
            write_atomically(os.path.join(plots_path, name), [content])
