"""`train`, `evaluate`, `predict` and `explain` for Python; their results show themselves.

The commands have more options; both raise the same errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike, fspath
from typing import Any

import numpy as np

from softmaxce.errors import InputError
from softmaxce.lesson import make_example
from softmaxce.lesson.example import DEFAULT_NAMES
from softmaxce.model.model_file import ModelSource
from softmaxce.notebook import Model, Shown
from softmaxce.translation import translate
from softmaxce.workflows import evaluate as evaluating
from softmaxce.workflows import explain as explaining
from softmaxce.workflows import predict as predicting
from softmaxce.workflows import train as training
from softmaxce.workflows.train_options import TrainOptions

Path = str | PathLike[str]


class Evaluation(Shown, evaluating.EvaluateResult):
    """scored.scores: the scores."""


class Predictions(Shown, predicting.PredictResult):
    """outcomes: a Prediction for each image."""


class Lesson(Shown, explaining.Explanation):
    """example: the numbers; steps: the lesson about them."""


def train(folder: Path, model_path: Path = "model.npz") -> Model:
    """Train on the class folders in `folder`, and save the model."""
    training.check_output(model_path, force=False)
    return Model(**vars(training.train(folder, model_path, TrainOptions()).model))


def evaluate(folder: Path, model: ModelSource = "model.npz") -> Evaluation:
    """Evaluate a model, or the one in a file, on the class folders in `folder`."""
    return Evaluation(**vars(evaluating.evaluate(folder, model)))


def predict(images: Path | Sequence[Path], model: ModelSource = "model.npz") -> Predictions:
    """Predict an image, a folder of images, or a list of them."""
    sources = images if isinstance(images, list | tuple) else [images]
    return Predictions(**vars(predicting.predict([*map(fspath, sources)], model)))


def explain(
    image: Path | None = None,
    model: ModelSource = "model.npz",
    *,
    logits: Sequence[float] | None = None,
    probabilities: Sequence[float] | None = None,
    **options: Any,
) -> Lesson:
    """The lesson about an image and a model, or about logits or probabilities.

    options: label (the true class), temperature and learning_rate, as in `make_example`; for
    numbers also classes, their names.
    """
    given: dict[str, Any] = {"image": image, "logits": logits, "probabilities": probabilities}
    sources = [name for name, value in given.items() if value is not None]
    if len(sources) != 1 or (image is not None and "classes" in options):
        raise InputError(
            "give numbers, with or without classes, or an image: explain(logits=[0.2, 0.3])"
        )
    if image is not None:
        return Lesson(**vars(explaining.explain_image(fspath(image), model, **options)))
    numbers = np.atleast_1d(np.asanyarray(given[sources[0]], dtype=object)).tolist()
    options["default_names"] = translate(DEFAULT_NAMES)
    example = make_example(numbers, sources[0], **options)
    return Lesson(**vars(explaining.explain(example)))
