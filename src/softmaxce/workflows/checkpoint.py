"""Training that can be interrupted: a checkpoint beside the model, until the model is saved."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path

from softmaxce.data.pixel_dataset import PixelDataset, Subset
from softmaxce.errors import AlreadyTrained, ClusterLost, InputError, ModelError
from softmaxce.model.model_file import load_model
from softmaxce.training.checkpoints import AnswerLog, Fingerprint, Snapshot
from softmaxce.training.rows import LocalPixels, as_pixel_matrix

# Images × pixels × classes of a linear fit that takes two cores about a minute: 4 operations for
# each in some 25 evaluations, at 28.5e9 operations per second and core (docs/cluster.md).
_LONG_FIT = 3e10
_QUICK = "a linear fit of this size takes seconds"
_RUN_AGAIN = f"Run the command again: {_QUICK}."


def checkpoint_path(model_path: str | PathLike[str]) -> Path:
    """Where an interrupted training of this model leaves its checkpoint."""
    path = Path(model_path)
    return path.with_name(f"{path.name}.checkpoint")


def digest_of(subset: Subset) -> str:
    """A short digest of the pixels, labels, class names, preprocessing and their order."""
    dataset = subset.dataset
    digest = hashlib.blake2b(dataset.digests[subset.rows].tobytes(), digest_size=8)
    digest.update(subset.labels.tobytes())
    digest.update(repr((dataset.class_names, dataset.preprocessing)).encode())
    return f"{subset.n_images} images ({digest.hexdigest()})"


def digest_of_run(fingerprint: Fingerprint) -> str:
    """A short digest of a run's options and data, by which its model is recognised."""
    chosen = [sorted(fingerprint[group].items()) for group in ("the options", "the data")]
    return hashlib.blake2b(json.dumps(chosen).encode(), digest_size=8).hexdigest()


def refuse_finished(model_path: str | PathLike[str], fingerprint: Fingerprint) -> None:
    """Raise AlreadyTrained if the model is the result of this run. Its checkpoint is removed."""
    try:
        run = load_model(model_path).training.get("run")
    except ModelError:
        return
    if run == digest_of_run(fingerprint):
        with suppress(OSError):
            checkpoint_path(model_path).unlink()
        raise AlreadyTrained(
            f"{os.fspath(model_path)} was already trained on these images with these options; for "
            f"its scores: softmaxce evaluate DIR -m {shlex.quote(os.fspath(model_path))}"
        )


@contextmanager
def saving_noted(model_path: str | PathLike[str]) -> Iterator[None]:
    """An interruption says that the model was saved, if it was saved meanwhile."""
    before = _stamp(model_path)
    try:
        yield
    except BaseException as stop:
        if _stamp(model_path) != before:
            stop.add_note(f"The model was saved: {os.fspath(model_path)}.")
        raise


def _stamp(path: str | PathLike[str]) -> tuple[int, int] | None:
    with suppress(OSError):
        status = os.stat(path)
        return status.st_ino, status.st_mtime_ns
    return None


def checkpoint_type(
    images: PixelDataset, hidden: Sequence[int]
) -> type[AnswerLog] | type[Snapshot] | None:
    """The kind of checkpoint of a training; None for a fit that is quicker to run again."""
    if hidden:
        return Snapshot
    is_remote = not isinstance(as_pixel_matrix(images.inputs), LocalPixels)
    work = images.n_images * images.inputs.shape[1] * len(images.class_names)
    return AnswerLog if is_remote or work > _LONG_FIT else None


@contextmanager
def kept_on_interrupt(
    model_path: str | PathLike[str],
    fingerprint: Fingerprint,
    kind: type[AnswerLog] | type[Snapshot] | None,
    resume: bool,
) -> Iterator[AnswerLog | Snapshot | None]:
    """The checkpoint of a training, which is removed at the end.

    It stays, and a note says so, if the training is interrupted or its cluster is lost. Raises
    InputError or DataError if there is nothing to resume, or if the fingerprint is another one.
    """
    path = checkpoint_path(model_path)
    checkpoint = None
    if kind or (resume and path.exists()):
        checkpoint = (kind or AnswerLog)(str(path), fingerprint, resume)
    elif resume:
        raise InputError(
            f"nothing to resume: {_QUICK} and leaves no checkpoint; leave --resume out"
        )
    kept = f"kept in {path}: repeat the command with --resume to continue"
    stays = False
    try:
        yield checkpoint
    except ClusterLost as lost:
        stays = checkpoint is not None and checkpoint.keep()
        if stays:
            raise ClusterLost(f"{lost}; the fit so far is {kept}") from lost
        raise
    except Exception:  # it would only occur again
        stays = checkpoint is None
        raise
    except BaseException as stop:
        stays = checkpoint is None or checkpoint.keep()
        if stays:
            stop.add_note(f"The fit so far is {kept}." if checkpoint else _RUN_AGAIN)
        raise
    finally:
        if checkpoint is not None:
            checkpoint.close()
        if not stays:
            with suppress(OSError):
                path.unlink()
