"""What patch features cost: time against their matrix products, size of the model, prediction.

    python benchmarks/patches.py FOLDER [--images 1000] [--turns 7]

FOLDER contains class folders. Trains a model with patch features and one with pixels. Then prints:
the time of the features of some images, and of their bare matrix products, in turn (the same
shapes, memory and threads): patches by filters, and those with the sums over places (required: at
most 2.0 times both together); the largest sums of these images and of checks, stripes and noise, as
a share of the limit up to which float32 is exact; the size of the model files (required: at most
5 MB); and the time of `softmaxce predict` for one image with each of the models, in turn (required:
at most 1.3 times).
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does

import argparse
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from softmaxce.data.pixel_dataset import PixelDataset, load_for_training
from softmaxce.data.sources import find_splits
from softmaxce.model.model_file import load_model
from softmaxce.patches import Memory, PatchFeatures
from softmaxce.row_threads import row_threads

SOFTMAXCE = [sys.executable, "-m", "softmaxce"]
TASK_IMAGES = 16  # as PatchFeatures.of
EXACT_BELOW = 2**24 / 2**14  # sums are multiples of 2^-14


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def run(*words: str) -> None:
    """A command of softmaxce, which must succeed."""
    subprocess.run([*SOFTMAXCE, *words], check=True, capture_output=True)


def in_turn(contenders: dict[str, Callable[[], object]], turns: int) -> dict[str, float]:
    """The median time of each."""
    taken = [[seconds(work) for work in contenders.values()] for _ in range(turns)]
    return dict(zip(contenders, map(median, zip(*taken, strict=True)), strict=True))


def products(features: PatchFeatures, images: np.ndarray, with_sums: bool) -> None:
    """The matrix products of the images, as `PatchFeatures.sums` calls them: of patches by filters,
    and, `with_sums`, of what is beyond the thresholds by the weights of the places."""
    strips = list(features._strips(images[0]))
    blocks = [filters for _, filters in features._filter_blocks]

    def task(first: int) -> None:
        memory = Memory(features)
        memory.of_block(len(memory.patches), blocks[0].shape[1])[1][:] = 1
        for _ in range(min(TASK_IMAGES, len(images) - first)):
            for weights, patches in strips:
                for filters in blocks:
                    responses, beyond = memory.of_block(len(patches), filters.shape[1])
                    np.matmul(patches, filters, out=responses)
                    for _ in range(2 if with_sums else 0):  # one for each side
                        np.matmul(weights, beyond)

    with row_threads() as run_tasks:
        deque(run_tasks(task, range(0, len(images), TASK_IMAGES)), maxlen=0)


def compare_features(features: PatchFeatures, images: PixelDataset, n: int, turns: int) -> None:
    """Print the time per image of the features and of their matrix products."""
    pixels = images.pixels[np.arange(n) % images.n_images]
    middles = in_turn(
        {
            "features": lambda: features.of(pixels),
            "their matrix products": lambda: products(features, pixels, True),
            "patches by filters alone": lambda: products(features, pixels, False),
        },
        turns,
    )
    rows, columns = features.n_places
    print(
        f"{n:,} images of {rows} × {columns} places, {features.bank.shape[1]} filters, "
        f"{features.n_features:,} features; medians of {turns} turns"
    )
    for name, middle in middles.items():
        ratio = middles["features"] / middle
        print(f"  {name:26} {middle / n * 1e3:8.3f} ms per image  (features: × {ratio:.2f})")


def extreme_images(shape: tuple[int, int, int]) -> np.ndarray:
    """Black and white checks and stripes of 1 to 3 pixels, and noise: (n, n_pixels)."""
    rows, columns, channels = np.indices(shape)
    lines = [rows, columns, rows + columns, columns + channels, rows + columns + channels]
    regular = [line // side % 2 for side in (1, 2, 3) for line in lines]
    checks = [(rows // side + columns // side) % 2 for side in (1, 2, 3)]
    noise = np.random.default_rng(0).integers(0, 2, (10, *shape))
    images = 255 * np.concatenate([regular, checks, noise])
    return images.astype(np.uint8).reshape(len(images), -1)


def share_of_limit(features: PatchFeatures, image: np.ndarray) -> float:
    """The largest sum of an image, relative to the limit."""
    memory = Memory(features)
    pooled = [features._pooled(*strip, memory) for strip in features._strips(image, memory)]
    return float(max(np.abs(sums).max() for sums in pooled) / EXACT_BELOW)


def show_largest_sums(features: PatchFeatures, images: np.ndarray) -> None:
    """Print how near to the limit the sums are."""
    for name, some in (("these images", images), ("extremes", extreme_images(features.shape))):
        shares = [share_of_limit(features, image) for image in some]
        print(f"largest sum of {name}: median {median(shares):.2f}, at most {max(shares):.2f}")


def compare_models(models: dict[str, str], image: str, turns: int) -> None:
    """Print the size of the model files, and the time of predicting one image with each."""
    words = {name: ("predict", image, "-m", model) for name, model in models.items()}
    middles = in_turn({name: lambda w=w: run(*w) for name, w in words.items()}, turns)
    for name, model in models.items():
        size = Path(model).stat().st_size
        ratio = middles[name] / middles["pixels"]
        print(f"{name:8} model {size:10,} bytes   predict {middles[name]:.3f} s  (× {ratio:.2f})")


def main() -> None:
    """Train two models, then compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--images", type=int, default=1000, help="number of images, repeated")
    parser.add_argument("--turns", type=int, default=7)
    options = parser.parse_args()
    images = load_for_training(find_splits(options.folder)["train"])
    with tempfile.TemporaryDirectory() as place:
        models = {kind: os.path.join(place, f"{kind}.npz") for kind in ("pixels", "patches")}
        for kind, model in models.items():
            run("train", options.folder, "--features", kind, "-o", model, "--quiet")
        patches = load_model(models["patches"]).patches
        assert patches is not None
        compare_features(patches, images, options.images, options.turns)
        show_largest_sums(patches, images.pixels[: options.images])
        compare_models(models, images.paths[0], 3 * options.turns)


if __name__ == "__main__":
    main()
