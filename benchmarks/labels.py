"""How many planted wrong labels `softmaxce check --labels` finds.

    python benchmarks/labels.py DIR [FEATURES [RATE]]

DIR contains class folders (such as MNIST's 60,000 training PNGs). A share RATE (0.05) of the labels
becomes another class, chosen at random. FEATURES: pixels or patches[:N].
"""

from __future__ import annotations

import csv
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from softmaxce.cli.types import filters
from softmaxce.data.class_folders import list_class_folders
from softmaxce.workflows.checked_images import read_images
from softmaxce.workflows.label_check import check_labels


def plant(folder: str, rate: float, manifest: Path) -> set[str]:
    """Write a manifest in which some labels are wrong, and return the paths of these images."""
    random, wrong = np.random.default_rng(1), set()
    classes = list_class_folders(Path(folder).resolve())
    with manifest.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "label"])
        for k, class_folder in enumerate(classes):
            for path in class_folder.paths:
                label = k
                if random.random() < rate:
                    label = (k + int(random.integers(1, len(classes)))) % len(classes)
                    wrong.add(os.fspath(path))
                writer.writerow([path, classes[label].name])
    return wrong


def main(folder: str, features: str = "pixels", rate: str = "0.05") -> None:
    """Print what is found."""
    with tempfile.TemporaryDirectory() as place:
        manifest = Path(place, "labels.csv")
        wrong = plant(folder, float(rate), manifest)
        found = check_labels(read_images(manifest).subset(), features=filters(features))
    noise, images = found.noise, found.images
    is_wrong = np.array([images.path(position) in wrong for position in range(images.n_images)])
    print(
        f"{images.n_images:,} images, {is_wrong.sum():,} wrong labels, {noise.accuracy:.1%} of the "
        f"labels predicted; estimated share of wrong labels {noise.error_rate:.1%}, temperature "
        f"{noise.temperature:.2f}"
    )
    for share in (0.05, 0.1):
        n_first = int(share * images.n_images)
        recall = is_wrong[noise.ranking[:n_first]].sum() / is_wrong.sum()
        print(f"first {share:.0%}: recall {recall:.1%} (expected {noise.sensitivity(n_first):.1%})")
    n_listed, n_found = len(noise.listed), is_wrong[noise.listed].sum()
    print(
        f"listed: {n_listed:,}, precision {n_found / max(1, n_listed):.1%}, recall "
        f"{n_found / is_wrong.sum():.1%} (expected {noise.sensitivity(n_listed):.1%})"
        f"{', but too weak' * noise.is_too_weak}"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
