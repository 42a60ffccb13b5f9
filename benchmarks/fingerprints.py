"""SHA-256 of models and of JSON results: two versions that print the same lines compute the same.

    python benchmarks/fingerprints.py [MNIST] [CLOTHING]

Trains with several options on the sample and, if they are given, on folders of MNIST and of
clothing photographs. Prints one line for each model and each JSON result. A model has two digests:
of its bytes, and of its numbers rounded to ten digits. JSON numbers are rounded to ten digits too.
What may differ between two runs, and prose (times, paths, sentences), is left out.

Run it before and after a change that must not change a result, on the same machine.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

PETS = Path(__file__).resolve().parent.parent / "data" / "pets"
NOT_COUNTED = {"seconds", "n_bytes", "sha256", "stop_reason", "softmaxce", "command_line"}


def digest(content: bytes) -> str:
    """The first 16 letters of the SHA-256."""
    return hashlib.sha256(content).hexdigest()[:16]


def plain(value: Any, folder: str) -> Any:
    """JSON with numbers to ten digits, paths relative to `folder`, and without prose."""
    if isinstance(value, dict):
        return {k: plain(v, folder) for k, v in sorted(value.items()) if k not in NOT_COUNTED}
    if isinstance(value, list):
        return [plain(item, folder) for item in value]
    if isinstance(value, float):
        return float(f"{value:.10g}") + 0.0
    if isinstance(value, str):
        value = value.replace(folder, "").replace(str(PETS.parent.parent), "")
        return "(prose)" if " " in value else value
    return value


def run(*words: object, cwd: str) -> str:
    """What `softmaxce WORDS` prints; it must succeed."""
    done = subprocess.run(
        [sys.executable, "-m", "softmaxce", *map(str, words)],
        cwd=cwd,
        env={**os.environ, "SOFTMAXCE_CACHE": f"{cwd}/cache"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"softmaxce {' '.join(map(str, words))}: {done.stderr}")
    return done.stdout


def print_json(name: str, text: str, folder: str) -> None:
    """One line for a JSON result."""
    content = json.dumps(plain(json.loads(text), folder), sort_keys=True)
    print(f"json   {name:44}                   {digest(content.encode())}", flush=True)


def print_model(name: str, path: str) -> None:
    """One line for a model: its bytes, and its numbers."""
    with np.load(path) as arrays:
        header = json.loads(bytes(arrays["header"]))
        numbers = [
            f"{key} {arrays[key].shape} {[f'{v:.10g}' for v in arrays[key].ravel().tolist()]}"
            for key in sorted(arrays.files)
            if key != "header"
        ]
    content = json.dumps([plain(header, ""), numbers], sort_keys=True)
    own = digest(Path(path).read_bytes())
    print(f"model  {name:44} {own}  {digest(content.encode())}", flush=True)


def write_arrays(source: Path, path: str) -> None:
    """The images of class folders as one .npz of arrays."""
    images, labels = [], []
    for file in sorted(source.glob("*/*")):
        with Image.open(file) as image:
            images.append(np.asarray(image))
        labels.append(file.parent.name)
    np.savez(path, images=np.stack(images), labels=np.array(labels))


def write_manifest(source: Path, path: str) -> None:
    """The images of class folders as a manifest, every third of them for testing."""
    with open(path, "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "label", "split"])
        for number, file in enumerate(sorted(source.glob("*/*"))):
            writer.writerow([file, file.parent.name, "test" if number % 3 == 0 else "train"])


def trainings(folder: str, mnist: Path | None, clothing: Path | None) -> dict[str, list[object]]:
    """The arguments of each training, by name."""
    write_arrays(PETS / "train", f"{folder}/pets.npz")
    write_manifest(PETS / "train", f"{folder}/pets.csv")
    found: dict[str, list[object]] = {
        "pets": [PETS],
        "pets --hidden 16,8": [PETS, "--hidden", "16,8"],
        "pets --l2 0.01 --color gray": [PETS, "--l2", "0.01", "--color", "gray"],
        "pets --fit pad --size 20x24": [PETS, "--fit", "pad", "--size", "20x24"],
        "pets --class-weight balanced": [PETS, "--class-weight", "balanced", "--seed", "3"],
        "pets --no-calibrate --validation 0": [PETS, "--no-calibrate", "--validation", "0"],
        "pets.npz": [f"{folder}/pets.npz"],
        "pets.csv": [f"{folder}/pets.csv"],
    }
    if mnist:
        found |= {
            "mnist": [mnist],
            "mnist --hidden 32": [mnist, "--hidden", "32"],
            "mnist --l2 1e-4": [mnist, "--l2", "1e-4"],
        }
    if clothing:
        found |= {
            "clothing": [clothing],
            "clothing --color gray --fit crop": [clothing, "--color", "gray", "--fit", "crop"],
            "clothing --size 32 --hidden 32": [clothing, "--size", "32", "--hidden", "32"],
        }
    return found


def main() -> None:
    """Train, evaluate, predict, compare, check and explain; a line for each result."""
    given = [Path(path).resolve() for path in sys.argv[1:3]] + [None, None]
    with tempfile.TemporaryDirectory() as folder:
        for name, words in trainings(folder, given[0], given[1]).items():
            model = f"{folder}/model_{name.replace(' ', '_')}.npz"
            print_json(
                name, run("train", *words, "-o", model, "--format", "json", cwd=folder), folder
            )
            print_model(name, model)
        json_format = ["--format", "json"]
        run("train", PETS, "-o", "again.npz", "--quiet", cwd=folder)
        others = {
            "evaluate": [PETS / "test", "-m", "again.npz", "--coverage", "0.9"],
            "evaluate pets.csv": [f"{folder}/pets.csv", "-m", "again.npz"],
            "predict": [PETS / "test", "-m", "again.npz", "--coverage", "0.9", "--label", "cat"],
            "compare": ["again.npz", "model_pets_--hidden_16,8.npz", PETS / "test"],
            "check": [PETS],
            "info": ["again.npz"],
            "explain": ["--logits", "0.2", "0.3", "--label", "0"],
            "explain --probabilities": ["--probabilities", "0.1", "0.9", "--label", "1"],
            "explain image": [PETS / "test" / "cat" / "cat-001.png", "-m", "again.npz"],
        }
        for name, words in others.items():
            command = name.split()[0]
            print_json(name, run(command, *words, *json_format, cwd=folder), folder)
        if given[0]:
            words = [given[0] / "test", "-m", "model_mnist.npz"]
            print_json("evaluate mnist", run("evaluate", *words, *json_format, cwd=folder), folder)


if __name__ == "__main__":
    main()
