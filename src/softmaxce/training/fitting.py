"""From labelled rows of pixels to fitted layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmaxce.errors import InputError, TrainingError
from softmaxce.layers import Layer
from softmaxce.row_threads import row_threads
from softmaxce.training.checkpoints import AnswerLog, Snapshot
from softmaxce.training.discriminant import larger_penalties, start_of_many
from softmaxce.training.fit_progress import IterationInfo, OnIteration
from softmaxce.training.full_batch import Solution, StopReason
from softmaxce.training.gram_reduction import is_reducible, reduce
from softmaxce.training.mini_batch import minimise_by_epochs
from softmaxce.training.network import Network
from softmaxce.training.objective import Floats, Objective
from softmaxce.training.preconditioner import MAX_APART, n_sampled, sample_preconditioner
from softmaxce.training.rows import LocalPixels, PixelMatrix, Rows
from softmaxce.training.sample_weights import check_sample_weight
from softmaxce.training.spread import spread_of
from softmaxce.training.stages import Settings, Start, inverse_hessian, solve

DEFAULT_TOLERANCE = 1e-4
WARM_ITERATIONS = 6
WARM_L2 = 100  # / the sample's total weight: a penalty that does not overfit the sample
PATH_TOLERANCE = 1e-3
PATH_ITERATIONS = 8
MIN_VALIDATION_ROWS = 20

# Values of l2 for pixels whose typical deviation, see `Spread`, is 1.
MIN_EXPONENT, MAX_EXPONENT = -12, 6  # ends of the path: from 1e-6 to 1,000, in half decades
DEFAULT_L2 = 3e-3  # if there are no validation rows to choose by
DEFAULT_HIDDEN_L2 = 1e-5  # for standardized pixels
MAX_L2 = 1e30  # a larger one, which float32 cannot hold, has the same optimum: weights of 0


class L2Candidate(NamedTuple):
    """One value on the path of `l2=None`, evaluated on the validation and on the training rows
    (nats per image)."""

    l2: float
    validation_cross_entropy: float
    training_cross_entropy: float


@dataclass(frozen=True)
class Fit:
    """Fitted layers and how they were found.

    layers: float64; the first layer's weights apply to pixels times the scale given to `fit`;
    l2: see `fit`; objective: in nats; gradient_norm: for the pixels that it uses; history: the
    objective at each iteration, or of a network the mean training loss of each epoch.
    """

    layers: tuple[Layer, ...]
    l2: float
    objective: float
    gradient_norm: float
    n_iterations: int
    stop_reason: StopReason
    stop_message: str
    l2_path: tuple[L2Candidate, ...]
    history: tuple[float, ...]

    @property
    def converged(self) -> bool:
        """Whether the solver finished, rather than reaching a limit or getting stuck."""
        return self.stop_reason in (StopReason.CONVERGED, StopReason.NO_GAIN)


def fit(
    pixels: NDArray[Any] | PixelMatrix,
    labels: NDArray[np.integer[Any]],
    n_classes: int,
    *,
    rows: NDArray[np.integer[Any]] | None = None,
    sample_weight: Floats | None = None,
    validation: Rows | None = None,
    validation_weight: Floats | None = None,
    scale: float = 1 / 255,
    l2: float | None = None,
    hidden: Sequence[int] = (),
    tolerance: float = DEFAULT_TOLERANCE,
    max_iterations: int = 200,
    seed: int = 0,
    n_threads: int | None = None,
    on_iteration: OnIteration = lambda _: None,
    checkpoint: AnswerLog | Snapshot | None = None,
    tail_factor: float = 1.0,
    refit: tuple[Rows, Floats | None] | None = None,
    first_l2: float | None = None,
) -> Fit:
    """Fit softmax regression, or a network of hidden layers, to labelled rows of pixels.

    pixels: (n, n_pixels) uint8, float32 or float64, never copied whole; without hidden layers they
    may be remote; labels: (n,) integers 0 … n_classes − 1; rows: which rows to train on (all if
    None), ascending if there are no hidden layers; sample_weight and validation_weight: one weight
    for each training and validation row, not negative; rows of weight 0 are left out; l2: constant
    of the penalty (l2/2)·‖W‖², where W applies to pixels times `scale`, or with hidden layers to
    standardized pixels; None: by the cross-entropy of `validation`; hidden: widths of hidden
    layers; checkpoint: a Snapshot if there are hidden layers, else an AnswerLog; tail_factor: see
    `sample_preconditioner`. Without hidden layers, refit: rows and weights of the last fit, once l2
    is chosen (None: the training rows); first_l2: where the search starts. Raises InputError for
    invalid arguments and TrainingError for numbers that are not finite.
    """
    training, weights = _training_rows(Rows(pixels, labels, rows), sample_weight, hidden)
    with row_threads(n_threads) as run_tasks:  # before the spread, or BLAS's threads spin
        spread = spread_of(training, weights)
        units = (spread.typical * scale) ** 2, (spread.typical / spread.overall) ** 2
        settings = Settings(tolerance, max_iterations, seed, *units, on_iteration, checkpoint)
        settings = replace(settings, tail_factor=tail_factor, first_l2=(first_l2 or 0.0) / units[0])
        objective = Objective(training, n_classes, 0.0, 1 / spread.overall, weights, run_tasks)
        evaluated = _on_rows(objective, (validation, validation_weight))
        if hidden:
            problem = replace(objective, l2=DEFAULT_HIDDEN_L2 if l2 is None else l2)
            found = _fit_network(Network(problem, tuple(hidden), spread), evaluated, settings)
        else:
            final = _on_rows(objective, refit or (None, None)) or objective
            found = _fit_linear(objective, l2, evaluated, settings, final)
    return _for_scaled_pixels(found, scale)


def _for_scaled_pixels(found: Fit, scale: float) -> Fit:
    """The fit with a first layer for pixels that are multiplied by `scale`."""
    first, *others = found.layers
    return replace(found, layers=(Layer(first.weights / scale, first.biases), *others))


def _weighted(rows: Rows, row_weights: Floats | None) -> tuple[Rows, Floats | None]:
    """The rows whose weight is not 0, and their weights. Raises InputError."""
    if row_weights is None:
        return rows, None
    check_sample_weight(row_weights, len(rows))
    if row_weights.all():
        return rows, row_weights
    kept = np.flatnonzero(row_weights)
    return replace(rows, index=rows.positions(kept)), row_weights[kept]


def _on_rows(objective: Objective, others: tuple[Rows | None, Floats | None]) -> Objective | None:
    """The objective on other rows and weights, if there are any."""
    if others[0] is None or not len(others[0]):
        return None
    rows, row_weights = _weighted(others[0], others[1])
    return replace(objective, rows=rows, row_weights=row_weights)


def _training_rows(
    given: Rows, sample_weight: Floats | None, hidden: Sequence[int]
) -> tuple[Rows, Floats | None]:
    """The rows to train on, and their weights. Raises InputError or TrainingError."""
    training, weights = _weighted(given, sample_weight)
    if not len(training):
        raise TrainingError("there are no rows to train on")
    if hidden and not isinstance(training.matrix, LocalPixels):
        raise InputError(
            "--hidden layers cannot be trained with --dask: they learn from mini-batches, which "
            "would all have to be fetched; leave one of the two out"
        )
    if is_reducible(training) or n_sampled(training) == len(training):
        # So few rows are all used on this machine.
        training = replace(training, pixels=training.pixels[:])
    return training, weights


def _fit_linear(
    objective: Objective,
    l2: float | None,
    evaluated: Objective | None,
    settings: Settings,
    final: Objective,
) -> Fit:
    """The fit to `final`, after l2 is chosen by fits to `objective`, usually the same."""
    reduced, lift = reduce(objective)
    relative = DEFAULT_L2 if l2 is None else l2 / settings.l2_unit

    def penalised(relative: float) -> Objective:
        return replace(reduced, l2=min(relative * settings.inner_l2_unit, MAX_L2))

    def validation_loss(parameters: Floats) -> float:
        assert evaluated is not None  # _choose_l2 is only called with validation rows
        return evaluated(lift(parameters))[0]

    path: tuple[L2Candidate, ...] = ()
    is_searched = l2 is None and len(evaluated.rows if evaluated else ()) >= MIN_VALIDATION_ROWS
    if objective.n_classes > MAX_APART:
        first = 10 ** (_path_start(reduced, settings) / 2) if is_searched else relative
        start = start_of_many(penalised(first), settings)
    else:
        start = _warm_start(penalised(relative), settings)
    if is_searched:
        relative, start, path = _choose_l2(penalised, start, validation_loss, settings)
    path = tuple(c._replace(l2=c.l2 * settings.l2_unit) for c in path)
    is_apart = not path or reduced is not objective or is_reducible(final.rows)
    if final is not objective and is_apart:
        l2 = relative * settings.l2_unit  # the two fits have no parameters in common
        return replace(_fit_linear(final, l2, None, settings, final), l2_path=path)
    problem = penalised(relative)
    if final is not objective:
        problem = replace(final, l2=problem.l2)
    solution = solve(
        problem,
        start.parameters,
        inverse_hessian(start.preconditioner, problem.l2),
        "fit",
        settings,
        inverse=start.inverse,
        is_far=not path and bool(larger_penalties(problem)),
    )
    found = lift(solution.point.parameters)
    layer = Layer(found[:-1] * objective.scale, found[-1])
    l2 = relative * settings.l2_unit if l2 is None else l2
    return _as_fit(solution, (layer,), l2, path)


def _as_fit(
    solution: Solution, layers: tuple[Layer, ...], l2: float, path: tuple[L2Candidate, ...]
) -> Fit:
    return Fit(
        layers=layers,
        l2=l2,
        objective=solution.point.value,
        gradient_norm=solution.point.gradient_norm,
        n_iterations=len(solution.history) - 1,
        stop_reason=solution.stop_reason,
        stop_message=solution.message,
        l2_path=path,
        history=solution.history,
    )


def _fit_network(network: Network, evaluated: Objective | None, settings: Settings) -> Fit:
    rng = np.random.default_rng(settings.seed)
    snapshot = settings.checkpoint
    assert not isinstance(snapshot, AnswerLog)

    def validation_loss(parameters: NDArray[np.float32], training_loss: float) -> float:
        return network.cross_entropy(parameters, evaluated) if evaluated else training_loss

    def notify(epoch: int, loss: float) -> None:
        settings.on_iteration(IterationInfo("epoch", loss, epoch / settings.max_iterations))

    solution = minimise_by_epochs(
        network.batch_loss,
        network.start(rng),
        len(network.problem.rows),
        validation_loss,
        rng,
        max_epochs=settings.max_iterations,
        learning_rate=network.learning_rate,
        on_epoch=notify,
        snapshot=snapshot,
    )
    loss, gradient = network.full_loss_and_gradient(solution.parameters)
    l2, layers = network.problem.l2, network.layers(solution.parameters)
    penalty = l2 / 2 * sum(float(np.vdot(weights, weights)) for weights, _ in layers)
    return Fit(
        layers=network.layers_for_pixels(solution.parameters),
        l2=l2,
        objective=loss + penalty,
        gradient_norm=float(np.linalg.norm(gradient)),
        n_iterations=len(solution.history),
        stop_reason=solution.stop_reason,
        stop_message=solution.message,
        l2_path=(),
        history=solution.history,
    )


def _warm_start(objective: Objective, settings: Settings) -> Start:
    """The preconditioner, and parameters after a few cheap iterations on its rows alone, whose
    pixels need memory only until then.

    The penalty is larger than for all rows, to avoid overfitting to so few.
    """
    preconditioner, sample = sample_preconditioner(objective, settings.seed, settings.tail_factor)
    problem = replace(sample, l2=max(sample.l2, WARM_L2 / sample.total_weight))
    start, few = np.zeros(sample.shape), Settings(1e-2, WARM_ITERATIONS)
    inverse_at = inverse_hessian(preconditioner, problem.l2)
    found = solve(problem, start, inverse_at, "sample", few)
    return Start(preconditioner, found.point.parameters)


def _path_start(objective: Objective, settings: Settings) -> int:
    """Twice the exponent of 10 of the l2 at which the path starts."""
    usual = (30 if objective.n_classes > MAX_APART else 300) / objective.total_weight
    middle = round(2 * float(np.log10(settings.first_l2 or usual)))
    return min(max(middle, MIN_EXPONENT), MAX_EXPONENT)


def _choose_l2(
    penalised: Callable[[float], Objective],
    start: Start,
    validation_loss: Callable[[Floats], float],
    settings: Settings,
) -> tuple[float, Start, tuple[L2Candidate, ...]]:
    """The l2 on a path with the smallest validation cross-entropy, where its fit ended, the path.

    The path goes in steps of √10 from first_l2, see `_path_start`, first to smaller values and, if
    the first of them is not better, to larger ones, until the cross-entropy rises. Each fit
    starts where the best so far ended, and all use one inverse Hessian. The final fit reuses it
    only if the chosen l2 is at most one step from where the path started: farther away, it would
    stop before the optimum. With many classes it always computes a new one, which is cheap.
    """
    rough = replace(settings, tolerance=PATH_TOLERANCE, max_iterations=PATH_ITERATIONS)
    best = middle = _path_start(penalised(1.0), settings)
    inverse_at = inverse_hessian(start.preconditioner, penalised(10 ** (middle / 2)).l2)
    inverse = start.inverse or inverse_at(start.parameters, 1.0)
    found: dict[int, tuple[L2Candidate, Floats]] = {}

    def loss_at(exponent: int, start: Floats) -> float:
        l2 = 10 ** (exponent / 2)
        stage = f"l2 {l2 * settings.l2_unit:.2g}"
        problem = penalised(l2)
        point = solve(problem, start, inverse_at, stage, rough, inverse=inverse).point
        loss = validation_loss(point.parameters)
        training_loss = point.value - problem.penalty(point.parameters[:-1])
        found[exponent] = L2Candidate(l2, loss, training_loss), point.parameters
        return loss

    smallest = loss_at(middle, start.parameters)
    for direction in (-1, 1):
        while MIN_EXPONENT <= best + direction <= MAX_EXPONENT:
            loss = loss_at(best + direction, found[best][1])
            if loss >= smallest:
                break
            best, smallest = best + direction, loss
        if best != middle:
            break
    path = tuple(found[exponent][0] for exponent in sorted(found, reverse=True))
    best_l2, parameters = found[best][0].l2, found[best][1]
    is_cheap = start.preconditioner.within is not None  # the one that many classes share
    kept = None if is_cheap or abs(best - middle) > 1 else inverse
    return best_l2, Start(start.preconditioner, parameters, kept), path
