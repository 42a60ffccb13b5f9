"""The time of `softmaxce train --features patches`, compared with a convolutional network's.

    python benchmarks/convolutional_network.py FOLDER --torch PYTHON

FOLDER contains class folders, such as CIFAR-10's, without a validation split; PYTHON is an
interpreter with PyTorch and NumPy. softmaxce runs first, as one command without a cache: its time
is that of the whole process, from the image files to the saved model. Then the network
(torch_network.py) is trained on the same images until it classifies as many of the same validation
images correctly. Its time is that of decoding, as softmaxce measured it, and of training, without
imports and without the evaluation after each half epoch. Both use the same two cores. Required: at
least 2 times our time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from softmaxce.data.folds import split_rows
from softmaxce.data.pixel_dataset import Subset, load_for_training
from softmaxce.data.sources import find_splits

N_CORES = 2
FRACTION, SEED = 0.2, 0  # of the validation split: softmaxce's defaults
NETWORK = Path(__file__).with_name("torch_network.py")


def train(folder: str, place: str) -> tuple[float, float, float]:
    """(seconds of the whole process, seconds of decoding, accuracy on the validation images)."""
    command = [sys.executable, "-m", "softmaxce", "train", folder, "--features", "patches"]
    command += ["--no-cache", "--quiet", "--format", "json", "-o", f"{place}/model.npz"]
    began = time.perf_counter()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    seconds = time.perf_counter() - began
    result = json.loads(done.stdout)
    return seconds, result["seconds"]["decode"], result["validation"]["accuracy"]


def save_images(folder: str, path: str) -> tuple[int, int]:
    """Write the images that softmaxce uses, and which of them are for validation; returns the
    number of training and of validation images."""
    splits = find_splits(folder)
    if "validation" in splits:
        raise SystemExit(f"{folder} has a validation split; give its training images alone")
    images = load_for_training(splits["train"])
    is_validation, _ = split_rows(Subset.whole(images), SEED, validation=FRACTION)
    p = images.preprocessing
    pixels = images.pixels[:].reshape(-1, p.height, p.width, p.channels)
    np.savez(path, pixels=pixels, labels=images.labels, is_validation=is_validation)
    return int((~is_validation).sum()), int(is_validation.sum())


def follow_network(python: str, words: list[str], decoding: float) -> tuple[float, float]:
    """Train the network and print its progress: (seconds with decoding, the last accuracy)."""
    found = decoding, 0.0
    command = [python, str(NETWORK), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            epochs, seconds, accuracy = map(float, line.split())
            found = decoding + seconds, accuracy
            print(f"  network {epochs:6.1f} epochs {found[0]:8.1f} s  {accuracy:.4f}", flush=True)
    if process.returncode:
        raise SystemExit(process.returncode)
    return found


def main() -> None:
    """Train both, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--torch", required=True, help="an interpreter with PyTorch")
    parser.add_argument("--learning-rate", type=float, default=1e-3, help="of Adam")
    parser.add_argument("--limit", type=float, default=10, help="stop at so many times our time")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):  # the contenders inherit it
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:N_CORES])
    with tempfile.TemporaryDirectory() as place:
        ours, decoding, target = train(options.folder, place)
        images = f"{place}/images.npz"
        n_training, n_validation = save_images(options.folder, images)
        print(f"{n_training:,} training images, {n_validation:,} validation images")
        print(f"softmaxce train: {ours:.1f} s, of which decoding {decoding:.1f} s; {target:.4f}")
        rest = options.limit * ours - decoding
        words = [images, str(target), str(rest), str(options.learning_rate), str(N_CORES)]
        theirs, accuracy = follow_network(options.torch, words, decoding)
    if accuracy >= target:
        ratio = f"ratio {theirs / ours:.2f}"
    else:
        ratio = f"ratio > {theirs / ours:.2f}: stopped before it reached {target:.4f}"
    print(f"network: {theirs:.1f} s; {accuracy:.4f}")
    print(f"{ratio} (required: at least 2)")


if __name__ == "__main__":
    main()
