"""The result of `info` as JSON."""

from __future__ import annotations

from typing import Any

from softmaxce.patches import SIDE, PatchFeatures
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
            "image": attributes(model.preprocessing, "height", "width", "channels"),
            **({"class_choice": model.class_choice.as_json()} if model.class_choice else {}),
            **({"features": features_object(model.patches)} if model.patches else {}),
            "layers": [list(layer.weights.shape) for layer in model.layers],
            "temperature": model.temperature,
            "n_held_out": model.calibration_scores.n_images if model.calibration_scores else 0,
            "export_formats": result.export_formats,
            "training": model.training,
        },
    )


def features_object(patches: PatchFeatures) -> dict[str, Any]:
    """What a model sees of an image."""
    return {
        "kind": "patches",
        "n_filters": patches.n_patches,
        "patch_side": SIDE,
        "mirror": patches.is_symmetric,
        "n_features": patches.n_features,
    }
