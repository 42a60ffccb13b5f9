"""The features that a network in an ONNX file gives, and which files are refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny_networks import (
    N_FEATURES,
    SIDE,
    onnx,
    places_by_hand,
    vectors_by_hand,
    write_function,
    write_network,
)

from softmaxce.errors import DataError, InputError, ModelError
from softmaxce.networks import features as features_module
from softmaxce.networks.graph import NetworkChoice, open_network, opened_for
from softmaxce.row_threads import row_threads

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.fixture
def pixels():
    return np.random.default_rng(2).integers(0, 256, (7, SIDE * SIDE * 3)).astype(np.uint8)


def normalised(pixels, mean=MEAN, std=STD):
    return (pixels.reshape(-1, SIDE, SIDE, 3) / 255 - mean) / std


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("n_images", ["n", 3])
def test_the_features_are_those_of_the_formula(tmp_path, pixels, layout, n_images):
    path = write_network(tmp_path / "n.onnx", layout=layout, n_images=n_images)
    network = open_network(NetworkChoice(str(path)))
    assert (network.output, network.n_features) == ("vector", N_FEATURES)
    found, expected = network.of(pixels), vectors_by_hand(normalised(pixels))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_an_output_with_places_is_averaged_over_them(tmp_path, pixels, layout):
    expected = places_by_hand(normalised(pixels)).mean(axis=(2, 3))
    path = write_network(tmp_path / "n.onnx", layout=layout)
    named = open_network(NetworkChoice(str(path), output="places"))
    only = open_network(
        NetworkChoice(str(write_network(tmp_path / "o.onnx", layout=layout, outputs=("places",))))
    )
    for network in (named, only):
        np.testing.assert_allclose(network.of(pixels), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("metadata", "options", "mean", "std", "order"),
    [
        ({}, {}, MEAN, STD, "rgb"),
        ({"mean": "0.5", "std": "0.1,0.2,0.3"}, {}, (0.5,) * 3, (0.1, 0.2, 0.3), "rgb"),
        ({"mean": "0.5", "channels": "bgr"}, {"mean": (0.0,)}, (0.0,) * 3, STD, "bgr"),
        ({"channels": "bgr"}, {"channels": "rgb", "std": (1.0,)}, MEAN, (1.0,) * 3, "rgb"),
    ],
)
def test_options_come_before_metadata_and_metadata_before_the_default(
    tmp_path, pixels, metadata, options, mean, std, order
):
    path = write_network(tmp_path / "n.onnx", metadata=metadata)
    network = open_network(NetworkChoice(str(path), **options))
    assert (network.mean, network.std, network.order) == (mean, std, order)
    given = normalised(pixels, mean, std)
    given = given[..., ::-1] if order == "bgr" else given
    np.testing.assert_allclose(network.of(pixels), vectors_by_hand(given), atol=1e-4)


@pytest.mark.parametrize("n_images", ["n", 3])
@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_neither_threads_nor_other_images_change_a_bit(
    tmp_path, pixels, n_images, n_threads, monkeypatch
):
    network = open_network(
        NetworkChoice(str(write_network(tmp_path / "n.onnx", n_images=n_images)))
    )
    expected = network.of(pixels)
    monkeypatch.setattr(features_module, "row_threads", lambda _n_cores: row_threads(n_threads))
    np.testing.assert_array_equal(network.of(pixels), expected)
    for i in range(len(pixels)):
        np.testing.assert_array_equal(network.of(pixels[i : i + 1]), expected[i : i + 1])
    np.testing.assert_array_equal(network.of(pixels[::-1]), expected[::-1])


def test_a_network_of_any_size_needs_one(tmp_path):
    path = str(write_network(tmp_path / "n.onnx", side="s"))
    with pytest.raises(ModelError, match=r"n\.onnx: its image size is not fixed; give --size"):
        open_network(NetworkChoice(path))
    assert open_network(NetworkChoice(path), (12, 10)).opened.shape == (10, 12, 3)
    fixed = str(write_network(tmp_path / "f.onnx"))
    with pytest.raises(ModelError, match="its images are 8x8; leave --size out"):
        open_network(NetworkChoice(fixed), (12, 10))


IMAGES = ["n", 3, 8, 8]
UNUSABLE = {
    "two inputs": ({"a": IMAGES, "b": IMAGES}, "Add", "it has 2 inputs"),
    "vectors": ({"a": ["n", 3]}, "Relu", "not float images"),
    "four channels": ({"a": ["n", 4, 8, 8]}, "Relu", "not float images"),
    "a large image": ({"a": ["n", 3, 8, 5000]}, "Relu", "too large, 1 x 5000x8 pixels"),
    "many images": ({"a": [4096, 3, 2048, 2048]}, "Relu", "4096 x 2048x2048 pixels; export"),
    "one number": ({"a": IMAGES}, "Size", "onnxruntime cannot read it"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_network_that_is_not_of_images_is_refused(tmp_path, name):
    inputs, operator, message = UNUSABLE[name]
    path = write_function(tmp_path / "n.onnx", inputs, operator)
    with pytest.raises(ModelError, match=f"cannot use the network: {path}: .*{message}"):
        open_network(NetworkChoice(str(path)))


CONTENTS = {
    "nothing": b"",
    "text": b"hello" * 1000,
    "half": lambda path: path.read_bytes()[: path.stat().st_size // 2],
    "a changed byte": lambda path: path.read_bytes().replace(b"MatMul", b"MatMuk"),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_a_damaged_file_is_refused(tmp_path, name):
    path, content = write_network(tmp_path / "n.onnx"), CONTENTS[name]
    path.write_bytes(content(path) if callable(content) else content)
    with pytest.raises(ModelError, match=f"cannot use the network: {path}: onnxruntime cannot"):
        open_network(NetworkChoice(str(path)))


@pytest.mark.parametrize(
    ("options", "metadata", "message"),
    [
        ({"output": "none"}, {}, "it has no output 'none'; it has places, vector"),
        ({"std": (0.0,)}, {}, r"and std \[0.0, 0.0, 0.0\] must be finite, and std above 0"),
        ({"mean": (float("nan"),)}, {}, r"mean \[nan, nan, nan\] and std .* must be finite"),
        ({}, {"mean": "many"}, "its metadata has mean 'many'; give --onnx-mean"),
        ({}, {"std": "1 2"}, "std has 2 numbers, an image 3 channels"),
        ({}, {"channels": "grb"}, "its metadata has channels 'grb'"),
    ],
)
def test_wrong_options_are_refused(tmp_path, options, metadata, message):
    path = write_network(tmp_path / "n.onnx", metadata=metadata)
    with pytest.raises(ModelError, match=message):
        open_network(NetworkChoice(str(path), **options))


def test_weights_outside_the_file_are_refused_wherever_they_are(tmp_path, monkeypatch):
    path = write_network(tmp_path / "n.onnx")
    whole = onnx.load(path)
    onnx.save(whole, path, save_as_external_data=True, location="w.bin", size_threshold=0)
    assert (tmp_path / "w.bin").exists()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="its weights are in other files; export it as one file"):
        open_network(NetworkChoice("n.onnx"))


@pytest.mark.parametrize("path", ["none.onnx", ".", "a\0b.onnx"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="cannot use the network: "):
        open_network(NetworkChoice(path))


def test_features_that_are_not_finite_are_refused(tmp_path, pixels):
    path = write_function(tmp_path / "n.onnx", {"a": IMAGES}, "Log")
    network = open_network(NetworkChoice(str(path)))
    with pytest.raises(DataError, match=r"the features of \d of 7 images are NaN, infinite or"):
        network.of(pixels)


def test_the_message_says_what_to_install(tmp_path, monkeypatch):
    path = write_network(tmp_path / "n.onnx")
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(InputError, match=r"it needs onnxruntime: pip install 'softmaxce\[onnx\]'"):
        open_network(NetworkChoice(str(path)))


def test_a_model_finds_its_network_by_its_digest(tmp_path, pixels):
    right, wrong = write_network(tmp_path / "z.onnx"), tmp_path / "a.onnx"
    write_network(wrong, metadata={"mean": "0"})
    opened = open_network(NetworkChoice(str(right)))
    kept, model = replace(opened, graph=None), str(tmp_path / "m.npz")
    with pytest.raises(ModelError, match="is not opened"):
        kept.of(pixels)
    for given in ([], [str(right)], [str(wrong), str(right)]):
        found = opened_for(kept, (SIDE, SIDE), model, given)
        assert found.opened.path == str(right)
        np.testing.assert_array_equal(found.of(pixels), opened.of(pixels))
    right.rename(tmp_path / "renamed.ONNX")
    with open(tmp_path / "a film.onnx", "wb") as stream:
        stream.truncate(2**31 + 1)
    assert opened_for(kept, (SIDE, SIDE), model, []).opened.path.endswith("renamed.ONNX")
    (tmp_path / "renamed.ONNX").rename(tmp_path / "renamed.bin")
    with pytest.raises(ModelError, match=f"{wrong}: .*needs another one; .*{kept.sha256}"):
        opened_for(kept, (SIDE, SIDE), model, [str(wrong)])
    with pytest.raises(ModelError, match=f"m.npz: it needs the network .*{kept.sha256}"):
        opened_for(kept, (SIDE, SIDE), model, [])
