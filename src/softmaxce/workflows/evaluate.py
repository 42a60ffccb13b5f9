"""A model and class folders → its scores."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike

from softmaxce.dataset import load_for_model
from softmaxce.metrics import Scores, score
from softmaxce.model_file import load_model
from softmaxce.numerics import log_softmax
from softmaxce.workflows.progress import OnProgress, counted, ignore


@dataclass(frozen=True)
class EvaluateResult:
    """How the model does on the images of a folder; left_out names the files not judged."""

    model_path: str
    folder: str
    class_names: tuple[str, ...]
    scores: Scores
    left_out: tuple[str, ...]


def evaluate(
    folder: str | PathLike[str],
    model_path: str | PathLike[str],
    *,
    skip_bad: bool = False,
    jobs: int | None = None,
    on_progress: OnProgress = ignore,
) -> EvaluateResult:
    """Judge the model on the class folders in `folder`, matched by name.

    Raises ModelError, DataError (also for a folder whose class the model does not know).
    """
    model = load_model(model_path)
    images = load_for_model(
        folder,
        model.class_names,
        model.preprocessing,
        skip_bad=skip_bad,
        jobs=jobs,
        on_decoded=counted(on_progress, "Reading images"),
    )
    log_probabilities = log_softmax(model.logits(images.pixels), axis=1)
    return EvaluateResult(
        model_path=str(model_path),
        folder=str(folder),
        class_names=model.class_names,
        scores=score(log_probabilities, images.labels),
        left_out=images.left_out,
    )
