"""Draw docs/session.svg: the README's first commands and their real output in a terminal.

python docs/draw_session.py
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).parent.parent
COMMANDS = (
    "softmaxce train data/pets",
    "softmaxce predict data/pets/test/cat/cat-002.png --label cat",
)
WIDTH = 80


def printed(command: str, folder: str) -> str:
    """What `command` prints on stdout, in colour."""
    scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": scripts, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH)}
    done = subprocess.run(
        command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def main() -> None:
    """Run the commands and write the picture."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "data").symlink_to(ROOT / "data")
        for command in COMMANDS:
            console.print(Text(f"$ {command}", style="bold"))
            console.print(Text.from_ansi(printed(command, folder)))
    svg = console.export_svg(title="softmaxce", theme=MONOKAI, unique_id="softmaxce")
    # Use the reader's fonts instead of fetching any.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code", "ui-monospace, Menlo, Consolas")
    (ROOT / "docs" / "session.svg").write_text(svg)


if __name__ == "__main__":
    main()
