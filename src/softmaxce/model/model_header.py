"""The header of a model file. A stranger may have written it, so its fields are checked here."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict
from itertools import pairwise
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from softmaxce.class_choice import ALL_CLASSES, ClassChoice
from softmaxce.errors import ModelError
from softmaxce.metrics.conformal import kept_ranks
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.networks.features import ORDERS, NetworkFeatures
from softmaxce.patches import SIDE, PatchFeatures, n_features
from softmaxce.preprocessing import FeatureVectors, Form, Preprocessing

FORMAT = "softmaxce model"
FORMAT_VERSION = 1
PATCHES_VERSION = 3  # of models with patch features
VECTORS_VERSION = 4  # of models of features that another program computed
RETIRED_VERSION = 2  # the same before the numbers of filters were multiples of powers of two
NETWORK_VERSION = 5  # of models with a pretrained network
_MAX_IMAGES = 2**40
_MAX_PAIRS = 4096
_MAX_GRID = 16
_MAX_RESPONSE = 1e12  # so large that no sum over the places of a picture overflows
_NETWORK_FIELDS = {"sha256", "mean", "std", "order", "output", "n_features"}

Shape = tuple[int, ...]


def format_version(model: SoftmaxModel) -> int:
    """The version of the file of this model: the lowest that can describe it."""
    if isinstance(model.preprocessing, FeatureVectors):
        return VECTORS_VERSION
    if model.network is not None:
        return NETWORK_VERSION
    return FORMAT_VERSION if model.patches is None else PATCHES_VERSION


def header_of(model: SoftmaxModel) -> dict[str, Any]:
    """The header of the file of this model."""
    form, scores, patches = model.preprocessing, model.calibration_scores, model.patches
    header = {
        "format": FORMAT,
        "format_version": format_version(model),
        "class_names": list(model.class_names),
        "layers": [list(layer.weights.shape) for layer in model.layers],
        "temperature": model.temperature,
        "n_held_out": scores.n_images if scores else 0,
        "n_trained_on": 0 if model.trained_on is None else len(model.trained_on),
        "training": dict(model.training),
    }
    if isinstance(form, Preprocessing):
        header["preprocessing"] = asdict(form)
    else:
        header["n_features"] = form.n_features
        header |= {"feature_names": list(form.names)} if form.names else {}
    if model.network is not None:
        header["network"] = model.network.as_json()
    if model.class_choice:
        header["class_choice"] = model.class_choice.as_json()
    if patches is not None:
        header["patches"] = {
            "grid": patches.grid,
            "n_pairs": patches.n_pairs,
            "is_symmetric": patches.is_symmetric,
        }
    return header


def damaged(fault: str) -> NoReturn:
    """Raise ModelError."""
    raise ModelError(f"it is damaged: {fault}; train it again")


def require(holds: bool, fault: str) -> None:
    """Raise ModelError unless this holds."""
    if not holds:
        damaged(fault)


def checked_header(header: dict[str, Any]) -> dict[str, Any]:
    """The header, after checking every field that the program relies on."""
    names: Any = header.get("class_names")
    layers: Any = header.get("layers")
    temperature: Any = header.get("temperature")
    n_held_out: Any = header.get("n_held_out")
    n_trained_on: Any = header.get("n_trained_on", 0)
    require(_is_list_of(names, str), "class_names is not a list of names")
    require(len(names) >= 2, "class_names has fewer than two names")
    require(len(set(names)) == len(names), "class_names contains a name twice")
    require(isinstance(layers, list) and len(layers) > 0, "layers is not a list of shapes")
    are_pairs = all(_is_list_of(shape, int) and len(shape) == 2 for shape in layers)
    require(are_pairs, "layers is not a list of shapes")
    require(all(n > 0 for shape in layers for n in shape), "layers: a shape is not positive")
    require(all(a[1] == b[0] for a, b in pairwise(layers)), "layers: one does not match the next")
    require(layers[0][0] == _checked_n_inputs(header), "layers do not match preprocessing")
    require(layers[-1][1] == len(names), "layers do not match class_names")
    require(type(temperature) is float and 0 < temperature < math.inf, "temperature")
    require(type(n_held_out) is int and 0 <= n_held_out <= _MAX_IMAGES, "n_held_out")
    require(type(n_trained_on) is int and 0 <= n_trained_on <= _MAX_IMAGES, "n_trained_on")
    require(isinstance(header.get("training"), dict), "training is missing")
    return header


def checked_form(header: Mapping[str, Any]) -> Form:
    """What the model sees, from the fields "preprocessing", or "n_features" and "feature_names"."""
    if header["format_version"] == VECTORS_VERSION:
        n_features: Any = header.get("n_features")
        names: Any = header.get("feature_names", [])
        require(type(n_features) is int and n_features > 0, "n_features")
        require("preprocessing" not in header, "preprocessing: the model has features")
        is_complete = _is_list_of(names, str) and len(names) == len({*names}) in (0, n_features)
        require(is_complete, "feature_names is not a list of different names of all features")
        return FeatureVectors(n_features, tuple(names))
    fields: Any = header.get("preprocessing")
    require(isinstance(fields, dict), "preprocessing is missing")
    known = Preprocessing.__dataclass_fields__.keys()
    require(fields.keys() == known, "preprocessing: its fields")
    preprocessing = Preprocessing(**fields)
    fault = preprocessing.fault()
    require(fault is None, f"preprocessing: {fault}")
    return preprocessing


def _checked_n_inputs(header: Mapping[str, Any]) -> int:
    """The number of pixels or features, after checking what the model sees."""
    form = checked_form(header)
    if isinstance(form, FeatureVectors):
        return form.n_features
    if (network := checked_network(header)) is not None:
        return network.n_features
    if header["format_version"] != PATCHES_VERSION:
        return form.n_pixels
    fields: Any = header.get("patches")
    require(isinstance(fields, dict), "patches is missing")
    require(fields.keys() == {"grid", "n_pairs", "is_symmetric"}, "patches: its fields")
    grid, n_pairs, is_symmetric = fields["grid"], fields["n_pairs"], fields["is_symmetric"]
    require(type(grid) is int and 0 < grid <= _MAX_GRID, "patches: grid")
    require(type(n_pairs) is int and 0 < n_pairs <= _MAX_PAIRS, "patches: n_pairs")
    require(type(is_symmetric) is bool, "patches: is_symmetric")
    require(min(form.height, form.width) >= SIDE, "patches: the images are smaller")
    return n_features(grid, n_pairs, is_symmetric)


def checked_patches(
    header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], form: Form
) -> PatchFeatures | None:
    """The patch features, after checking that every sum is finite."""
    if header["format_version"] != PATCHES_VERSION or isinstance(form, FeatureVectors):
        return None
    filters, scales = arrays["filters"], arrays["scales"]
    require(bool((np.abs(filters) <= _MAX_RESPONSE).all()), "filters: too large")
    require(bool(((scales >= 0) & (scales <= _MAX_RESPONSE)).all()), "scales: out of range")
    shape = form.height, form.width, form.channels
    fields = header["patches"]
    return PatchFeatures(shape, fields["grid"], fields["is_symmetric"], filters, scales)


def checked_network(header: Mapping[str, Any]) -> NetworkFeatures | None:
    """The network, not opened, after checking the field "network"; None in other versions."""
    if header["format_version"] != NETWORK_VERSION:
        return None
    fields: Any = header.get("network")
    channels = checked_form(header).images.channels
    require(isinstance(fields, dict), "network is missing")
    require(fields.keys() == _NETWORK_FIELDS, "network: its fields")
    mean, std, n_features = fields["mean"], fields["std"], fields["n_features"]
    is_digest = re.fullmatch("[0-9a-f]{64}", str(fields["sha256"])) is not None
    require(is_digest, "network: sha256")
    for numbers in (mean, std):
        require(_is_list_of(numbers, float) and len(numbers) == channels, "network: mean or std")
        require(all(map(math.isfinite, numbers)), "network: mean or std")
    require(min(std) > 0, "network: std")
    require(fields["order"] in ORDERS, "network: order")
    require(type(fields["output"]) is str, "network: output")
    require(type(n_features) is int and n_features > 0, "network: n_features")
    return NetworkFeatures(**fields | {"mean": tuple(mean), "std": tuple(std)})


def checked_choice(fields: Any) -> ClassChoice:
    """Which classes were used and merged: `fields` of the header, None for all as they are."""
    if fields is None:
        return ALL_CLASSES
    require(isinstance(fields, dict) and isinstance(fields.get("merged"), dict), "class_choice")
    only, merged = fields.get("only"), fields["merged"]
    are_names = _is_list_of(only, str) and _is_list_of([*merged.values()], str)
    require(are_names, "class_choice is not made of names")
    return ClassChoice(tuple(only), tuple(merged.items()))


def _is_list_of(value: Any, kind: type) -> bool:
    return isinstance(value, list) and all(type(item) is kind for item in value)


def shapes_of(header: Mapping[str, Any]) -> dict[str, Shape]:
    """Each array that the header requires, and its shape."""
    shapes: dict[str, Shape] = {}
    for position, (n_inputs, n_outputs) in enumerate(header["layers"]):
        shapes[f"weights_{position}"] = (n_inputs, n_outputs)
        shapes[f"biases_{position}"] = (n_outputs,)
    if header["format_version"] == PATCHES_VERSION:
        n_values = SIDE * SIDE * header["preprocessing"]["channels"] + 1
        shapes["filters"] = n_values, header["patches"]["n_pairs"]
        shapes["scales"] = (header["layers"][0][0],)
    if header["n_held_out"]:
        shapes["held_out"] = (len(kept_ranks(header["n_held_out"])),)
    if header.get("n_trained_on"):
        shapes["trained_on"] = (header["n_trained_on"],)
    return shapes
