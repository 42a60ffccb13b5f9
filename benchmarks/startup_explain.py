"""The time of `softmaxce explain --logits 0.2 0.3`, compared with importing what it needs.

    python benchmarks/startup_explain.py [RUNS]

Runs both commands alternately, with compiled modules as an installed package has them, and prints
the ratio of their median times. Required: at most 1.3.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from tempfile import TemporaryDirectory

IMPORTS = "import click, numpy, rich.console, rich.table"
PEER = [sys.executable, "-c", IMPORTS]
SCRIPT = "from softmaxce.cli import main; main()"  # what the installed command runs
OURS = [sys.executable, "-c", SCRIPT, "explain", "--logits", "0.2", "0.3"]


def seconds(command: list[str], compiled: str) -> float:
    """Wall time of one run, which must succeed. compiled: a folder for the compiled modules."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = compiled
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return time.perf_counter() - started


def medians(peer: list[str], ours: list[str], n_runs: int) -> tuple[float, float]:
    """Median times of two commands, run alternately."""
    with TemporaryDirectory() as compiled:
        seconds(peer, compiled), seconds(ours, compiled)  # the first runs have cold caches
        runs = [(seconds(peer, compiled), seconds(ours, compiled)) for _ in range(n_runs)]
    first, second = (statistics.median(times) for times in zip(*runs, strict=True))
    return first, second


def main() -> None:
    """Time both and print the ratio."""
    n_runs = int(sys.argv[1]) if len(sys.argv) > 1 else 25
    imports, explain = medians(PEER, OURS, n_runs)
    print(f"python -c '{IMPORTS}': {imports:.3f} s")
    print(f"softmaxce explain --logits 0.2 0.3: {explain:.3f} s")
    print(f"ratio {explain / imports:.2f} (medians of {n_runs} runs in turn; asked: at most 1.3)")


if __name__ == "__main__":
    main()
