"""A model file → what it contains."""

from __future__ import annotations

import os
from dataclasses import dataclass
from os import PathLike

from softmaxce.model.model_file import load_model_file
from softmaxce.model.model_header import format_version
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.workflows.export import formats_of
from softmaxce.workflows.training_record import TrainingRecord, read_training_record


@dataclass(frozen=True)
class InfoResult:
    """A model and its file: size in bytes, and the SHA-256 of the whole file; export_formats: the
    suffixes of the files as which it can be exported."""

    model_path: str
    model: SoftmaxModel
    format_version: int
    n_bytes: int
    sha256: str
    record: TrainingRecord
    export_formats: tuple[str, ...]


def info(model_path: str | PathLike[str]) -> InfoResult:
    """What the model file contains. Raises ModelError."""
    model, n_bytes, sha256 = load_model_file(model_path)
    return InfoResult(
        os.fspath(model_path),
        model,
        format_version(model),
        n_bytes,
        sha256,
        read_training_record(model.training, model.n_classes),
        formats_of(model),
    )
