"""The mini-batch solver: Adam over shuffled batches, with early stopping on validation rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from softmaxce.errors import TrainingError
from softmaxce.training.checkpoints import Snapshot
from softmaxce.training.full_batch import StopReason

Vector = NDArray[np.float32]

BATCH_ROWS = 256
LEARNING_RATE = 1e-3
PATIENCE = 5  # epochs without a lower validation loss, after which the solver stops …
_PATIENT_STEPS = 200  # … unless epochs are so short that it has hardly moved
MIN_BATCHES = 16  # of an epoch: few rows are cut into smaller batches


class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1), in place on float32 vectors.

    `mean` and `square` are the paper's moments divided by 1 − β₁ and 1 − β₂, which saves two
    passes over memory at each step.
    """

    def __init__(self, size: int, learning_rate: float = LEARNING_RATE) -> None:
        self.n_steps = 0
        self.learning_rate = learning_rate
        self.mean = np.zeros(size, np.float32)
        self.square = np.zeros(size, np.float32)

    def move(self, parameters: Vector, part: slice, gradient: Vector) -> None:
        """Update a range of the parameters with its gradient, which is overwritten.

        It is a part of step `n_steps`, which the caller counts from 1.
        """
        decay_1, decay_2, epsilon = 0.9, 0.999, 1e-8
        mean, square = self.mean[part], self.square[part]
        mean *= np.float32(decay_1)
        mean += gradient
        gradient *= gradient
        square *= np.float32(decay_2)
        square += gradient
        np.sqrt(square, out=gradient)
        correction = ((1 - decay_2**self.n_steps) / (1 - decay_2)) ** 0.5
        gradient += np.float32(epsilon * correction)
        np.divide(mean, gradient, out=gradient)
        rate = self.learning_rate * correction * (1 - decay_1) / (1 - decay_1**self.n_steps)
        gradient *= np.float32(rate)
        parameters[part] -= gradient


@dataclass(frozen=True)
class EpochSolution:
    """The parameters of the best epoch, counted from 1, and how the run went."""

    parameters: Vector
    best_epoch: int
    stop_reason: StopReason
    history: tuple[float, ...]

    @property
    def message(self) -> str:
        """Why the solver stopped, in words."""
        n, best = len(self.history), self.best_epoch
        return self.stop_reason.value.format(n=n, best=best, without_gain=n - best)


ApplyUpdate = Callable[[slice, Vector], None]
BatchLoss = Callable[[Vector, NDArray[np.intp], ApplyUpdate], float]
"""Called with (parameters, batch, apply_update): returns the batch's mean loss. It calls
apply_update(part, gradient) once for each part of the parameters, when it needs neither the
parameters there nor the gradient any more: both are overwritten."""


def minimise_by_epochs(
    batch_loss: BatchLoss,
    start: Vector,
    n_rows: int,
    validation_loss: Callable[[Vector, float], float],
    rng: np.random.Generator,
    *,
    max_epochs: int,
    learning_rate: float = LEARNING_RATE,
    on_epoch: Callable[[int, float], None] = lambda *_: None,
    snapshot: Snapshot | None = None,
) -> EpochSolution:
    """Pass over the rows in shuffled batches until validation_loss(parameters, mean training loss)
    has not decreased for as many epochs as `batches_of` says. The best epoch has the lowest one.

    snapshot: receives after each epoch all that the next one depends on. If it has stored the state
    of an earlier run, whose `rng` was the same at the start, the solver continues after that epoch.
    Raises TrainingError if the loss is nan or infinite.
    """
    parameters, kept = start.copy(), start.copy()
    adam = Adam(len(start), learning_rate)
    best, best_epoch = np.inf, 0
    history: list[float] = []
    if snapshot is not None and snapshot.stored is not None:
        parameters, kept, adam.mean, adam.square, numbers = snapshot.stored
        best, best_epoch, adam.n_steps = float(numbers[0]), int(numbers[1]), int(numbers[2])
        for epoch, loss in enumerate(numbers[3:].tolist(), 1):
            rng.permutation(n_rows)
            history.append(loss)
            on_epoch(epoch, loss)
    batch_rows, patience = batches_of(n_rows)
    while len(history) < max_epochs and len(history) - best_epoch < patience:
        epoch = len(history) + 1
        loss = _run_epoch(rng.permutation(n_rows), batch_rows, parameters, adam, batch_loss)
        validation = validation_loss(parameters, loss)
        if not (np.isfinite(loss) and np.isfinite(validation)):
            raise TrainingError(
                f"epoch {epoch}: the loss is no longer finite; remove nan or infinite pixels, "
                "scale the pixels to 0 … 1, or raise l2"
            )
        history.append(loss)
        on_epoch(epoch, loss)
        if validation < best:
            best, best_epoch, kept = validation, epoch, parameters.copy()
        if snapshot is not None:
            numbers = np.array([best, best_epoch, adam.n_steps, *history])
            snapshot.save([parameters, kept, adam.mean, adam.square, numbers])
    stopped_early = len(history) - best_epoch >= patience
    reason = StopReason.NO_GAIN if stopped_early else StopReason.EPOCH_LIMIT
    return EpochSolution(kept, best_epoch, reason, tuple(history))


def _run_epoch(
    order: NDArray[np.intp], batch_rows: int, parameters: Vector, adam: Adam, batch_loss: BatchLoss
) -> float:
    """Update the parameters batch by batch, in this order of rows. Returns the mean loss."""
    losses = 0.0
    for start in range(0, len(order), batch_rows):
        batch = order[start : start + batch_rows]
        adam.n_steps += 1
        losses += batch_loss(parameters, batch, partial(adam.move, parameters)) * len(batch)
    return losses / len(order)


def batches_of(n_rows: int) -> tuple[int, int]:
    """(rows of a batch, epochs without gain after which to stop) for n_rows training rows."""
    batch_rows = max(1, min(BATCH_ROWS, n_rows // MIN_BATCHES))
    n_batches = -(-n_rows // batch_rows)
    return batch_rows, max(PATIENCE, -(-_PATIENT_STEPS // n_batches))
