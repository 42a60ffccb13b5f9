"""From labelled rows of pixels to fitted layers."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from softmaxce.errors import InputError, TrainingError
from softmaxce.training.full_batch import Solution, minimise
from softmaxce.training.gram_reduction import is_reducible, reduce
from softmaxce.training.journal import Journal
from softmaxce.training.line_search import Point, ValueAndGradient
from softmaxce.training.mini_batch import minimise_by_epochs
from softmaxce.training.network import Network
from softmaxce.training.objective import (
    Floats,
    Objective,
    RemotePixels,
    Rows,
    row_threads,
)
from softmaxce.training.preconditioner import Curvature, is_whole_sample, sample_curvature

__all__ = ["Fit", "IterationInfo", "L2Candidate", "Rows", "balanced_sample_weight", "fit"]

DEFAULT_TOLERANCE = 1e-4
WARM_ITERATIONS = 6
PATH_TOLERANCE = 1e-3
PATH_ITERATIONS = 8
MIN_EXPONENT, MAX_EXPONENT = -14, 4  # the path's ends: l2 from 1e-7 to 100, in halves of a decade
DEFAULT_HIDDEN_L2 = 1e-5
DEFAULT_L2 = 1e-3  # where no held-out rows can choose
MIN_VALIDATION_ROWS = 20


@dataclass(frozen=True)
class IterationInfo:
    """Where a fit stands: what it is doing, and how far it has come (0 … 1) as far as it knows."""

    stage: str
    iteration: int
    objective: float
    gradient_norm: float
    progress: float


@dataclass(frozen=True)
class L2Candidate:
    """One value of the path of `l2=None`, judged on the held-out rows (nats per image)."""

    l2: float
    validation_cross_entropy: float
    n_iterations: int
    chosen: bool


@dataclass(frozen=True)
class Fit:
    """Fitted layers and how they were found.

    layers: (weights (n_inputs, n_outputs), biases (n_outputs,)) of each; the first layer's
    weights apply to pixels times the scale given to `fit`.
    """

    layers: tuple[tuple[Floats, Floats], ...]
    l2: float
    objective: float
    gradient_norm: float
    n_iterations: int
    converged: bool
    stop_reason: str
    l2_path: tuple[L2Candidate, ...]
    history: tuple[float, ...]


Listener = Callable[[IterationInfo], None]


def fit(
    pixels: NDArray[Any] | RemotePixels,
    labels: NDArray[np.integer[Any]],
    n_classes: int,
    *,
    rows: NDArray[np.integer[Any]] | None = None,
    validation: Rows | None = None,
    scale: float = 1 / 255,
    l2: float | None = None,
    hidden: Sequence[int] = (),
    sample_weight: Floats | None = None,
    tolerance: float = DEFAULT_TOLERANCE,
    max_iterations: int = 200,
    seed: int = 0,
    n_threads: int | None = None,
    on_iteration: Listener | None = None,
    journal: Journal | None = None,
) -> Fit:
    """Fit softmax regression to labelled rows of pixels.

    pixels: (n, n_pixels) uint8, float32 or float64, never copied whole; they may be remote, unless
    there are hidden layers; labels: (n,) integers 0 … n_classes − 1; rows: which rows to train on,
    ascending (all if None); sample_weight: one weight for each training row, not negative. l2 is
    the constant of the penalty (l2/2)·‖W‖²; None chooses it by the cross-entropy of `validation`.
    With a `journal` the fit can be interrupted and taken up again. Raises InputError for arguments
    that do not fit and TrainingError for numbers that are not finite.
    """
    training = Rows(pixels, labels, rows)
    if is_reducible(training) or is_whole_sample(training):  # the solver works on the rows proper
        training = training.here()
    _check(training, sample_weight)
    settings = _Settings(tolerance, max_iterations, seed, on_iteration, journal)
    with row_threads(n_threads or _useful_threads()) as run_tasks:
        if hidden:
            l2 = DEFAULT_HIDDEN_L2 if l2 is None else l2
            widths = tuple(hidden)
            network = Network(training, n_classes, widths, l2, scale, sample_weight, run_tasks)
            return _fit_network(network, validation, settings)
        objective = Objective(
            training, n_classes, l2 or 0.0, scale, sample_weight, run_tasks=run_tasks
        )
        return _fit_linear(objective, l2, validation, settings)


def _useful_threads() -> int:
    """The cores this process may use, but no more than keep one memory bus busy."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return min(cores, 8)


