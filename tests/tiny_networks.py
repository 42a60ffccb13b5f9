"""Networks of a few numbers in ONNX files, and what they compute, in NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
helper, FLOAT = onnx.helper, onnx.TensorProto.FLOAT

N_FEATURES, SIDE = 5, 8
_WEIGHTS = np.random.default_rng(0).normal(size=(N_FEATURES, 3, 3, 3)).astype(np.float32)
_MIX = np.random.default_rng(1).normal(size=(N_FEATURES, N_FEATURES)).astype(np.float32)


def places_by_hand(images: NDArray[np.float64]) -> NDArray[np.float64]:
    """The output "places" (n, d, height, width) of normalised images (n, height, width, 3)."""
    windows = np.lib.stride_tricks.sliding_window_view(images, (3, 3), axis=(1, 2))
    return np.maximum(np.einsum("nhwcij,dcij->ndhw", windows, _WEIGHTS.astype(np.float64)), 0)


def vectors_by_hand(images: NDArray[np.float64]) -> NDArray[np.float64]:
    """The output "vector" (n, d)."""
    return places_by_hand(images).mean(axis=(2, 3)) @ _MIX.astype(np.float64)


def write_network(
    path: Path,
    *,
    layout: str = "NCHW",
    outputs: tuple[str, ...] = ("places", "vector"),
    n_images: int | str = "n",
    side: int | str = SIDE,
    metadata: dict[str, str] | None = None,
) -> Path:
    """A convolution, ReLU ("places"), the mean over the places and a matrix ("vector")."""
    is_last = layout == "NHWC"
    shape = [n_images, side, side, 3] if is_last else [n_images, 3, side, side]
    to_first = [helper.make_node("Transpose", ["image"], ["given"], perm=[0, 3, 1, 2])]
    to_last = [helper.make_node("Transpose", ["relu"], ["places"], perm=[0, 2, 3, 1])]
    as_it_is = [helper.make_node("Identity", ["image"], ["given"])]
    nodes = [
        *(to_first if is_last else as_it_is),
        helper.make_node("Conv", ["given", "w"], ["conv"]),
        helper.make_node("Relu", ["conv"], ["relu"]),
        *(to_last if is_last else [helper.make_node("Identity", ["relu"], ["places"])]),
        helper.make_node("ReduceMean", ["relu"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["mean", "mix"], ["vector"]),
    ]
    axes = {"places": [n_images, None, None, None], "vector": [n_images, N_FEATURES]}
    found = [helper.make_tensor_value_info(o, FLOAT, axes[o]) for o in outputs]
    given = [helper.make_tensor_value_info("image", FLOAT, shape)]
    as_tensor = onnx.numpy_helper.from_array
    weights = [as_tensor(_WEIGHTS, "w"), as_tensor(_MIX, "mix")]
    save(helper.make_graph(nodes, "tiny", given, found, weights), path, metadata)
    return path


def write_function(path: Path, inputs: dict[str, list[int | str]], operator: str) -> Path:
    """A network that applies an operator to all its inputs: for those that cannot be used."""
    given = [helper.make_tensor_value_info(n, FLOAT, s) for n, s in inputs.items()]
    found = [helper.make_tensor_value_info("y", FLOAT, None)]
    nodes = [
        helper.make_node(operator, [*inputs], ["x"]),
        helper.make_node("Flatten", ["x"], ["y"]),
    ]
    save(helper.make_graph(nodes, "function", given, found), path)
    return path


def save(graph: Any, path: Path, metadata: dict[str, str] | None = None) -> None:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, metadata or {})
    onnx.save(model, path)
