"""The mini-batch solver: Adam over shuffled batches, stopped when held-out rows stop gaining."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.errors import TrainingError

Vector = NDArray[np.float32]
State = Sequence[NDArray[Any]]  # parameters, best ones, Adam's two, best/epoch/steps, history

BATCH_ROWS = 256
LEARNING_RATE = 1e-3
PATIENCE = 5  # epochs without a better judgement, after which it stops …
_PATIENT_STEPS = 200  # … unless so few rows make so short epochs that it has hardly moved
_MIN_BATCHES = 16  # of an epoch: few rows are cut into smaller batches


class NotFinite(TrainingError):
    """The loss became nan or infinite. `last_finite`: the parameters after the last good epoch."""

    def __init__(self, message: str, last_finite: Vector) -> None:
        super().__init__(message)
        self.last_finite = last_finite


class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1), in place on float32 vectors.

    `mean` and `square` are the paper's moments divided by 1 − β₁ and 1 − β₂, which saves two
    passes over memory a step.
    """

    def __init__(self, size: int, learning_rate: float = LEARNING_RATE) -> None:
        self.learning_rate = learning_rate
        self.n_steps = 0
        self.mean = np.zeros(size, np.float32)
        self.square = np.zeros(size, np.float32)

    def begin_step(self) -> None:
        """The gradients to come belong to the next step."""
        self.n_steps += 1

    def move(self, parameters: Vector, part: slice, gradient: Vector) -> None:
        """Move this part of the parameters against its gradient, which is overwritten."""
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
    n_epochs: int
    stopped_early: bool
    stop_reason: str
    history: tuple[float, ...]


Use = Callable[[slice, Vector], None]
LossAndGradient = Callable[[Vector, NDArray[np.intp], Use], tuple[float, Vector]]
"""Called with (parameters, batch, use): the batch's loss and gradient. It calls use(part, gradient)
for each part of the parameters once, when it needs the parameters there no more."""


def minimise_by_epochs(
    loss_and_gradient: LossAndGradient,
    start: Vector,
    n_rows: int,
    validation_loss: Callable[[Vector, float], float],
    rng: np.random.Generator,
    *,
    max_epochs: int,
    on_epoch: Callable[[int, float], None] = lambda *_: None,
    state: State | None = None,
    on_state: Callable[[State], None] = lambda _: None,
) -> EpochSolution:
    """Pass over the rows in shuffled batches until validation_loss(parameters, mean training loss)
    has not improved for as many epochs as `batches_of` says; the best epoch has the lowest.

    on_state hears after each epoch of all that the next one depends on; given such a `state`, and
    an `rng` as it was at the start, the solver goes on behind that epoch. Raises NotFinite where
    the loss is nan or infinite.
    """
    parameters, kept = start.copy(), start.copy()
    adam = Adam(len(start))
    best, best_epoch = np.inf, 0
    history: list[float] = []
    if state is not None:
        parameters, kept, adam.mean, adam.square, counts, losses_so_far = state
        best, best_epoch, adam.n_steps = float(counts[0]), int(counts[1]), int(counts[2])
        for epoch, loss in enumerate(losses_so_far.tolist(), 1):
            rng.permutation(n_rows)
            history.append(loss)
            on_epoch(epoch, loss)
    batch_rows, patient_epochs = batches_of(n_rows)
    while len(history) < max_epochs and len(history) - best_epoch < patient_epochs:
        epoch = len(history) + 1
        loss = _pass_over(rng.permutation(n_rows), batch_rows, parameters, adam, loss_and_gradient)
        judgement = validation_loss(parameters, loss)
        if not (np.isfinite(loss) and np.isfinite(judgement)):
            raise NotFinite(_remedy(epoch), kept)
        history.append(loss)
        on_epoch(epoch, loss)
        if judgement < best:
            best, best_epoch, kept = judgement, epoch, parameters.copy()
        counts = np.array([best, best_epoch, adam.n_steps], np.float64)
        on_state((parameters, kept, adam.mean, adam.square, counts, np.array(history)))
    return _solution(kept, best_epoch, history, patient_epochs)


def _pass_over(
    order: NDArray[np.intp],
    batch_rows: int,
    parameters: Vector,
    adam: Adam,
    loss_and_gradient: LossAndGradient,
) -> float:
    """Step after step over the rows in this order; their mean loss on the way."""
    losses = 0.0
    for at in range(0, len(order), batch_rows):
        batch = order[at : at + batch_rows]
        adam.begin_step()
        loss, _ = loss_and_gradient(parameters, batch, partial(adam.move, parameters))
        losses += loss * len(batch)
    return losses / len(order)


def batches_of(n_rows: int) -> tuple[int, int]:
    """(rows of a batch, epochs without gain after which to stop) for n_rows training rows."""
    batch_rows = max(1, min(BATCH_ROWS, n_rows // _MIN_BATCHES))
    n_batches = -(-n_rows // batch_rows)
    return batch_rows, max(PATIENCE, -(-_PATIENT_STEPS // n_batches))


def _solution(
    kept: Vector, best_epoch: int, history: list[float], patient_epochs: int
) -> EpochSolution:
    n_epochs = len(history)
    stopped_early = n_epochs - best_epoch >= patient_epochs
    why = f"{patient_epochs} without gain" if stopped_early else "still gaining"
    reason = f"stopped after {n_epochs} epochs, {why}; epoch {best_epoch} kept"
    return EpochSolution(kept, best_epoch, n_epochs, stopped_early, reason, tuple(history))


def _remedy(epoch: int) -> str:
    return (
        f"epoch {epoch}: the loss is no longer finite; remove nan or infinite pixels, "
        "scale the pixels to 0 … 1, or raise l2"
    )