def _check(training: Rows, sample_weight: Floats | None) -> None:
    n = len(training)
    if not n:
        raise TrainingError("there are no rows to train on")
    if sample_weight is None:
        return
    if sample_weight.shape != (n,):
        raise InputError(f"sample_weight must hold one weight for each of the {n} training rows")
    if not (np.isfinite(sample_weight).all() and sample_weight.min() >= 0 < sample_weight.sum()):
        raise InputError("sample_weight must be finite and not negative, and not zero everywhere")


@dataclass(frozen=True)
class _Settings:
    tolerance: float
    max_iterations: int
    seed: int
    on_iteration: Listener | None
    journal: Journal | None

    def recorded(self, function: ValueAndGradient) -> ValueAndGradient:
        return self.journal.recorded(function) if self.journal else function


def _fit_linear(
    objective: Objective, l2: float | None, validation: Rows | None, settings: _Settings
) -> Fit:
    reduced = reduce(objective)
    problem = reduced.objective if reduced else objective
    lift = reduced.lift if reduced else np.asarray

    def held_out(parameters: Floats) -> float:
        assert validation is not None
        judged = replace(objective, rows=validation, l2=0.0, row_weights=None)
        return judged(lift(parameters))[0]

    curvature = sample_curvature(problem, settings.seed)
    start = _warm_start(curvature)
    path: tuple[L2Candidate, ...] = ()
    if l2 is None and (validation is None or len(validation) < MIN_VALIDATION_ROWS):
        l2 = DEFAULT_L2
    if l2 is None:
        l2, start, path = _choose_l2(problem, curvature, start, held_out, settings)
    final = replace(problem, l2=l2)
    solution = minimise(
        settings.recorded(final),
        start,
        lambda parameters: curvature.inverse(parameters, final.l2),
        tolerance=settings.tolerance,
        max_iterations=settings.max_iterations,
        noise=final.noise,
        on_iteration=_teller(settings.on_iteration, "fit", settings.tolerance),
    )
    return _as_fit(solution, lift(solution.point.parameters), l2, path)


def _fit_network(network: Network, validation: Rows | None, settings: _Settings) -> Fit:
    rng = np.random.default_rng(settings.seed)

    def validation_loss(parameters: NDArray[np.float32], training_loss: float) -> float:
        return network.cross_entropy(parameters, validation) if validation else training_loss

    def tell(epoch: int, loss: float) -> None:
        if settings.on_iteration:
            progress = epoch / settings.max_iterations
            settings.on_iteration(IterationInfo("epoch", epoch, loss, np.nan, progress))

    solution = minimise_by_epochs(
        network.loss_and_gradient,
        network.start(rng),
        len(network.rows),
        validation_loss,
        rng,
        max_epochs=settings.max_iterations,
        on_epoch=tell,
        state=settings.journal.latest() if settings.journal else None,
        on_state=settings.journal.snapshot if settings.journal else lambda _: None,
    )
    loss, gradient = network.whole(solution.parameters)
    layers = [
        (weights.astype(np.float64), biases.astype(np.float64))
        for weights, biases in network.layers(solution.parameters)
    ]
    penalty = network.l2 / 2 * sum(float(np.vdot(weights, weights)) for weights, _ in layers)
    return Fit(
        layers=tuple(layers),
        l2=network.l2,
        objective=loss + penalty,
        gradient_norm=float(np.linalg.norm(gradient)),
        n_iterations=solution.n_epochs,
        converged=solution.stopped_early,
        stop_reason=solution.stop_reason,
        l2_path=(),
        history=solution.history,
    )


