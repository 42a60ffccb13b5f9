"""What a report is about: the same for `train` and for `evaluate`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from softmaxce.metrics.scores import Scores
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.views.descriptions import coverage_lines, model_details
from softmaxce.views.formatting import percent
from softmaxce.views.score_tables import SPLIT_TITLES
from softmaxce.workflows.evaluate import EvaluateResult
from softmaxce.workflows.scored_subset import ScoredSubset
from softmaxce.workflows.train import TrainResult
from softmaxce.workflows.training_record import TrainingRecord, read_training_record

Details = list[tuple[str, str]]


@dataclass(frozen=True, eq=False)
class Subject:
    """A model and the images that it is scored on.

    split: "train", "validation" or "test", None if unknown; splits: the scores of each split of a
    training run; data_details, model_details: titles and values; coverage_lines: about
    `--coverage`.
    """

    title: str
    command: str
    model: SoftmaxModel
    record: TrainingRecord
    scored: ScoredSubset
    split: str | None
    splits: Mapping[str, Scores]
    data_details: Details
    model_details: Details
    coverage_lines: list[str]

    @property
    def images(self) -> str:
        """What the scored images are called."""
        return f"{SPLIT_TITLES[self.split]} images" if self.split else "images"


def of_evaluation(result: EvaluateResult, command: str) -> Subject:
    """The subject of the report on an evaluation."""
    record = read_training_record(result.model.training, result.model.n_classes)
    coverage = []
    if result.coverage is not None:
        requested = f"Requested coverage: {percent(result.coverage.asked)}."
        coverage = [requested, *coverage_lines(result.coverage)]
    return Subject(
        title="Evaluation of the model",
        command=command,
        model=result.model,
        record=record,
        scored=result.scored,
        split=None,
        splits={},
        data_details=[
            ("Folder", result.folder),
            ("Images", f"{result.scored.scores.n_images:,}"),
            ("Left out", f"{len(result.left_out):,} files"),
        ],
        model_details=[("File", result.model_path), *model_details(result.model, record)],
        coverage_lines=coverage,
    )


def of_training(result: TrainResult, command: str) -> Subject:
    """The subject of the report on a training run: its last split is scored in detail."""
    record = read_training_record(result.model.training, result.model.n_classes)
    split, scored = list(result.scored.items())[-1]
    folders, seconds = result.folders, result.seconds
    sources = {
        "train": folders.train,
        "validation": result.validation_folder or f"held out from {folders.train}",
        "test": folders.test,
    }
    return Subject(
        title="Training and scores of the model",
        command=command,
        model=result.model,
        record=record,
        scored=scored,
        split=split,
        splits={name: of_split.scores for name, of_split in result.scored.items()},
        data_details=[
            *(
                (
                    f"{SPLIT_TITLES[name].capitalize()} set",
                    f"{of_split.scores.n_images:,} images, {sources[name]}",
                )
                for name, of_split in result.scored.items()
            ),
            ("Left out", f"{len(result.left_out):,} files"),
            ("Time", f"{seconds['decode']:.1f} s decoding, {seconds['fit']:.1f} s fitting"),
        ],
        model_details=[("File", result.model_path), *model_details(result.model, record)],
        coverage_lines=[],
    )
