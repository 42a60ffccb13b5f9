"""What the workflows read, how often, and which preprocessing they choose."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from helpers import PETS, draw_classes

from softmaxce.data import array_files, sources
from softmaxce.data.preprocessing_choice import PreprocessingOptions, decode_all
from softmaxce.data.read_options import ReadOptions
from softmaxce.errors import ImageError, InputError
from softmaxce.images.decoded import DecodedImages
from softmaxce.images.info import ImageInfo
from softmaxce.workflows import train as workflow


class OneImageTooLargeInColour:
    """Two images, of which the coloured one can be decoded in grey but not in colour."""

    n_passes = 0

    def headers(self, paths):
        return [ImageInfo(8, 8, True)]

    def decode(self, paths, preprocessing, on_decoded):
        self.n_passes += 1
        assert self.n_passes < 5, "the images are decoded again and again"
        in_colour = preprocessing.channels == 3
        return DecodedImages(
            np.zeros((2, preprocessing.n_pixels), np.uint8),
            np.array([[8, 8], [0, 0] if in_colour else [8, 8]], np.int32),
            np.array([True, False]),
            np.zeros((2, 2), np.uint64),
            {1: ImageError("b.jpg", "too large")} if in_colour else {},
        )


def test_preprocessing_that_decides_which_images_fail_is_chosen_in_two_passes():
    backend = OneImageTooLargeInColour()
    wanted, options = PreprocessingOptions(), ReadOptions(backend=backend)
    preprocessing, decoded, _ = decode_all("d", ["a.png", "b.jpg"], wanted, options)
    assert backend.n_passes == 2
    assert preprocessing.channels == 3
    assert decoded.pixels.shape == (2, preprocessing.n_pixels)
    assert list(decoded.failures) == [1]


def counted(monkeypatch, module, name):
    """The first arguments of all calls of module.name from now on."""
    calls, function = [], getattr(module, name)

    def call(*arguments):
        calls.append(str(arguments[0]))
        return function(*arguments)

    monkeypatch.setattr(module, name, call)
    return calls


def test_a_manifest_is_read_once_for_all_splits(tmp_path, monkeypatch):
    rows = ["path,label,split"]
    for number, path in enumerate(sorted(PETS.glob("train/*/*.png"))[::6]):
        split = ("train", "train", "validation", "test")[number % 4]
        rows.append(f"{path},{path.parent.name},{split}")
    (tmp_path / "m.csv").write_text("\n".join(rows))
    calls = counted(monkeypatch, sources, "read_manifest")
    result = workflow.train(
        tmp_path / "m.csv", tmp_path / "model.npz", workflow.TrainOptions(l2=0.01)
    )
    assert list(result.scored) == ["train", "validation", "test"]
    assert len(calls) == 1


def test_each_array_is_read_once(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    for prefix, n in (("train", 40), ("t10k", 20)):
        labels = np.arange(n, dtype=np.uint8) % 2
        images = random.integers(0, 100, (n, 4, 4)).astype(np.uint8) + 100 * labels[:, None, None]
        head = bytes((0, 0, 8, 3)) + np.array(images.shape, ">u4").tobytes()
        path = tmp_path / f"{prefix}-images-idx3-ubyte.gz"
        path.write_bytes(gzip.compress(head + images.astype(np.uint8).tobytes()))
        head = bytes((0, 0, 8, 1)) + np.array(labels.shape, ">u4").tobytes()
        path = tmp_path / f"{prefix}-labels-idx1-ubyte.gz"
        path.write_bytes(gzip.compress(head + labels.tobytes()))
    calls = counted(monkeypatch, array_files, "read_idx")
    result = workflow.train(tmp_path, tmp_path / "m.npz", workflow.TrainOptions(l2=0.01))
    assert "test" in result.scored
    assert len(calls) == len(set(calls)) == 4


@pytest.mark.parametrize("n_models", [1, 2])
def test_comparing_decodes_once_for_equal_preprocessing(tmp_path, monkeypatch, n_models):
    from softmaxce.data import preprocessing_choice
    from softmaxce.workflows.compare import compare

    draw_classes(tmp_path / "d", {"bright": 9, "dark": 9})
    models = [tmp_path / "a.npz", tmp_path / "b.npz"]
    for number, model in enumerate(models[:n_models]):
        size = (8 - number, 8)
        workflow.train(tmp_path / "d", model, workflow.TrainOptions(l2=0.01, size=size))
    calls = counted(monkeypatch, preprocessing_choice, "_decode")
    compare(tmp_path / "d", models[0], models[n_models - 1])
    assert len(calls) == n_models


def test_hidden_layers_are_refused_with_a_cluster_before_it_is_sought(softmaxce):
    outcome = softmaxce("train", "nowhere", "--hidden", 8, "--dask", "tcp://127.0.0.1:1")
    assert outcome.exit_code == 2
    assert "--dask cannot train --hidden layers" in outcome.stderr


def test_hidden_layers_are_refused_with_a_backend_before_anything_is_read(tmp_path):
    options, backend = workflow.TrainOptions(hidden=(8,)), OneImageTooLargeInColour()
    with pytest.raises(InputError, match="--dask cannot train --hidden layers"):
        workflow.train(PETS, tmp_path / "m.npz", options, ReadOptions(backend=backend))
    assert backend.n_passes == 0