def _warm_start(curvature: Curvature) -> Floats:
    """Parameters after a few cheap iterations on the sampled rows alone.

    So few rows need more penalty than all of them, or their own peculiarities are learnt.
    """
    sample = curvature.sample
    l2 = max(sample.l2, 10 / sample.total_weight)
    return minimise(
        replace(sample, l2=l2),
        np.zeros(sample.shape),
        lambda parameters: curvature.inverse(parameters, l2),
        tolerance=1e-2,
        max_iterations=WARM_ITERATIONS,
        noise=sample.noise,
    ).point.parameters


def _choose_l2(
    objective: Objective,
    curvature: Curvature,
    start: Floats,
    held_out: Callable[[Floats], float],
    settings: _Settings,
) -> tuple[float, Floats, tuple[L2Candidate, ...]]:
    """The l2 with the smallest held-out cross-entropy on a path, and its parameters.

    The path walks in steps of √10 from 10/n_images, first to smaller values and, if the first of
    these is no better, to larger ones, until the cross-entropy rises. Each fit starts where the
    best so far ended, and all use one inverse Hessian.
    """
    middle = round(2 * np.log10(10 / len(objective.rows)))
    inverse = curvature.inverse(start, 10 ** (middle / 2))
    found: dict[int, tuple[L2Candidate, Floats]] = {}

    def loss_at(exponent: int, start: Floats) -> float:
        l2 = 10 ** (exponent / 2)
        solution = minimise(
            settings.recorded(replace(objective, l2=l2)),
            start,
            lambda _: inverse,
            tolerance=PATH_TOLERANCE,
            max_iterations=PATH_ITERATIONS,
            noise=objective.noise,
            on_iteration=_teller(settings.on_iteration, f"l2 {l2:.2g}", PATH_TOLERANCE),
        )
        parameters = solution.point.parameters
        loss = held_out(parameters)
        found[exponent] = L2Candidate(l2, loss, solution.n_iterations, False), parameters
        return loss

    best, smallest = middle, loss_at(middle, start)
    for direction in (-1, 1):
        while MIN_EXPONENT <= best + direction <= MAX_EXPONENT:
            loss = loss_at(best + direction, found[best][1])
            if loss >= smallest:
                break
            best, smallest = best + direction, loss
        if best != middle:
            break
    path = tuple(replace(found[e][0], chosen=e == best) for e in sorted(found, reverse=True))
    return found[best][0].l2, found[best][1], path


def _teller(
    on_iteration: Listener | None, stage: str, tolerance: float
) -> Callable[[int, Point, float], None]:
    """What the solver calls: progress is how far the logarithm of the estimated gap has come."""
    first: list[float] = []

    def tell(iteration: int, point: Point, gap: float) -> None:
        if on_iteration is None:
            return
        relative = max(gap / point.value, 1e-300) if point.value else 1e-300
        first.append(relative)
        whole = np.log(first[0]) - np.log(tolerance)
        come = np.log(first[0]) - np.log(relative)
        progress = 1.0 if whole <= 0 else float(np.clip(come / whole, 0, 1))
        info = IterationInfo(stage, iteration, point.value, point.gradient_norm, progress)
        on_iteration(info)

    return tell


def _as_fit(
    solution: Solution, parameters: Floats, l2: float, path: tuple[L2Candidate, ...]
) -> Fit:
    point = solution.point
    return Fit(
        layers=((parameters[:-1], parameters[-1]),),
        l2=l2,
        objective=point.value,
        gradient_norm=point.gradient_norm,
        n_iterations=solution.n_iterations,
        converged=solution.converged,
        stop_reason=solution.stop_reason,
        l2_path=path,
        history=solution.history,
    )


def balanced_sample_weight(labels: ArrayLike, n_classes: int) -> Floats:
    """Weights n / (n_classes · count of the label's class): scikit-learn's 'balanced'.

    labels: (n,) integers. Classes without rows do not count in n_classes.
    """
    class_of = np.asarray(labels)
    counts = np.bincount(class_of, minlength=n_classes)
    weights: Floats = len(class_of) / (np.count_nonzero(counts) * np.maximum(counts, 1.0))
    return np.take(weights, class_of)
