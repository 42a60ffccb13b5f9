"""The time to decode images, compared with the usual loops: all ratios in one run.

    OPENBLAS_NUM_THREADS=1 python benchmarks/decoding.py DIGITS PHOTOS [--opencv PYTHON]

DIGITS and PHOTOS are class folders, such as MNIST's. All contenders read the same files, one after
another, several times. Prints medians of the elapsed time, and of the processor time, which other
programs on the machine affect less. PYTHON is an interpreter with opencv-python-headless.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from softmaxce.data.class_folders import list_class_folders
from softmaxce.data.decoding import decode_files
from softmaxce.data.pixel_cache import PixelCache, key_of
from softmaxce.data.preprocessing_choice import PreprocessingOptions, decode_all
from softmaxce.data.read_options import ReadOptions
from softmaxce.preprocessing import Preprocessing

OPENCV = """
import json, multiprocessing, sys, time
import cv2, numpy as np
cv2.setNumThreads(1)
def read(paths):
    rows = []
    for path in paths:
        image = cv2.imread(path, cv2.IMREAD_REDUCED_COLOR_4)
        if min(image.shape[:2]) < 64:
            image = cv2.imread(path, cv2.IMREAD_REDUCED_COLOR_2)
        rows.append(cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA)[:, :, ::-1])
    return np.stack(rows)
paths = json.load(sys.stdin)
began = time.perf_counter()
with multiprocessing.get_context("fork").Pool(2) as pool:
    np.concatenate(pool.map(read, [paths[i:i + 64] for i in range(0, len(paths), 64)]))
print(time.perf_counter() - began)
"""


def open_plain(paths: Sequence[str]) -> None:
    for path in paths:
        np.asarray(Image.open(path))


def open_and_resize(paths: Sequence[str]) -> None:
    for path in paths:
        np.asarray(Image.open(path).convert("RGB").resize((64, 64)))


def stack_plain(paths: Sequence[str]) -> np.ndarray:
    return np.stack([np.asarray(Image.open(path)) for path in paths])


def two_processes(paths: Sequence[str]) -> None:
    chunks = [paths[i : i + 1000] for i in range(0, len(paths), 1000)]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        np.concatenate(pool.map(stack_plain, chunks))


def opencv(python: str, paths: Sequence[str]) -> float:
    done = subprocess.run(
        [python, "-c", OPENCV], input=json.dumps(paths), capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def train(folder: str, *words: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, "-m", "softmaxce", "train", folder, "-o", f"{place}/m.npz"]
        subprocess.run([*command, *words], check=True, capture_output=True)


def processor_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    began, processors = time.perf_counter(), processor_seconds()
    given = work()
    taken = given if isinstance(given, float) else time.perf_counter() - began
    return taken, processor_seconds() - processors


def compare(title: str, contenders: dict[str, Callable[[], object]], n: int, turns: int) -> None:
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for _ in range(turns):
        for name, work in contenders.items():
            taken[name].append(seconds(work))
    middles = {
        name: [median(v) for v in zip(*values, strict=True)] for name, values in taken.items()
    }
    ours, our_work = next(iter(middles.values()))
    print(f"\n{title} ({n:,} files): seconds by the clock, of the processors")
    for name, (clock, work) in middles.items():
        by_clock = f"{clock:7.3f} (× {clock / ours:6.2f})"
        of_processors = f"{work:7.3f} (× {work / our_work:6.2f})"
        print(f"  {name:42} {by_clock} {of_processors} {n / clock:11,.0f}/s")


def files_of(folder: str) -> list[str]:
    return [path for c in list_class_folders(folder) for path in c.paths]


def compare_cache(folder: str, request: PreprocessingOptions, turns: int) -> None:
    paths = files_of(folder)
    with tempfile.TemporaryDirectory() as place:
        cache = PixelCache(Path(place))
        decode_all(folder, paths, request, ReadOptions(cache=cache))
        asked = (request.size, request.channels, request.fit, request.background)
        key = key_of(folder, asked, paths)
        assert key is not None
        form = cache.find(key)[0]  # type: ignore[index]
        contenders: dict[str, Callable[[], object]] = {
            "pixels from the cache": lambda: cache.find(key),
            "and every file's age looked at": lambda: decode_all(
                folder, paths, request, ReadOptions(cache=cache)
            ),
            "decoded, two processes": lambda: decode_files(paths, form, jobs=2),
        }
        compare(f"cache of {folder}", contenders, len(paths), turns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("digits")
    parser.add_argument("photos")
    parser.add_argument("--opencv")
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    digits, photos, turns = files_of(options.digits), files_of(options.photos), options.turns
    grey, colour = Preprocessing(28, 28, 1), Preprocessing(64, 64, 3)
    contenders: dict[str, Callable[[], object]] = {
        "softmaxce, two processes": lambda: decode_files(photos, colour, jobs=2),
        "softmaxce, one process": lambda: decode_files(photos, colour, jobs=1),
        "Pillow: open, convert, resize": lambda: open_and_resize(photos),
    }
    if options.opencv:
        contenders["OpenCV reduced, two processes"] = lambda: opencv(options.opencv, photos)
    compare("photographs at 64 × 64", contenders, len(photos), turns)
    contenders = {
        "softmaxce, two processes": lambda: decode_files(digits, grey, jobs=2),
        "softmaxce, one process": lambda: decode_files(digits, grey, jobs=1),
        "np.asarray(Image.open(f))": lambda: open_plain(digits),
        "the same in two processes": lambda: two_processes(digits),
    }
    compare("digits", contenders, len(digits), turns)
    contenders = {
        "the loop in two processes, nothing else": lambda: two_processes(digits),
        "softmaxce train --no-cache, all of it": lambda: train(options.digits, "--no-cache"),
    }
    compare("from the command to the saved model", contenders, len(digits), turns)
    compare_cache(options.digits, PreprocessingOptions(), turns)
    compare_cache(options.photos, PreprocessingOptions((64, 64)), turns)


if __name__ == "__main__":
    main()
