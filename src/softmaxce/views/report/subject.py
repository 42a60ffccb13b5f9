"""What a report is about: the same for `train` and for `evaluate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from softmaxce.metrics.scores import Scores
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.views.descriptions import time_line
from softmaxce.views.formatting import counted
from softmaxce.views.report.markup import data
from softmaxce.views.score_tables import SPLIT_TITLES
from softmaxce.workflows import assessment
from softmaxce.workflows.assessment import Assessment
from softmaxce.workflows.cross_validation import CrossValidation
from softmaxce.workflows.evaluate import Coverage, EvaluateResult
from softmaxce.workflows.groups import Grouping
from softmaxce.workflows.scored_subset import ScoredSubset
from softmaxce.workflows.train import TrainResult
from softmaxce.workflows.training_record import TrainingRecord, read_training_record


@dataclass(frozen=True, eq=False)
class Subject:
    """A model and the images that it is scored on.

    found: what the scores mean; data_details: titles and values; splits: the scores of each split
    of a training run, whose last one is scored in detail.
    """

    command: str
    model: SoftmaxModel
    model_path: str
    scored: ScoredSubset
    found: Assessment
    data_details: Sequence[tuple[str, str]]
    splits: Mapping[str, Scores] = field(default_factory=dict)
    coverage: Coverage | None = None
    grouping: Grouping | None = None
    cross_validation: CrossValidation | None = None

    @cached_property
    def record(self) -> TrainingRecord:
        """What the model file keeps of the training."""
        return read_training_record(self.model.training, self.model.n_classes)

    @property
    def split(self) -> str | None:
        """The split that is scored: "train", "validation", "cross_validation" or "test";
        None if unknown."""
        return list(self.splits)[-1] if self.splits else None

    @property
    def images(self) -> str:
        """What the scored images are called."""
        return f"{SPLIT_TITLES[self.split]} images" if self.split else "images"


def of_evaluation(result: EvaluateResult, command: str) -> Subject:
    """The subject of the report on an evaluation."""
    details = [
        ("Folder", data(result.folder)),
        ("Images", f"{result.scored.scores.n_images:,}"),
        ("Left out", counted(len(result.left_out), "file")),
    ]
    model, path = result.model, result.model_path
    found = assessment.of_evaluation(result)
    return Subject(
        command,
        model,
        path,
        result.scored,
        found,
        details,
        coverage=result.coverage,
        grouping=result.grouping,
    )


def of_training(result: TrainResult, command: str) -> Subject:
    """The subject of the report on a training run: its last split is scored in detail."""
    taken = dict.fromkeys(SPLIT_TITLES, f"taken from {result.folders['train']}")
    sources = {**taken, **result.folders}
    splits = {split: scored.scores for split, scored in result.scored.items()}
    details = [
        (
            f"{SPLIT_TITLES[split].capitalize()} set",
            f"{counted(s.n_images, 'image')}, {sources[split]}",
        )
        for split, s in splits.items()
    ]
    left_out = counted(len(result.left_out), "file")
    details += [("Left out", left_out), ("Time", time_line(result.seconds))]
    model, path, scored = result.model, result.model_path, list(result.scored.values())[-1]
    found = assessment.of_training(result)
    grouped = None, result.grouping, result.cross_validation
    return Subject(command, model, path, scored, found, details, splits, *grouped)
