"""The time of `softmaxce explain --logits 0.2 0.3`, compared with importing what it needs.

    python benchmarks/startup_explain.py [RUNS]

Runs both commands alternately and prints the ratio of their median times. Required: at most 1.3.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

IMPORTS = "import click, numpy, rich.console, rich.table"
PEER = [sys.executable, "-c", IMPORTS]
OURS = [sys.executable, "-m", "softmaxce", "explain", "--logits", "0.2", "0.3"]


def seconds(command: list[str]) -> float:
    """Wall time of one run, which must succeed."""
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def medians(n_runs: int) -> tuple[float, float]:
    """Median times of the imports and of the command, run alternately."""
    seconds(PEER), seconds(OURS)  # the first runs have cold caches
    runs = [(seconds(PEER), seconds(OURS)) for _ in range(n_runs)]
    imports, explain = (statistics.median(times) for times in zip(*runs, strict=True))
    return imports, explain


def main() -> None:
    """Time both and print the ratio."""
    n_runs = int(sys.argv[1]) if len(sys.argv) > 1 else 25
    imports, explain = medians(n_runs)
    print(f"python -c '{IMPORTS}': {imports:.3f} s")
    print(f"softmaxce explain --logits 0.2 0.3: {explain:.3f} s")
    print(f"ratio {explain / imports:.2f} (medians of {n_runs} runs in turn; asked: at most 1.3)")


if __name__ == "__main__":
    main()
