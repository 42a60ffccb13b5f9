"""A model file → what it is."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from softmaxce.model.model_file import FORMAT_VERSION, load_model
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.workflows.training_record import TrainingRecord, read_training_record


@dataclass(frozen=True)
class InfoResult:
    """A model and its file: size in bytes, and the SHA-256 of the whole file."""

    model_path: str
    model: SoftmaxModel
    format_version: int
    n_bytes: int
    sha256: str
    facts: TrainingRecord


def info(model_path: str | PathLike[str]) -> InfoResult:
    """What the model file holds. Raises ModelError."""
    model = load_model(model_path)
    content = Path(model_path).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return InfoResult(
        os.fspath(model_path),
        model,
        FORMAT_VERSION,
        len(content),
        digest,
        read_training_record(model.training, model.n_classes),
    )
