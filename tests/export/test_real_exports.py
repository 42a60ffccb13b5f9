"""What exported models must reach on real images; `benchmarks/export.py` measures more."""

from __future__ import annotations

import io
import shutil

import numpy as np
import pytest
from export_tools import compiled, run_c
from helpers import run_command
from PIL import Image

from softmaxce.images.reading import read_pixels
from softmaxce.model.model_file import load_model
from softmaxce.numerics import softmax
from softmaxce.workflows.export import export

pytestmark = pytest.mark.slow


def files_below(folder, n_files):
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".png", ".jpg"))
    return [files[i] for i in np.random.default_rng(0).permutation(len(files))[:n_files]]


def trained(folder, place, *options):
    words = ("train", folder, "-o", place / "model.npz", "-q", *options)
    assert run_command(*words).exit_code == 0
    return load_model(place / "model.npz")


def assert_same(model, place, pictures):
    """Through onnxruntime, pictures as arrays have the probabilities of their PNG files."""
    runtime = pytest.importorskip("onnxruntime")
    export(str(place / "model.npz"), str(place / "model.onnx"))
    session = runtime.InferenceSession(place / "model.onnx")
    for picture in pictures:
        stream = io.BytesIO()
        picture.save(stream, "PNG", compress_level=1)
        pixels = read_pixels(stream.getvalue(), model.preprocessing)
        (found,) = session.run(None, {"image": np.asarray(picture)})
        assert found == pytest.approx(softmax(model.logits(pixels[np.newaxis])[0]), abs=1e-6)


@pytest.fixture(scope="module")
def digits_model(mnist, tmp_path_factory):
    place = tmp_path_factory.mktemp("mnist")
    return trained(mnist / "train", place), place


def test_digits_in_onnxruntime(digits_model, mnist):
    pictures = (Image.open(path).convert("RGB") for path in files_below(mnist / "test", 1000))
    assert_same(*digits_model, pictures)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no gcc")
def test_digits_in_c(digits_model, mnist):
    model, place = digits_model
    files = files_below(mnist / "test", 10_000)
    pixels = np.stack([read_pixels(path, model.preprocessing) for path in files])
    expected = softmax(model.logits(pixels), axis=1)
    for is_int8 in (False, True):
        export(str(place / "model.npz"), str(place / "model.h"), is_int8=is_int8)
        found = run_c(compiled(place / "model.h"), pixels)
        same = np.mean(found.argmax(axis=1) == expected.argmax(axis=1))
        assert same >= (0.995 if is_int8 else 1)
        assert is_int8 or np.abs(found - expected).max() <= 1e-6


@pytest.mark.parametrize("options", [(), ("--features", "patches:16"), ("--fit", "crop")])
def test_photographs_in_onnxruntime(clothing, tmp_path, options):
    model = trained(clothing / "validation", tmp_path, *options)
    chance = np.random.default_rng(1)
    pictures = (
        Image.open(path).convert("RGB").resize(chance.integers(1, 1500, 2).tolist())
        for path in files_below(clothing / "train", 100)
    )
    assert_same(model, tmp_path, pictures)
