"""A model and images → each image's probabilities."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from softmaxce.data.class_folders import list_images
from softmaxce.data.decoding import decode_files
from softmaxce.errors import DataError, ImageError, InputError
from softmaxce.images.reading import read_pixels
from softmaxce.metrics.conformal import prediction_sets
from softmaxce.model.model_file import load_model
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.numerics import log_softmax
from softmaxce.workflows.coverage import threshold_for
from softmaxce.workflows.progress import OnProgress, counted, ignore

STDIN = "-"


@dataclass(frozen=True)
class Prediction:
    """What the model says of one image. log_probabilities: (n_classes,)."""

    path: str
    log_probabilities: NDArray[np.float64]

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """(n_classes,), in the order of the model's classes."""
        return np.exp(self.log_probabilities)

    @property
    def predicted(self) -> int:
        """The label of the most probable class."""
        return int(np.argmax(self.log_probabilities))

    def cross_entropy(self, label: int) -> float:
        """−log p[label], in nats."""
        return 0.0 - float(self.log_probabilities[label])


@dataclass(frozen=True)
class PredictResult:
    """One Prediction or ImageError for each image, in the order asked for.

    label is the class whose cross-entropy was asked for, None if none was; threshold is the largest
    cross-entropy of a class in a prediction set (∞: all classes belong), None without sets.
    """

    model_path: str
    class_names: tuple[str, ...]
    outcomes: tuple[Prediction | ImageError, ...]
    label: int | None
    threshold: float | None = None

    def prediction_set(self, prediction: Prediction) -> tuple[int, ...] | None:
        """The labels in the image's set, the most probable first; None without sets."""
        if self.threshold is None:
            return None
        row = prediction.log_probabilities
        members = np.flatnonzero(prediction_sets(row[np.newaxis], self.threshold)[0])
        return tuple(int(k) for k in sorted(members, key=lambda k: -row[k]))

    @property
    def failures(self) -> tuple[ImageError, ...]:
        """The images that could not be read."""
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, ImageError))


def predict(
    sources: Sequence[str],
    model_path: str | PathLike[str],
    *,
    label_name: str | None = None,
    skip_bad: bool = False,
    jobs: int | None = None,
    coverage: float | None = None,
    stdin: bytes = b"",
    on_progress: OnProgress = ignore,
) -> PredictResult:
    """Predict files, folders (all images below them) and "-" (the image in `stdin`).

    Raises ModelError, also for `coverage` with a model that has no held-out images; InputError
    for a label that the model does not know; DataError, which names the first image that cannot
    be read, unless `skip_bad`.
    """
    model = load_model(model_path)
    label = None if label_name is None else label_of(model, label_name)
    threshold = None if coverage is None else threshold_for(model, model_path, coverage)
    paths = _expand(sources)
    outcomes = _outcomes(model, paths, jobs, stdin, on_progress)
    result = PredictResult(str(model_path), model.class_names, outcomes, label, threshold)
    if result.failures and not skip_bad:
        raise _refusal(result.failures)
    return result


def label_of(model: SoftmaxModel, name: str) -> int:
    """The label of the class `name`. Raises InputError where the model does not know it."""
    if name not in model.class_names:
        known = ", ".join(f"'{known}'" for known in model.class_names[:20])
        more = len(model.class_names) - 20
        raise InputError(
            f"unknown label '{name}': the model knows {known}{f' and {more} more' * (more > 0)}"
        )
    return model.class_names.index(name)


def _expand(sources: Sequence[str]) -> list[str]:
    paths: list[str] = []
    for source in sources:
        if source != STDIN and os.path.isdir(source):
            found = list_images(source)
            if not found:
                raise DataError(f"no images: {source}: nothing in it is an image by its name")
            paths += found
        else:
            paths.append(source)
    return paths


def _outcomes(
    model: SoftmaxModel,
    paths: list[str],
    jobs: int | None,
    stdin: bytes,
    on_progress: OnProgress,
) -> tuple[Prediction | ImageError, ...]:
    files = [path for path in paths if path != STDIN]
    listen = counted(on_progress, "Reading images")
    decoded = decode_files(files, model.preprocessing, jobs=jobs, on_decoded=listen)
    log_probabilities = iter(log_softmax(model.logits(decoded.pixels), axis=1))
    positions = iter(range(len(files)))
    outcomes: list[Prediction | ImageError] = []
    for path in paths:
        if path == STDIN:
            outcomes.append(_predict_stdin(model, stdin))
            continue
        row = next(log_probabilities)
        failure = decoded.failures.get(next(positions))
        outcomes.append(failure or Prediction(path, row))
    return tuple(outcomes)


def _predict_stdin(model: SoftmaxModel, content: bytes) -> Prediction | ImageError:
    try:
        pixels = read_pixels(io.BytesIO(content), model.preprocessing)
    except ImageError as error:
        return ImageError(STDIN, error.reason)
    return Prediction(STDIN, log_softmax(model.logits(pixels[np.newaxis]), axis=1)[0])


def _refusal(failures: Sequence[ImageError]) -> DataError:
    first, more = failures[0], len(failures) - 1
    others = f" ({more} more cannot be read either)" if more else ""
    them = "them" if more else "it"
    return DataError(f"cannot read the image: {first}{others}; --skip-bad goes on without {them}")
