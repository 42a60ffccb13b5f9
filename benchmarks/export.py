"""Whether exported models compute what `predict` does.

    SOFTMAXCE_DATA=… python benchmarks/export.py [--images 1000]

Trains models of pixels, of patches and with a hidden layer on MNIST and on photographs of clothing,
exports them and prints, through onnxruntime and in C, the largest difference from the probabilities
of `predict` and how many answers are the same. Required: for pictures of the model's own size,
1e-6; for photographs of any size as PNG, 1e-3 and the same answer for 999 of 1,000; in C, for
MNIST's test images, 1e-6, and with weights of 8 bits the same answer for 99.5 %. For JPEG, which
`predict` decodes at a fraction of its size, nothing is required.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession
from PIL import Image, ImageOps

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from export_tools import compiled, run_c

from softmaxce.images.reading import read_pixels
from softmaxce.model.model_file import load_model
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.numerics import softmax
from softmaxce.workflows.export import export

SOFTMAXCE = [sys.executable, "-m", "softmaxce"]
KINDS = {
    "pixels": ("train", []),
    "hidden": ("train", ["--hidden", "64"]),
    "patches": ("test", ["--features", "patches:64"]),  # fewer images of MNIST: it takes minutes
}
Floats = NDArray[np.floating]


def trained(kind: str, data: Path, folder: Path) -> Path:
    """A model of this kind, trained on a data set."""
    split, options = KINDS[kind]
    path = folder / f"{data.name}-{kind}.npz"
    source = data / (split if data.name == "mnist" else "train")
    words = [*SOFTMAXCE, "train", source, "-q", "-o", path, *options]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return path


def compare(title: str, found: Floats, expected: Floats) -> None:
    """Print how two lists of probabilities (n, n_classes) differ."""
    n_same = int((found.argmax(axis=1) == expected.argmax(axis=1)).sum())
    largest = np.abs(found - expected).max()
    print(f"{title}: difference {largest:.1e}, {n_same:,} of {len(found):,} answers", flush=True)


def probabilities(model: SoftmaxModel, content: list[bytes]) -> Floats:
    """Those of `predict` for the contents of image files."""
    rows = [read_pixels(one, model.preprocessing) for one in content]
    return softmax(model.logits(np.stack(rows)), axis=1)


def onnx_probabilities(path: Path, content: list[bytes]) -> Floats:
    """Those of an ONNX file, for the contents of image files decoded by Pillow at full size."""
    session = InferenceSession(path)
    images = [ImageOps.exif_transpose(Image.open(io.BytesIO(one))) for one in content]
    pictures = (np.asarray(image.convert("RGB")) for image in images)
    return np.stack([session.run(None, {"image": picture})[0] for picture in pictures])


def as_png(content: bytes, size: tuple[int, int] | None = None) -> bytes:
    """The image of a file as PNG, resized if a size (width, height) is given."""
    stream, image = io.BytesIO(), Image.open(io.BytesIO(content)).convert("RGB")
    (image.resize(size) if size else image).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def contents(folder: Path, n_images: int) -> list[bytes]:
    """So many image files of a folder, chosen by chance."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    chosen = np.random.default_rng(0).permutation(len(files))[:n_images]
    return [files[i].read_bytes() for i in chosen]


def measure_onnx(model_path: Path, sets: dict[str, list[bytes]]) -> None:
    """Compare the ONNX file with the model on each set of image files."""
    output = model_path.with_suffix(".onnx")
    export(str(model_path), str(output))
    model = load_model(model_path)
    for title, content in sets.items():
        found = onnx_probabilities(output, content)
        compare(f"{model_path.stem}, {title}", found, probabilities(model, content))


def measure_c(model_path: Path, content: list[bytes]) -> None:
    """Compare the C header with the model, also with weights of 8 bits."""
    model = load_model(model_path)
    pixels = np.stack([read_pixels(one, model.preprocessing) for one in content])
    expected = softmax(model.logits(pixels), axis=1)
    for is_int8 in (False, True):
        header = model_path.with_name("model.h")
        result = export(str(model_path), str(header), is_int8=is_int8)
        title = f"{model_path.stem}, C, {'int8' if is_int8 else 'float'}, {result.n_bytes:,} bytes"
        compare(title, run_c(compiled(header), pixels), expected)


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1000)
    n_images = parser.parse_args().images
    data = Path(os.environ["SOFTMAXCE_DATA"])
    digits = contents(data / "mnist" / "test", 10_000)
    photographs = contents(data / "clothing" / "train", n_images)
    sizes = np.random.default_rng(1).integers(1, 1500, (n_images, 2)).tolist()
    sets = {
        "mnist": {"digits": digits[:n_images]},
        "clothing": {
            "64 × 64": [as_png(one, (64, 64)) for one in photographs],
            "PNG": [as_png(one) for one in photographs],
            "PNG of any size": [as_png(*both) for both in zip(photographs, sizes, strict=True)],
            "JPEG": photographs,
        },
    }
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            for name, of_name in sets.items():
                path = trained(kind, data / name, Path(folder))
                measure_onnx(path, of_name)
                if name == "mnist" and kind != "patches":
                    measure_c(path, digits)


if __name__ == "__main__":
    main()
