"""Model files: same bytes for the same model, everything kept, everything else refused."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from softmaxce.class_choice import ALL_CLASSES, ClassChoice
from softmaxce.errors import ModelError, OutputError
from softmaxce.layers import Layer
from softmaxce.metrics.conformal import calibration_scores
from softmaxce.model import model_file
from softmaxce.model.model_file import (
    encode_model,
    is_model_file,
    load_model,
    load_model_file,
    save_model,
)
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.preprocessing import FeatureVectors, Preprocessing


def make_model(n_hidden: int | None = None, seed: int = 0) -> SoftmaxModel:
    random = np.random.default_rng(seed)
    sizes = [12, 3] if n_hidden is None else [12, n_hidden, 3]
    layers = tuple(
        Layer(random.normal(size=(n_in, n_out)), random.normal(size=n_out))
        for n_in, n_out in pairwise(sizes)
    )
    names = ("cat", "[red]dog\x1b", "사람\udcff")
    return SoftmaxModel(layers, Preprocessing(2, 2, 3), names, {"l2": 0.001})


@pytest.mark.parametrize("n_hidden", [None, 5])
def test_a_saved_model_comes_back_whole(tmp_path, n_hidden):
    model = make_model(n_hidden)
    save_model(model, tmp_path / "model.npz")
    loaded = load_model(tmp_path / "model.npz")
    assert loaded.class_names == model.class_names
    assert loaded.preprocessing == model.preprocessing
    assert loaded.training == model.training
    for ours, theirs in zip(model.layers, loaded.layers, strict=True):
        np.testing.assert_array_equal(ours.weights, theirs.weights)
        np.testing.assert_array_equal(ours.biases, theirs.biases)
    assert encode_model(loaded) == encode_model(model)


@pytest.mark.parametrize("names", [(), tuple(f"[red]{i}\x1b" for i in range(12))])
def test_a_model_of_features_keeps_their_number_and_names(tmp_path, names):
    model = replace(make_model(), preprocessing=FeatureVectors(12, names))
    save_model(model, tmp_path / "model.npz")
    loaded = load_model(tmp_path / "model.npz")
    assert loaded.preprocessing == FeatureVectors(12, names)
    assert encode_model(loaded) == encode_model(model)
    header = json.loads(zipfile.ZipFile(tmp_path / "model.npz").read("header.npy")[128:])
    assert header["format_version"] == 4
    assert "preprocessing" not in header
    assert ("feature_names" in header) == bool(names)


def test_weights_of_features_that_could_overflow_are_not_saved(tmp_path):
    layer = Layer(np.full((12, 3), 1e18), np.zeros(3))
    model = replace(make_model(), layers=(layer,))
    save_model(model, tmp_path / "model.npz")  # pixels are at most 1
    with pytest.raises(OutputError, match="logits overflow"):
        save_model(replace(model, preprocessing=FeatureVectors(12)), tmp_path / "model.npz")


def test_chosen_classes_are_kept_and_change_no_other_file(tmp_path):
    choice = ClassChoice(("cat", "사람"), (("[red]\x1b", "cat"), ("wolf", "cat")))
    model = replace(make_model(), class_choice=choice)
    save_model(model, tmp_path / "model.npz")
    assert load_model(tmp_path / "model.npz").class_choice == choice
    assert encode_model(replace(model, class_choice=ALL_CLASSES)) == encode_model(make_model())
    assert b"class_choice" not in encode_model(make_model())


def test_numpy_can_open_it(tmp_path):
    save_model(make_model(), tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz", allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["weights_0"], make_model().layers[0].weights)


def test_a_transposed_array_is_saved_as_it_reads(tmp_path):
    weights = np.arange(36.0).reshape(3, 12).T
    model = SoftmaxModel((Layer(weights, np.zeros(3)),), Preprocessing(2, 2, 3), ("a", "b", "c"))
    save_model(model, tmp_path / "model.npz")
    np.testing.assert_array_equal(load_model(tmp_path / "model.npz").layers[0].weights, weights)


def test_every_shorter_file_and_every_flipped_byte_is_refused(tmp_path):
    content = encode_model(make_model())
    path = tmp_path / "model.npz"
    damaged = [content[:length] for length in range(0, len(content), 7)]
    damaged += [
        content[:i] + bytes([content[i] ^ 0x41]) + content[i + 1 :] for i in range(len(content))
    ]
    for wrong in damaged:
        path.write_bytes(wrong)
        with pytest.raises(ModelError, match=r"model\.npz: (it|not a) "):
            load_model(path)


def test_other_files_are_refused_by_name(tmp_path):
    with pytest.raises(ModelError, match=r"nothing\.npz: no such file"):
        load_model(tmp_path / "nothing.npz")
    with pytest.raises(ModelError, match="it is a folder"):
        load_model(tmp_path)
    np.savez(tmp_path / "other.npz", weights=np.zeros(3))
    with pytest.raises(ModelError, match="not a softmaxce model"):
        load_model(tmp_path / "other.npz")
    with zipfile.ZipFile(tmp_path / "empty.npz", "w"):
        pass
    assert not is_model_file(tmp_path / "empty.npz")


def with_calibration(n_held_out):
    losses = np.random.default_rng(n_held_out).exponential(size=n_held_out)
    return replace(make_model(), temperature=1.25, calibration_scores=calibration_scores(losses))


@pytest.mark.parametrize("n_held_out", [1, 37, 5000])
def test_temperature_and_calibration_scores_are_restored(tmp_path, n_held_out):
    model = with_calibration(n_held_out)
    save_model(model, tmp_path / "model.npz")
    loaded = load_model(tmp_path / "model.npz")
    assert loaded.temperature == 1.25
    assert loaded.calibration_scores.n_images == n_held_out
    np.testing.assert_array_equal(loaded.calibration_scores.values, model.calibration_scores.values)
    assert loaded.calibration_scores.threshold(0.9) == model.calibration_scores.threshold(0.9)


def test_the_digest_and_the_model_are_read_from_one_open_file(tmp_path, monkeypatch):
    path = tmp_path / "model.npz"
    save_model(make_model(), path)
    content = path.read_bytes()
    real_open, opened = os.open, []

    def open_and_replace(name, *rest, **options):
        handle = real_open(name, *rest, **options)
        opened.append(name)
        os.unlink(path)  # another run replaces the model
        return handle

    monkeypatch.setattr(model_file.os, "open", open_and_replace)
    model, n_bytes, sha256 = load_model_file(path)
    assert opened == [path]
    assert (n_bytes, sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert model.class_names == make_model().class_names
