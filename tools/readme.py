"""The commands and examples of the READMEs and of docs/, read so that they can be run.

    python tools/readme.py command N   print the Nth one-line command (the ```sh blocks)
    python tools/readme.py update      run every example and write its real output into the pages

A ```console block holds commands behind "$ ", each followed by what it prints; a ```python block
holds code, and what it prints in comments behind "# >".
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
KOREAN = ".ko.md"
READMES = [README, README.with_suffix(KOREAN)]
PAGES = [*READMES, *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```(sh|console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    """One command or piece of code, and what the README says that it prints."""

    language: str
    source: str
    output: str


def locale_of(page: Path) -> str:
    """The language of the page's examples."""
    return "ko_KR.UTF-8" if page.name.endswith(KOREAN) else "C.UTF-8"


def _has_outputs(page: Path) -> bool:
    """Whether the page shows what its examples print."""
    text = page.read_text("utf-8")
    return "```console\n" in text or "\n# > " in text


PAGES_WITH_OUTPUTS = [page for page in PAGES if _has_outputs(page)]


def snippets(page: Path) -> list[tuple[str, str]]:
    """The language and the text of every block, in order."""
    return _BLOCK.findall(page.read_text("utf-8"))


def one_line_commands() -> list[str]:
    """The commands of the ```sh blocks."""
    return [body.strip() for language, body in snippets(README) if language == "sh"]


def examples(text: str) -> list[Example]:
    """Every example of the console and python blocks, in order."""
    found = []
    for language, body in _BLOCK.findall(text):
        if language == "console":
            for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
                source, _, output = part.partition("\n")
                found.append(Example(language, source, output.strip("\n")))
        elif language == "python":
            lines = body.splitlines()
            code = [line for line in lines if not line.startswith("# >")]
            shown = [line[4:] for line in lines if line.startswith("# >")]
            found.append(Example(language, "\n".join(code).strip(), "\n".join(shown)))
    return found


@contextlib.contextmanager
def playground() -> Iterator[Path]:
    """A folder as a reader has it after cloning: with data/, and nothing trained yet."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "data").symlink_to(ROOT / "data")
        yield Path(folder)


def run(example: Example, folder: Path, names: dict[str, Any], locale: str = "C.UTF-8") -> str:
    """What the example really prints: stdout, or the error line where it fails on purpose.

    names: what the Python examples have defined so far; locale: the language of the messages.
    """
    if example.language == "python":
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.chdir(folder):
            exec(compile(example.source, "example", "exec"), names)
        return printed.getvalue().strip("\n")
    done = shell(example.source, folder, locale)
    printed_text = done.stderr if done.returncode else done.stdout
    return "\n".join(line.rstrip() for line in printed_text.strip("\n").splitlines())


def shell(
    source: str, folder: Path, locale: str = "C.UTF-8", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run commands in bash, in `folder`, with this Python's scripts first in PATH."""
    scripts = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    environment |= {"COLUMNS": "80", "LC_ALL": "", "LC_CTYPE": "C.UTF-8", "NO_COLOR": "1"}
    environment |= {"LC_MESSAGES": locale, **variables}
    return subprocess.run(
        ["bash", "-c", source],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def update(page: Path) -> None:
    """Write the real outputs into a page."""
    text = page.read_text("utf-8")
    names: dict[str, Any] = {}
    with playground() as folder:
        for example in examples(text):
            output = run(example, folder, names, locale_of(page))
            if example.language == "console":
                old = f"$ {example.source}\n" + (f"{example.output}\n" if example.output else "")
                new = f"$ {example.source}\n" + (f"{output}\n" if output else "")
            else:
                shown = "".join(f"# > {line}".rstrip() + "\n" for line in output.splitlines())
                old_shown = "".join(f"# > {line}\n" for line in example.output.splitlines())
                old, new = f"{example.source}\n{old_shown}", f"{example.source}\n{shown}"
            if old not in text:
                raise SystemExit(f"cannot place the output of: {example.source}")
            text = text.replace(old, new, 1)
    page.write_text(text, "utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["command"]:
        print(one_line_commands()[int(sys.argv[2]) - 1])
    elif sys.argv[1:] == ["update"]:
        for page in PAGES_WITH_OUTPUTS:
            update(page)
    else:
        raise SystemExit(__doc__)
