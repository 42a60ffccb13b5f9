"""`train`, `evaluate`, `predict` and `explain` for Python; their results show themselves."""

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

Path = str | PathLike[str]


class Evaluation(Shown, evaluating.EvaluateResult):
    """scored.scores: the scores."""

    cell, named = "evaluation", ("folder", "scored.scores.n_images", "scored.scores.accuracy")


class Predictions(Shown, predicting.PredictResult):
    """outcomes: a Prediction for each image."""

    cell, named = "predictions", ("class_names",)


class Lesson(Shown, explaining.Explanation):
    """example: the numbers; steps: the lesson about them."""

    cell, named = "lesson", ("example.logits", "example.label")


def train(folder: Path, model_path: Path = "model.npz") -> Model:
    """The model of the class folders in `folder`, which is also saved, as `softmaxce train` does.

    Raises DataError, ImageError, TrainingError or OutputError.
    """
    training.check_output(model_path, force=False)
    return Model(**vars(training.train(folder, model_path, training.TrainOptions()).model))


def evaluate(folder: Path, model: ModelSource = "model.npz") -> Evaluation:
    """The scores of a model, or of one in a file, on the class folders in `folder`.

    Raises ModelError and DataError.
    """
    return Evaluation(**vars(evaluating.evaluate(folder, model)))


def predict(images: Path | Sequence[Path], model: ModelSource = "model.npz") -> Predictions:
    """What a model predicts for an image, for a folder of images, or for a list of them.

    Raises ModelError and DataError.
    """
    sources = images if isinstance(images, list | tuple) else [images]
    return Predictions(**vars(predicting.predict([*map(fspath, sources)], model)))


def explain(
    image: Path | None = None,
    model: ModelSource = "model.npz",
    *,
    logits: Sequence[float] | None = None,
    probabilities: Sequence[float] | None = None,
    classes: Sequence[str] | None = None,
    **options: Any,
) -> Lesson:
    """The lesson about logits, probabilities, or an image and a model.

    options: label (the true class), temperature and learning_rate, as in `make_example`. Raises
    InputError, ModelError, ImageError and DataError.
    """
    given: dict[str, Any] = {"image": image, "logits": logits, "probabilities": probabilities}
    sources = [name for name, value in given.items() if value is not None]
    if len(sources) != 1 or (sources == ["image"] and classes is not None):
        raise InputError(
            "give numbers, with or without classes, or an image: explain(logits=[0.2, 0.3])"
        )
    if image is not None:
        return Lesson(**vars(explaining.explain_image(fspath(image), model, **options)))
    numbers = np.atleast_1d(given[sources[0]]).tolist()
    options["classes"] = None if classes is None else [*map(str, classes)]
    options["default_names"] = translate(DEFAULT_NAMES)
    return Lesson(**vars(explaining.explain(make_example(numbers, sources[0], **options))))
