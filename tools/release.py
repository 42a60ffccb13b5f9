"""Builds the sdist and the wheel twice, checks them, and refuses two builds that differ.

    python tools/release.py FOLDER

Each build starts from a fresh clone of the last commit, in a folder of its own, with file times,
permissions, a time zone and a locale of its own. The files are left in FOLDER.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
BUILDS = (  # umask, seconds since 1970 of every file, environment
    (0o022, 1_000_000_000, {"TZ": "UTC", "LC_ALL": "C.UTF-8"}),
    (0o077, 1_700_000_000, {"TZ": "Asia/Seoul", "LC_ALL": "C", "PYTHONHASHSEED": "7"}),
)


def run(*words: object, **options: object) -> str:
    """Run a command and return what it prints."""
    words = tuple(map(str, words))
    return subprocess.run(words, check=True, text=True, stdout=subprocess.PIPE, **options).stdout


def build(clone: Path, output: Path, umask: int, moment: int, variables: dict[str, str]) -> None:
    """Build a clone of the last commit. The archives' dates are the commit's."""
    run("git", "clone", "--quiet", ROOT, clone, umask=umask)
    for path in clone.rglob("*"):
        os.utime(path, (moment, moment))
    committed = run("git", "log", "-1", "--format=%ct", cwd=clone).strip()
    env = {**os.environ, **variables, "SOURCE_DATE_EPOCH": committed}
    words = ("-m", "build", "--no-isolation", "--outdir", output, clone)
    run(sys.executable, *words, umask=umask, env=env)


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file in a folder."""
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}


def main(output: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        second = Path(folder, "elsewhere", "dist")
        build(Path(folder, "one"), output, *BUILDS[0])
        build(Path(folder, "elsewhere", "two"), second, *BUILDS[1])
        if digests(output) != digests(second):
            raise SystemExit(f"Two builds differ: {digests(output)}, {digests(second)}")
    distributions = sorted(output.iterdir())
    run(sys.executable, "-m", "twine", "check", "--strict", *distributions)
    run(Path(sys.executable).parent / "check-wheel-contents", *output.glob("*.whl"))
    for name, digest in digests(output).items():
        print(f"{digest}  {name}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
