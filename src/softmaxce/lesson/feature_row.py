"""The step from a row of features, which another program computed, to the logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.lesson.example import Example
from softmaxce.lesson.inputs import ModelInputs, largest, sums_of_contributions
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.preprocessing import FeatureVectors

N_SHOWN = 10
_ROUNDING = 16 * float(np.finfo(np.float64).eps)  # relative to a sum of absolute values


@dataclass(frozen=True)
class FeatureRow(ModelInputs):
    """A row of features. inputs: (n_features,) floats."""

    source = "features"
    model: SoftmaxModel
    inputs: NDArray[Any]
    path: str = ""


def logits_of_features(row: FeatureRow, example: Example) -> dict[str, Any]:
    """z = xW + b for each class, and the features that contribute most to the winner's logit.

    contributions: (n_features,), to the winner's logit; rounding: how much the order of summation
    may change a logit.
    """
    form, network = row.model.preprocessing, row.model.network
    form = form if isinstance(form, FeatureVectors) else FeatureVectors(row.model.n_inputs)
    contributions, (slope, _) = row.contributions(example.winner), row.slopes(example.winner)
    order = largest(contributions, N_SHOWN)
    size = np.abs(row.values)
    for weights, biases in row.model.layers:
        size = size @ np.abs(weights) + np.abs(biases)
    return {
        **sums_of_contributions(row, example),
        "path": row.path,
        "of_network": network is not None,
        "of_program": network is None,
        "n_features": len(contributions),
        "contributions": contributions.tolist(),
        "feature_names": [form.name(i) for i in order],
        "feature_values": [float(row.values[i]) for i in order],
        "feature_weights": [float(slope[i]) for i in order],
        "feature_contributions": [float(contributions[i]) for i in order],
        "rounding": max(1e-9, _ROUNDING * float(size.max())),
    }
