"""The result of `info` as JSON."""

from __future__ import annotations

from typing import Any

from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.patches import SIDE
from softmaxce.preprocessing import FeatureVectors
from softmaxce.views.json.json_output import attributes, json_text
from softmaxce.workflows.info import InfoResult


def as_json(result: InfoResult) -> str:
    """The result as one JSON object."""
    model = result.model
    return json_text(
        "info",
        {
            "model": result.model_path,
            **attributes(result, "format_version", "n_bytes", "sha256"),
            "classes": model.class_names,
            "image": None
            if isinstance(model.preprocessing, FeatureVectors)
            else attributes(model.preprocessing, "height", "width", "channels"),
            **({"class_choice": model.class_choice.as_json()} if model.class_choice else {}),
            **features_fields(model),
            "layers": [list(layer.weights.shape) for layer in model.layers],
            "temperature": model.temperature,
            "n_held_out": model.calibration_scores.n_images if model.calibration_scores else 0,
            "export_formats": result.export_formats,
            "training": model.training,
        },
    )


def features_fields(model: SoftmaxModel) -> dict[str, Any]:
    """What a model sees of an image, or instead of one; nothing for pixels."""
    form, patches = model.preprocessing, model.patches
    if isinstance(form, FeatureVectors):
        found = {"kind": "arrays", "n_features": form.n_features, "names": form.names or None}
    elif patches is not None:
        found = {
            "kind": "patches",
            "n_filters": patches.n_patches,
            "patch_side": SIDE,
            "mirror": patches.is_symmetric,
            "n_features": patches.n_features,
        }
    elif model.network is not None:
        found = {"kind": "network", **model.network.as_json()}
    else:
        return {}
    return {"features": found}
