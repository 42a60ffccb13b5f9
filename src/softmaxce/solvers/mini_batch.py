"""The mini-batch solver: Adam over shuffled batches, stopped when held-out rows stop gaining."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmaxce.errors import TrainingError

Vector = NDArray[np.float32]

BATCH_ROWS = 256
LEARNING_RATE = 1e-3
PATIENCE = 5  # epochs without a better judgement, after which it stops


class NotFinite(TrainingError):
    """The loss became nan or infinite. `last_finite`: the parameters after the last good epoch."""

    def __init__(self, message: str, last_finite: Vector) -> None:
        super().__init__(message)
        self.last_finite = last_finite


class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1), in place on float32 vectors."""

    def __init__(self, size: int, learning_rate: float = LEARNING_RATE) -> None:
        self.learning_rate = learning_rate
        self.n_steps = 0
        self._mean = np.zeros(size, np.float32)
        self._square = np.zeros(size, np.float32)
        self._scratch = np.empty(size, np.float32)

    def step(self, parameters: Vector, gradient: Vector) -> None:
        """Move the parameters against the gradient. The gradient is overwritten."""
        self.n_steps += 1
        decay_1, decay_2, epsilon = 0.9, 0.999, 1e-8
        np.multiply(gradient, np.float32(1 - decay_1), out=self._scratch)
        self._mean *= np.float32(decay_1)
        self._mean += self._scratch
        np.multiply(gradient, gradient, out=gradient)
        gradient *= np.float32(1 - decay_2)
        self._square *= np.float32(decay_2)
        self._square += gradient
        np.sqrt(self._square, out=gradient)
        correction = (1 - decay_2**self.n_steps) ** 0.5
        gradient += np.float32(epsilon * correction)
        np.divide(self._mean, gradient, out=gradient)
        gradient *= np.float32(self.learning_rate * correction / (1 - decay_1**self.n_steps))
        parameters -= gradient


@dataclass(frozen=True)
class EpochSolution:
    """The parameters of the best epoch, counted from 1, and how the run went."""

    parameters: Vector
    best_epoch: int
    n_epochs: int
    stopped_early: bool
    stop_reason: str
    history: tuple[float, ...]


def minimise_by_epochs(
    loss_and_gradient: Callable[[Vector, NDArray[np.intp]], tuple[float, Vector]],
    start: Vector,
    n_rows: int,
    judge: Callable[[Vector, float], float],
    rng: np.random.Generator,
    *,
    max_epochs: int,
    on_epoch: Callable[[int, float], None] = lambda *_: None,
) -> EpochSolution:
    """Pass over the rows in shuffled batches until the judgement has not improved for PATIENCE
    epochs. judge(parameters, mean training loss) is what the best epoch has least of.

    Raises NotFinite where the loss is nan or infinite.
    """
    parameters, kept = start.copy(), start.copy()
    adam = Adam(len(start))
    best, best_epoch = np.inf, 0
    history: list[float] = []
    for epoch in range(1, max_epochs + 1):
        order = rng.permutation(n_rows)
        losses = 0.0
        for at in range(0, n_rows, BATCH_ROWS):
            batch = order[at : at + BATCH_ROWS]
            loss, gradient = loss_and_gradient(parameters, batch)
            adam.step(parameters, gradient)
            losses += loss * len(batch)
        loss = losses / n_rows
        judgement = judge(parameters, loss)
        if not (np.isfinite(loss) and np.isfinite(judgement)):
            raise NotFinite(_remedy(epoch), kept)
        history.append(loss)
        on_epoch(epoch, loss)
        if judgement < best:
            best, best_epoch, kept = judgement, epoch, parameters.copy()
        if epoch - best_epoch >= PATIENCE:
            reason = (
                f"stopped after {epoch} epochs, {PATIENCE} without gain; epoch {best_epoch} kept"
            )
            return EpochSolution(kept, best_epoch, epoch, True, reason, tuple(history))
    reason = f"stopped after {max_epochs} epochs, still gaining; epoch {best_epoch} kept"
    return EpochSolution(kept, best_epoch, max_epochs, False, reason, tuple(history))


def _remedy(epoch: int) -> str:
    return (
        f"epoch {epoch}: the loss is no longer finite; remove nan or infinite pixels, "
        "scale the pixels to 0 … 1, or raise l2"
    )
