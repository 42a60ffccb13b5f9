"""Two models and class folders → how far apart the models are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from os import PathLike

import numpy as np

from softmaxce.data.pixel_dataset import load_for_model
from softmaxce.errors import DataError
from softmaxce.metrics.comparison import Comparison
from softmaxce.metrics.comparison import compare as compare_scores
from softmaxce.model.model_file import load_model
from softmaxce.workflows.progress import OnProgress, counted, ignore
from softmaxce.workflows.scored_subset import ScoredSubset, score_subset


@dataclass(frozen=True, eq=False)
class Contender:
    """One of the models, and what it says of the images."""

    model_path: str
    class_names: tuple[str, ...]
    scored: ScoredSubset


@dataclass(frozen=True, eq=False)
class CompareResult:
    """Two models on the same images in the same order."""

    folder: str
    a: Contender
    b: Contender

    @property
    def left_out(self) -> tuple[str, ...]:
        """A line for each file that was not judged."""
        return self.a.scored.images.left_out

    @cached_property
    def comparison(self) -> Comparison:
        """How far apart they are."""
        a, b = self.a, self.b
        answers_a = np.array(a.class_names)[a.scored.scores.predicted]
        answers_b = np.array(b.class_names)[b.scored.scores.predicted]
        return compare_scores(a.scored.scores, b.scored.scores, answers_a != answers_b)


def compare(
    folder: str | PathLike[str],
    model_path_a: str | PathLike[str],
    model_path_b: str | PathLike[str],
    *,
    skip_bad: bool = False,
    jobs: int | None = None,
    on_progress: OnProgress = ignore,
) -> CompareResult:
    """Judge both models on the class folders in `folder`, matched by name.

    Raises ModelError and DataError (also for a folder whose class one of them does not know).
    """
    contenders = []
    for number, model_path in enumerate((model_path_a, model_path_b), 1):
        model = load_model(model_path)
        images = load_for_model(
            folder,
            model.class_names,
            model.preprocessing,
            skip_bad=skip_bad,
            jobs=jobs,
            on_decoded=counted(on_progress, f"Reading images for model {number}"),
        )
        contenders.append(
            Contender(str(model_path), model.class_names, score_subset(model, images))
        )
    a, b = contenders
    if a.scored.images.paths != b.scored.images.paths:
        raise DataError(f"cannot compare: {folder}: its images changed during the work")
    return CompareResult(str(folder), a, b)
