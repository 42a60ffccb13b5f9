"""A model and images → the probabilities of each image's classes."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.data.class_folders import list_images
from softmaxce.data.decoded_rows import decode_for_network
from softmaxce.data.decoding import decode_files
from softmaxce.data.path_list import list_option
from softmaxce.errors import DataError, ImageError, first_and_more
from softmaxce.images.decoded import DecodedImages
from softmaxce.metrics.conformal import prediction_sets
from softmaxce.model.model_file import ModelSource
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.numerics import label_index, log_softmax
from softmaxce.workflows.array_rows import read_rows
from softmaxce.workflows.log_probabilities import threshold_for
from softmaxce.workflows.opened_model import opened_model
from softmaxce.workflows.progress import OnProgress, counted, ignore

STDIN = "-"
_BLOCK_ROWS = 1024  # images whose logits are computed at once


@dataclass(frozen=True)
class Prediction:
    """What the model predicts for one image. log_probabilities: (n_classes,)."""

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


@dataclass(frozen=True, eq=False)
class PredictResult:
    """Images and the model that predicts them.

    paths: the images in the order asked for ("-": stdin); files: the decoded image files among
    them, in this order, or rows of features as their pixels; stdin: the outcome for "-"; label: the
    class whose cross-entropy was asked for, None if none was; threshold: the largest cross-entropy
    of a class in a prediction set (∞: every class is in it), None if no sets were asked for.
    """

    model_path: str
    model: SoftmaxModel
    paths: tuple[str, ...]
    files: DecodedImages
    stdin: Prediction | ImageError | None
    label: int | None
    threshold: float | None = None

    @property
    def class_names(self) -> tuple[str, ...]:
        """The model's classes."""
        return self.model.class_names

    @property
    def outcomes(self) -> Iterator[Prediction | ImageError]:
        """A Prediction or ImageError for each image, computed block by block.

        The log-probabilities of many images and classes would not fit into memory together.
        """
        files, model = self.files, self.model
        features = files.features
        slices = [slice(s, s + _BLOCK_ROWS) for s in range(0, len(files.pixels), _BLOCK_ROWS)]
        logits = (
            model.logits(files.pixels[s]) if features is None else model.logits_of(features[s])
            for s in slices
        )
        rows = enumerate(row for block in logits for row in log_softmax(block, axis=1))
        for path in self.paths:
            if path == STDIN and self.stdin is not None:
                yield self.stdin
                continue
            position, row = next(rows)
            yield self.files.failures.get(position) or Prediction(path, row)

    def prediction_set(self, prediction: Prediction) -> tuple[int, ...] | None:
        """The labels in the image's set, the most probable first; None without sets."""
        if self.threshold is None:
            return None
        row = prediction.log_probabilities
        members = np.flatnonzero(prediction_sets(row[np.newaxis], self.threshold)[0])
        return tuple(int(k) for k in sorted(members, key=lambda k: -row[k]))

    @property
    def failures(self) -> tuple[ImageError, ...]:
        """The images that could not be read: files in order, then stdin."""
        failed = tuple(self.files.failures[i] for i in sorted(self.files.failures))
        return (*failed, self.stdin) if isinstance(self.stdin, ImageError) else failed


def predict(
    sources: Sequence[str],
    model: ModelSource,
    *,
    networks: Sequence[str] = (),
    listed: Sequence[str] = (),
    label_name: str | None = None,
    skip_bad: bool = False,
    jobs: int | None = None,
    coverage: float | None = None,
    stdin: bytes = b"",
    on_progress: OnProgress = ignore,
) -> PredictResult:
    """Predict files, folders (all images below them), "-" (the image in `stdin`), or the arrays of
    a single source; then the files `listed`, of which none is a folder.

    networks: see `opened_model`. Raises ModelError, also for `coverage` with a model trained
    without validation images; InputError for a label that the model does not know; DataError, which
    names the first unreadable image, unless `skip_bad`; DataError if no image is readable.
    """
    model, model_path = opened_model(model, networks)
    label = None
    if label_name is not None:
        label = label_index(model.class_choice.name_of(label_name), model.class_names)
    threshold = None if coverage is None else threshold_for(model, model_path, coverage)
    is_alone = len(sources) == 1 and not listed
    if is_alone and (rows := read_rows(sources[0], model.preprocessing)):
        decoded, paths = rows.decoded, [*rows.paths]
    else:
        paths = [*_expand(sources), *listed]
        files = [path for path in paths if path != STDIN]
        listener = counted(on_progress, "Computing features" if model.network else "Reading images")
        decoded = _decoded(files, model, skip_bad, {"jobs": jobs, "on_decoded": listener})
    piped = _predict_stdin(model, stdin) if STDIN in paths else None
    result = PredictResult(model_path, model, tuple(paths), decoded, piped, label, threshold)
    if result.failures and not skip_bad:
        first, *others = result.failures
        failed = f"cannot read the image: {first}"
        if others:
            failed = f"{failed} (and {len(others)} more)"
        if option := list_option(str(first.path), stdin):
            failed = f"{failed}; for a list of paths, use {option}"
        elif len(paths) > 1:
            failed = f"{failed}; --skip-bad skips {'them' if others else 'it'}"
        raise DataError(failed)
    if len(decoded.failures) == len(decoded.pixels) and not isinstance(piped, Prediction):
        failed = first_and_more([str(failure) for failure in result.failures], 2, "; ")
        raise DataError(f"no readable images: {failed}")
    return result


def _decoded(
    paths: Sequence[str], model: SoftmaxModel, skip_bad: bool, how: dict[str, Any]
) -> DecodedImages:
    form = model.preprocessing.images
    if model.network:
        return decode_for_network(paths, form, model.network, skip_bad=skip_bad, **how)
    return decode_files(paths, form, **how)


def _expand(sources: Sequence[str]) -> list[str]:
    paths: list[str] = []
    for source in sources:
        if source != STDIN and os.path.isdir(source):
            found = list_images(source)
            if not found:
                raise DataError(f"no images: {source}: no file in it is named like an image")
            paths += found
        else:
            paths.append(source)
    return paths


def _predict_stdin(model: SoftmaxModel, content: bytes) -> Prediction | ImageError:
    from softmaxce.images.reading import read_pixels  # Pillow is loaded with the first image

    try:
        pixels = read_pixels(io.BytesIO(content), model.preprocessing.images)
    except ImageError as error:
        return ImageError(STDIN, error.reason)
    return Prediction(STDIN, log_softmax(model.logits(pixels[np.newaxis])[0]))
