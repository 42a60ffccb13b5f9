"""`check --curve`: what is trained on, what is scored, and what is said."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import PETS, assert_one_error_line, draw_classes

from softmaxce.data.folds import split_rows
from softmaxce.data.pixel_dataset import PixelDataset, Subset
from softmaxce.preprocessing import Preprocessing
from softmaxce.workflows.learning_curve import curve_of
from softmaxce.workflows.train_options import TrainOptions


def images(signal, n=400, side=8):
    """Two classes of noise, one of them brighter at a few pixels."""
    random = np.random.default_rng(1)
    labels = np.repeat(np.arange(2), n // 2)
    pixels = random.normal(110, 30, (n, side * side))
    pixels[:, ::5] += signal * labels[:, np.newaxis]
    digests = random.integers(0, 2**63, (n, 2), dtype=np.uint64)
    names, paths = (tuple(map(str, range(m))) for m in (2, n))
    values = np.clip(pixels, 0, 255).astype(np.uint8)
    data = PixelDataset(values, labels, names, paths, digests, Preprocessing(side, side, 1))
    is_validation, _ = split_rows(Subset.whole(data), 0, validation=0.2)
    halves = {"train": ~is_validation, "validation": is_validation}
    return {name: Subset(data, np.flatnonzero(rows)) for name, rows in halves.items()}


def test_no_model_is_scored_on_its_own_images():
    curve = curve_of(images(0.0), TrainOptions())
    assert all(low < 0.5 < high for low, high in (s.accuracy_interval for s in curve.sizes))
    assert not curve.is_clear
    assert curve.classes == ()


def test_more_images_help_as_long_as_the_signal_is_weak():
    curve = curve_of(images(15.0, 800), TrainOptions())
    losses = [size.cross_entropy for size in curve.sizes]
    assert losses == sorted(losses, reverse=True)
    assert curve.sizes[0].accuracy < curve.sizes[-1].accuracy
    assert curve.gain_interval[0] < curve.gain < curve.gain_interval[1]


def test_check_prints_the_curve_only_if_asked(softmaxce):
    plain = softmaxce("check", PETS, "--format", "json").json
    found = softmaxce("check", PETS, "--curve", "--seed", 3, "--format", "json").json
    curve = found.pop("learning_curve")
    assert found == plain
    assert [size["n_images"] * 8 // 100 for size in curve["sizes"]] == [2, 4, 8, 17]
    text = " ".join(softmaxce("check", PETS, "--curve").stdout.split())
    assert "More images?" in text
    assert "With twice as many images, accuracy would change by +" in text


def test_given_validation_images_are_used_alone(softmaxce, tmp_path):
    draw_classes(tmp_path / "d" / "train", {"a": 24, "b": 24})
    draw_classes(tmp_path / "d" / "validation", {"a": 15, "b": 10}, seed=1)
    curve = softmaxce("check", "d", "--curve", "--format", "json").json["learning_curve"]
    assert curve["n_validation"] == 25
    assert [size["n_images"] for size in curve["sizes"]] == [6, 12, 24, 48]
    assert all(size["accuracy"] * 50 % 1 == pytest.approx(0, abs=1e-6) for size in curve["sizes"])


def test_patch_features(softmaxce, tmp_path):
    draw_classes(tmp_path / "d", {"a": 60, "b": 60}, side=16)
    words = ("check", "d", "--curve", "--features", "patches:8", "--format", "json")
    assert len(softmaxce(*words).json["learning_curve"]["sizes"]) == 4


@pytest.mark.parametrize(
    ("counts", "words", "exit_code", "message"),
    [
        ({"a": 8, "b": 8}, ("--curve",), 1, "at least 2 are needed, one for each class"),
        ({"a": 20, "b": 20}, ("--curve",), 1, "at least 20 are needed"),
        ({"a": 80}, ("--curve",), 1, "only one class found"),
        ({"a": 20, "b": 20}, ("--features", "patches"), 2, "needs --labels or --curve"),
    ],
)
def test_what_cannot_be(softmaxce, tmp_path, counts, words, exit_code, message):
    draw_classes(tmp_path / "d", counts)
    assert_one_error_line(softmaxce("check", "d", *words), exit_code, message)
