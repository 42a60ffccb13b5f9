"""The time of `softmaxce evaluate`, compared with only decoding the same images.

    python benchmarks/evaluate.py IMAGES MODEL

IMAGES contains class folders (such as MNIST's 10,000 test PNGs); MODEL was trained on such images.
Decoding also has a process of its own: two workers open every file with Pillow and return the
pixels. Runs both alternately and prints the ratio of their smallest times. Required: at most 1.5.
"""

from __future__ import annotations

import subprocess
import sys
import time

N_RUNS = 7
DECODE = """
import multiprocessing, pathlib, sys
import numpy as np
from PIL import Image

def decode(paths):
    return np.stack([np.asarray(Image.open(path)) for path in paths])

if __name__ == "__main__":
    paths = sorted(str(p) for p in pathlib.Path(sys.argv[1]).rglob("*.png"))
    chunks = [paths[i:i + 256] for i in range(0, len(paths), 256)]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pixels = np.concatenate(pool.map(decode, chunks, 1))
    print(pixels.shape)
"""


def seconds(command: list[str]) -> float:
    """Wall time of one run, which must succeed."""
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    """Time both in turn."""
    folder, model = sys.argv[1:]
    softmaxce = [sys.executable, "-m", "softmaxce", "evaluate", folder, "-m", model]
    ours = [*softmaxce, "--jobs", "2", "--quiet"]
    bare = [sys.executable, "-c", DECODE, folder]
    runs = [(seconds(bare), seconds(ours)) for _ in range(N_RUNS)]
    decode, evaluate = (min(times) for times in zip(*runs, strict=True))
    print(f"bare two-process decode: {decode:.3f} s")
    print(f"softmaxce evaluate: {evaluate:.3f} s")
    print(f"ratio {evaluate / decode:.2f} (smallest of {N_RUNS} runs in turn; asked: at most 1.5)")


if __name__ == "__main__":
    main()
