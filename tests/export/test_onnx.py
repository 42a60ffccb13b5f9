"""ONNX files: the pixels, features and probabilities of the model, to the last bit where they are
integers."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from export_tools import run_onnx
from fault_tools import make_model

from softmaxce.errors import OutputError
from softmaxce.export.sample_pictures import sample_picture
from softmaxce.images.reading import columns_first, read_pixels
from softmaxce.layers import Layer
from softmaxce.model.model_file import save_model
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.numerics import softmax
from softmaxce.patches import PatchFeatures, n_features
from softmaxce.preprocessing import Preprocessing

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from onnx import helper  # noqa: E402

from softmaxce.export import agreement, graph, onnx_model  # noqa: E402
from softmaxce.export.resizing import prepared  # noqa: E402
from softmaxce.workflows.export import export  # noqa: E402

SIZES = [(28, 28), (56, 56), (48, 32), (67, 41), (7, 90), (100, 11), (1, 1), (400, 50), (50, 400)]
FORMS = {"grey": Preprocessing(28, 28, 1), "colour": Preprocessing(16, 24, 3)}


def bytes_of(given: graph.Value, shape: list, result: graph.Value) -> bytes:
    """A graph with one input and one output, both uint8."""
    made = given.graph
    made.add("Identity", result, name="probabilities")
    uint8 = onnx.TensorProto.UINT8
    inputs = [helper.make_tensor_value_info(given.name, uint8, shape)]
    outputs = [helper.make_tensor_value_info("probabilities", uint8, None)]
    content = helper.make_graph(made.nodes, "test", inputs, outputs, made.constants)
    opset = [helper.make_opsetid("", graph.OPSET)]
    return helper.make_model(
        content, opset_imports=opset, ir_version=graph.IR_VERSION
    ).SerializeToString()


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
def test_pixels_are_those_of_the_command(form, fit):
    form = replace(form, fit=fit, background="#20a0ff")
    image = graph.Graph().value("image", np.uint8)
    pixels = prepared(image, form, columns_first())
    content = bytes_of(image, ["height", "width", 3], pixels)
    for size in SIZES:
        picture = sample_picture(*size)
        assert run_onnx(content, picture).ravel().tolist() == read_pixels(picture, form).tolist()


def patch_features(seed: int, shape: tuple[int, int, int], is_symmetric: bool) -> PatchFeatures:
    chance = np.random.default_rng(seed)
    grid, n_pairs = 3, 5
    filters = chance.integers(-12, 13, (36 * shape[2] + 1, n_pairs)).astype(np.float32) / 64
    filters[-1] = chance.integers(-99, 100, n_pairs) / 1024
    scales = chance.uniform(1, 9, n_features(grid, n_pairs, is_symmetric)).astype(np.float32)
    return PatchFeatures(shape, grid, is_symmetric, filters, scales)


@pytest.mark.parametrize("is_symmetric", [True, False])
@pytest.mark.parametrize("shape", [(13, 9, 1), (6, 6, 3), (64, 50, 3)])
def test_features_are_the_same_bytes(shape, is_symmetric):
    patches = patch_features(1, shape, is_symmetric)
    n_pixels = int(np.prod(shape))
    pixels = np.random.default_rng(2).integers(0, 256, (3, n_pixels)).astype(np.uint8)
    pixels[1] //= 16
    given = graph.Graph().value("pixels", np.uint8)
    content = bytes_of(given, ["n", n_pixels], onnx_model._patch_features(given, patches))
    expected = patches.of(pixels)
    assert 0 < np.mean(expected) < 255
    assert run_onnx(content, pixels).tolist() == expected.tolist()


def random_model(form: Preprocessing, *sizes: int, **more: object) -> SoftmaxModel:
    chance = np.random.default_rng(sum(sizes))
    layers = [
        Layer(chance.normal(size=p) / p[0] ** 0.5, chance.normal(size=p[1]))
        for p in pairwise(sizes)
    ]
    names = tuple(f"class {k}" for k in range(sizes[-1]))
    return SoftmaxModel(tuple(layers), form, names, **more).with_temperature(0.7)


MODELS = {
    "pixels": random_model(FORMS["grey"], 784, 10),
    "hidden": random_model(FORMS["colour"], 1152, 20, 7, 3),
    "patches": random_model(
        FORMS["colour"], 270, 4, patches=patch_features(0, (16, 24, 3), is_symmetric=True)
    ),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_probabilities_are_those_of_the_model(model, tmp_path):
    source, output = str(tmp_path / "model.npz"), str(tmp_path / "model.onnx")
    save_model(model, source)
    result = export(source, output)
    assert 0 <= result.largest_difference <= 1e-6
    content = (tmp_path / "model.onnx").read_bytes()
    pixels = []
    for size in [(model.preprocessing.height, model.preprocessing.width), (333, 65)]:
        picture = sample_picture(*size)[::-1]
        pixels.append(read_pixels(picture, model.preprocessing))
        expected = softmax(model.logits(pixels[-1][np.newaxis])[0])
        assert run_onnx(content, picture) == pytest.approx(expected, abs=1e-6)
    export(source, output, takes_pixels=True)
    found = run_onnx((tmp_path / "model.onnx").read_bytes(), np.stack(pixels))
    assert found == pytest.approx(softmax(model.logits(np.stack(pixels)), axis=1), abs=1e-6)


def test_the_file_says_what_it_is(tmp_path):
    model = make_model()
    save_model(model, tmp_path / "model.npz")
    for name in ("a.onnx", "b.onnx"):
        result = export(str(tmp_path / "model.npz"), str(tmp_path / name))
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    loaded = onnx.load(tmp_path / "a.onnx")
    about = {entry.key: entry.value for entry in loaded.metadata_props}
    assert json.loads(about["class_names"]) == list(model.class_names)
    assert len(about["model_sha256"]) == len(result.sha256) == 64
    assert about["softmaxce_version"] == loaded.producer_version
    assert [entry.version for entry in loaded.opset_import] == [11]
    assert loaded.ir_version == 6
    onnx.shape_inference.infer_shapes(loaded, check_type=True, strict_mode=True)
    shape = loaded.graph.output[0].type.tensor_type.shape
    assert [dimension.dim_value for dimension in shape.dim] == [3]


def test_a_file_that_disagrees_is_not_kept(tmp_path, monkeypatch):
    model = make_model()
    save_model(model, tmp_path / "model.npz")
    older = b"\x08\x06\x12\x09softmaxce, an older file"
    (tmp_path / "model.onnx").write_bytes(older)
    monkeypatch.setattr(onnx_model, "PIXEL_SCALE", 1 / 254)
    with pytest.raises(OutputError, match=r"model\.npz: onnxruntime computes other probabilities"):
        export(str(tmp_path / "model.npz"), str(tmp_path / "model.onnx"))
    assert (tmp_path / "model.onnx").read_bytes() == older
    assert agreement.MAX_DIFFERENCE == 1e-6


def test_a_model_that_is_too_large(tmp_path, monkeypatch):
    save_model(make_model(), tmp_path / "model.npz")
    monkeypatch.setattr(onnx_model, "_MAX_BYTES", 100)
    with pytest.raises(OutputError, match=r"model\.npz: an ONNX file has at most 2 GB"):
        export(str(tmp_path / "model.npz"), str(tmp_path / "model.onnx"))
