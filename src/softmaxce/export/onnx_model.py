"""A model as an ONNX graph, from a picture of any size or from pixels to probabilities."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from softmaxce import __version__
from softmaxce.errors import OutputError
from softmaxce.export.graph import IR_VERSION, OPSET, Graph, Value
from softmaxce.export.resizing import prepared
from softmaxce.images.reading import columns_first
from softmaxce.model.softmax_model import PIXEL_SCALE, SoftmaxModel
from softmaxce.patches import CONTRAST, PIXEL_STEPS, SIDE, THRESHOLDS, PatchFeatures

Indices = NDArray[np.intp]
Floats = NDArray[np.float32]
_MAX_BYTES = 2**31 - 2**20  # of a protocol buffer


def onnx_bytes(model: SoftmaxModel, metadata: Mapping[str, str], *, takes_pixels: bool) -> bytes:
    """The ONNX file, checked by ONNX itself. metadata: stored in it, beside the class names.

    Input "image": uint8 (height, width, 3), RGB of any size; output "probabilities": float32
    (n_classes,). With `takes_pixels`, the input is "pixels", uint8 (n, n_pixels), and the output
    has the shape (n, n_classes). Raises OutputError for a model that is too large.
    """
    graph, form = Graph(), model.preprocessing.images
    input_shape = ["n", model.n_pixels] if takes_pixels else ["height", "width", 3]
    output_shape = ["n"] * takes_pixels + [model.n_classes]
    given = graph.value("pixels" if takes_pixels else "image", np.uint8)
    pixels = given
    if not takes_pixels:
        pixels = prepared(given, form, columns_first()).shaped(1, model.n_pixels)
    inputs = _patch_features(pixels, model.patches) if model.patches else pixels
    result = _probabilities(inputs, model)
    result = result if takes_pixels else result.shaped(model.n_classes)
    graph.add("Identity", result, name="probabilities")
    if sum(len(constant.raw_data) for constant in graph.constants) > _MAX_BYTES:
        raise OutputError("an ONNX file has at most 2 GB")
    made = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "softmaxce",
            [helper.make_tensor_value_info(given.name, onnx.TensorProto.UINT8, input_shape)],
            [helper.make_tensor_value_info("probabilities", onnx.TensorProto.FLOAT, output_shape)],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="softmaxce",
        producer_version=__version__,
    )
    helper.set_model_props(made, {"class_names": json.dumps(model.class_names), **metadata})
    onnx.checker.check_model(made, full_check=True)  # with strict inference of shapes
    return bytes(made.SerializeToString(deterministic=True))


def _probabilities(inputs: Value, model: SoftmaxModel) -> Value:
    """Probabilities (n, n_classes) of inputs (n, n_inputs), computed in double precision."""
    values = inputs.to(np.float64) * PIXEL_SCALE
    for position, (weights, biases) in enumerate(model.layers):
        values = values.apply("Relu") if position else values
        values = values.apply("MatMul", weights) + biases
    return values.apply("Softmax", axis=1).to(np.float32)


def _patch_features(pixels: Value, patches: PatchFeatures) -> Value:
    """The patch features (n, n_features) of pixels (n, n_pixels): the same bytes as `patches.of`.

    As there, single precision holds the sums of a strip of places exactly, and strips are added in
    double precision. The last strip is filled with places of weight 0.
    """
    graph, size = pixels.graph, SIDE * SIDE * patches.shape[2]
    starts, within, pooling = _places(patches)
    index = graph.constant(starts, np.int64) + within
    values = graph.add("Gather", pixels.to(np.float32), index, dtype=np.float32, axis=1)
    total, squares = (
        v.apply("ReduceSum", axes=[2], keepdims=1).to(np.float64) for v in (values, values * values)
    )
    variance = (squares * size - total * total) / size**2
    scale = (PIXEL_STEPS / (variance + CONTRAST).apply("Sqrt")).to(np.float32)
    normalised = (values * scale).apply("Round") * (1 / PIXEL_STEPS)
    halves = [(patches.bank, pooling)]
    if patches.is_symmetric:  # the mirror image has the other filter's response there
        filters, twins = np.split(patches.bank, 2, axis=1)
        halves = [(filters, pooling), (twins, pooling[:, patches.mirrored_points])]
    sums = [_sums(normalised, filters, weights) for filters, weights in halves]
    joined = sums[0] + sums[1] if patches.is_symmetric else sums[0]
    scaled = joined.shaped(-1, patches.n_features).to(np.float32) * patches.scales
    return scaled.apply("Round").apply("Min", 255).to(np.uint8)


def _places(patches: PatchFeatures) -> tuple[Indices, Indices, Floats]:
    """For the places of a picture, in strips of equally many: the index of the first value of each
    patch (n_places, 1), the others after it (size,), and the pooling weights (n_strips, grid²,
    places of a strip)."""
    n_rows, n_columns = patches.n_places
    _, width, channels = patches.shape
    n_of_strip = patches.strip_rows * n_columns
    n_more = -n_rows % patches.strip_rows * n_columns
    rows, columns = np.divmod(np.arange(n_rows * n_columns), n_columns)
    starts = np.pad((rows * width + columns) * channels, (0, n_more))[:, np.newaxis]
    within = np.arange(SIDE)[:, np.newaxis] * width * channels + np.arange(SIDE * channels)
    pooling = np.pad(patches.pooling, ((0, 0), (0, n_more)))
    strips = pooling.reshape(patches.grid**2, -1, n_of_strip).swapaxes(0, 1)
    return starts, within.ravel(), strips


def _sums(normalised: Value, filters: Floats, pooling: Floats) -> Value:
    """The pooled responses beyond each threshold: (n, 2 · n_thresholds, grid², n_filters)."""
    n_strips, _, n_of_strip = pooling.shape
    responses = normalised.apply("MatMul", filters[:-1]) + filters[-1]
    responses = responses.shaped(-1, n_strips, n_of_strip, filters.shape[1])
    weights = normalised.graph.constant(pooling, np.float32)
    sums = []
    for threshold in THRESHOLDS:
        for signed in (responses, responses * -1):
            pooled = weights.apply("MatMul", (signed - threshold).apply("Relu")).to(np.float64)
            sums.append(pooled.apply("ReduceSum", axes=[1], keepdims=1))
    return normalised.graph.add("Concat", *sums, axis=1)
