"""What `explain` may import, and so how fast it can start."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Each costs milliseconds that the English text lesson has no use for.
NOT_NEEDED = {
    "PIL",
    "gettext",
    "json",
    "random",
    "tempfile",
    "importlib.resources",
    "hashlib",
    "base64",
    "softmaxce.images.reading",
    "softmaxce.model.softmax_model",
    "softmaxce.lesson.picture",
    "softmaxce.views.lesson.page",
    "rich.progress",
    "rich.markdown",
    "rich.syntax",
}
# What the command may not do without, and what these load themselves.
BASELINE = "import click, numpy, rich.console, rich.table"


def modules_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules, file=sys.stderr)"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return set(done.stderr.split())


RUN = """
import sys
from softmaxce.cli import commands
sys.argv = ["softmaxce"]
commands.main({words!r}, standalone_mode=False)
"""


@pytest.fixture(scope="module")
def baseline():
    return modules_after(BASELINE)


def test_explaining_logits_imports_little(baseline):
    words = ["explain", "--logits", "0.2", "0.3", "--lang", "en"]
    loaded = modules_after(RUN.format(words=words)) - baseline
    assert "softmaxce.lesson.numbers" in loaded
    assert not loaded & NOT_NEEDED
    others = {name for name in loaded if not name.startswith(("softmaxce", "rich"))}
    packages = {name.partition(".")[0] for name in others}
    assert packages <= {"numpy", "click"} | sys.stdlib_module_names
    assert len(others) <= 20  # how the standard library is cut differs from Python to Python


def test_help_imports_neither_numpy_nor_pillow_nor_rich():
    loaded = modules_after(RUN.format(words=["explain", "--help"]))
    assert not loaded & {"numpy", "PIL", "rich"}
