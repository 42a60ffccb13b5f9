"""What a report is about, the same for `train` and for `evaluate`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from softmaxce.metrics.scores import Scores
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.views.evaluate import coverage_lines
from softmaxce.views.info import model_facts
from softmaxce.views.wording import percent
from softmaxce.workflows.evaluate import EvaluateResult
from softmaxce.workflows.scored_subset import ScoredSubset
from softmaxce.workflows.train import TrainResult
from softmaxce.workflows.training_record import TrainingRecord, read_training_record

PART_TITLES = {"train": "training images", "validation": "held-out images", "test": "test images"}


@dataclass(frozen=True, eq=False)
class Subject:
    """A judged model.

    part: what the judged images are called; parts: title → scores of each part of the data, if
    there are several; facts, data_facts: title and value of a line each; promises: what became
    of `--coverage`, in words.
    """

    title: str
    command: str
    model: SoftmaxModel
    training: TrainingRecord
    scored: ScoredSubset
    part: str
    parts: Mapping[str, Scores]
    facts: list[tuple[str, str]]
    data_facts: list[tuple[str, str]]
    promises: list[str]


def of_evaluation(result: EvaluateResult, command: str) -> Subject:
    """The report on an evaluation."""
    facts, coverage = (
        read_training_record(result.model.training, result.model.n_classes),
        result.coverage,
    )
    promises = []
    if coverage is not None:
        asked = f"Asked: sets that hold the true class {percent(coverage.asked)} of the time."
        promises = [asked, *coverage_lines(coverage)]
    return Subject(
        title="How good the model is",
        command=command,
        model=result.model,
        training=facts,
        scored=result.scored,
        part="images",
        parts={},
        facts=[("File", result.model_path), *model_facts(result.model, facts)],
        data_facts=[
            ("Folder", result.folder),
            ("Images", f"{result.scored.scores.n_images:,}"),
            ("Left out", f"{len(result.left_out):,} files"),
        ],
        promises=promises,
    )


def of_training(result: TrainResult, command: str) -> Subject:
    """The report on a training run: its last part is scored in detail."""
    facts = read_training_record(result.model.training, result.model.n_classes)
    part, scored = list(result.scored.items())[-1]
    folders = [
        ("Training folder", result.folders.train),
        ("Held out from", result.validation_folder or f"{result.folders.train}, by --validation"),
        ("Test folder", result.folders.test),
    ]
    counts = [
        (PART_TITLES[name].capitalize(), f"{of_part.scores.n_images:,}")
        for name, of_part in result.scored.items()
    ]
    seconds = result.seconds
    return Subject(
        title="How the model was trained, and how good it is",
        command=command,
        model=result.model,
        training=facts,
        scored=scored,
        part=PART_TITLES[part],
        parts={PART_TITLES[name]: of_part.scores for name, of_part in result.scored.items()},
        facts=[("File", result.model_path), *model_facts(result.model, facts)],
        data_facts=[
            *((title, str(folder)) for title, folder in folders if folder is not None),
            *counts,
            ("Left out", f"{len(result.left_out):,} files"),
            ("Time", f"{seconds['decode']:.1f} s reading, {seconds['fit']:.1f} s fitting"),
        ],
        promises=[],
    )
