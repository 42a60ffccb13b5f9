"""The sample images in data/: the script draws them again, and they are small and useful."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression

SCRIPT = Path(__file__).parent.parent / "data" / "draw_pets.py"
PETS = SCRIPT.parent / "pets"
CLASSES = ["cat", "dog", "person"]
N_IMAGES = {"train": 90, "test": 40}
NAMES = {
    f"{split}/{class_name}/{class_name}-{index:03d}.png"
    for split, n_images in N_IMAGES.items()
    for class_name in CLASSES
    for index in range(1, n_images + 1)
}


def file_names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert image.mode == "RGB"
        return np.asarray(image)


def load(split: str) -> tuple[np.ndarray, list[str]]:
    """Pixels (n_images, n_pixels) scaled to 0–1, and the class name of each image."""
    paths = sorted((PETS / split).rglob("*.png"))
    pixels = np.stack([pixels_of(path).ravel() for path in paths])
    return pixels / 255, [path.parent.name for path in paths]


def test_the_script_draws_the_committed_pixels(tmp_path):
    subprocess.run([sys.executable, str(SCRIPT), "--output", str(tmp_path)], check=True)
    assert file_names(PETS) == file_names(tmp_path) == NAMES
    for name in sorted(NAMES):
        drawn, committed = pixels_of(tmp_path / name), pixels_of(PETS / name)
        assert committed.shape == (32, 32, 3), name
        assert np.array_equal(drawn, committed), name


@pytest.mark.parametrize("class_name", CLASSES)
def test_a_picture_drawn_alone_is_the_same(class_name):
    drawn = runpy.run_path(str(SCRIPT))["draw_image"](class_name, "test", 7)
    committed = pixels_of(PETS / "test" / class_name / f"{class_name}-007.png")
    assert np.array_equal(np.asarray(drawn), committed)


def test_no_picture_comes_twice():
    assert len({pixels_of(PETS / name).tobytes() for name in NAMES}) == len(NAMES)


def test_the_pictures_stay_under_a_megabyte():
    assert sum((PETS / name).stat().st_size for name in NAMES) < 1_000_000


def test_a_softmax_on_pixels_gets_most_but_not_all_right():
    train_pixels, train_classes = load("train")
    test_pixels, test_classes = load("test")
    classifier = LogisticRegression(C=1.0, max_iter=2000).fit(train_pixels, train_classes)
    assert 0.75 <= classifier.score(test_pixels, test_classes) <= 0.92
