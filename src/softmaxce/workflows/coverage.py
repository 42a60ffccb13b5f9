"""What `--coverage` needs of a model."""

from __future__ import annotations

from os import PathLike

from softmaxce.errors import ModelError
from softmaxce.model.softmax_model import SoftmaxModel


def threshold_for(model: SoftmaxModel, model_path: str | PathLike[str], coverage: float) -> float:
    """The largest cross-entropy, in nats, of a class in a prediction set of this coverage.

    Raises ModelError if the model was trained without validation images.
    """
    if model.calibration_scores is None:
        raise ModelError(
            f"no coverage: {model_path}: it was trained without validation images, from which "
            "prediction sets are computed; train it again with --validation above 0"
        )
    return model.calibration_scores.threshold(coverage)
