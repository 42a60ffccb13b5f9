"""Training that can be interrupted: what was fitted is kept beside the model until it is saved."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from softmaxce.data.pixel_dataset import Subset
from softmaxce.errors import ClusterLost
from softmaxce.training.journal import Facts, Journal


def checkpoint_path(model_path: str | PathLike[str]) -> Path:
    """Where an interrupted training of this model leaves what it has."""
    path = Path(model_path)
    return path.with_name(f"{path.name}.checkpoint")


def digest_of(subset: Subset) -> str:
    """A short text that differs for other pixels, labels, classes or another order of images."""
    dataset = subset.dataset
    digest = hashlib.blake2b(dataset.digests[subset.rows].tobytes(), digest_size=8)
    digest.update(subset.labels.tobytes())
    digest.update(repr((dataset.class_names, dataset.preprocessing)).encode())
    return f"{subset.n_images} images ({digest.hexdigest()})"


@contextmanager
def kept_on_interrupt(
    model_path: str | PathLike[str], facts: Facts, resume: bool
) -> Iterator[Journal]:
    """The journal of a training; it stays where the block is interrupted, with a note on it.

    An error would come again, or is that of a full disk: then nothing stays, unless it is
    ClusterLost.
    Raises DataError where there is nothing to resume, or what there is is of other `facts`.
    """
    journal = Journal(str(checkpoint_path(model_path)), facts, resume)
    try:
        yield journal
    except ClusterLost as lost:
        if journal.keep():
            raise ClusterLost(
                f"{lost}; what was fitted so far is kept in {journal.path}: repeat the command "
                "with --resume to go on"
            ) from lost
        raise
    except Exception:
        journal.remove()
        raise
    except BaseException as stop:
        if journal.keep():
            stop.add_note(
                f"What was fitted so far is kept in {journal.path}: "
                "repeat the command with --resume to go on."
            )
        else:
            journal.remove()
        raise
    else:
        journal.remove()
    finally:
        journal.close()
