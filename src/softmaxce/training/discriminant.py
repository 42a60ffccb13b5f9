"""Where a fit with many classes starts: linear discriminant analysis, with a penalty.

If the images of every class had the same normal distribution around the mean of their class, the
optimum would be known (Hastie, Tibshirani and Friedman 2009, section 4.3): with the class means M
(one column each, about the overall mean), the covariance S within the classes and the classes'
shares π,

    W = S⁻¹ M        b = log π − ½ diag(Mᵀ S⁻¹ M)

Here W = slope · (S + ridge)⁻¹ M, since the penalty shrinks W and few images make M uncertain. Ridge
and slope are chosen by the objective on some rows. Even where the classes are not normal at all,
this is closer to the optimum than a fit to a sample, which overfits as soon as there are more
parameters than sampled rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from softmaxce.training.objective import Floats, Objective
from softmaxce.training.preconditioner import HessianPreconditioner, sample_preconditioner
from softmaxce.training.rows import Rows
from softmaxce.training.stages import Settings, Start, inverse_hessian, solve

_FIRST_LOGITS = 0.4  # the first Hessian is computed for the logits times this
_APPROACH_L2 = 20  # divided by the total weight: smaller penalties are approached by decades
_MIN_APPROACHED_L2 = 1e-8  # the last decade; smaller penalties, and 0, follow in one step
_SEARCH_ROWS = 2000  # sampled rows on which the ridge and the slope are chosen
_MAX_MOVES = 24
_LEAST_GAIN = 5e-3  # relative, by one move


def start_of_many(target: Objective, settings: Settings) -> Start:
    """The preconditioner for many classes, the first parameters and the inverse Hessian there.

    A small penalty is approached by rough fits with larger penalties, each a tenth of the one
    before. A single step would go too far: where the probabilities are nearly 0 or 1, the curvature
    is too small to lead back. For the same reason the Hessian is computed for smaller logits.
    """
    preconditioner, sample = sample_preconditioner(target, settings.seed, settings.tail_factor)
    penalties = larger_penalties(target)
    first = replace(target, l2=penalties[0]) if penalties else target
    start = _discriminant_start(first, preconditioner, sample)
    inverse = preconditioner.at(_FIRST_LOGITS * start, first.l2)
    rough = replace(settings, tolerance=0.1, max_iterations=4)
    for l2 in penalties:
        stage = f"l2 {l2 * settings.l2_unit / settings.inner_l2_unit:.2g}"
        at = inverse_hessian(preconditioner, l2)
        solution = solve(replace(target, l2=l2), start, at, stage, rough, inverse=inverse)
        start, inverse = solution.point.parameters, solution.inverse
    return Start(preconditioner, start, inverse)


def larger_penalties(target: Objective) -> list[float]:
    """The values of l2 through which a small penalty is approached, from the largest."""
    last = max(target.l2, _MIN_APPROACHED_L2)
    decades = int(np.log10(max(_APPROACH_L2 / target.total_weight / last, 1.0)))
    return [last * 10.0**exponent for exponent in range(decades, 0, -1)]


def _discriminant_start(
    objective: Objective, preconditioner: HessianPreconditioner, sample: Objective
) -> Floats:
    """Parameters (n_pixels + 1, n_classes), whose sum over the classes is 0. Needs one pass.

    sample: the objective on the preconditioner's rows.
    """
    centre, basis = preconditioner.centre.astype(np.float64), preconditioner.basis
    means, shares = _class_means(objective, centre)
    means = means if basis is None else basis.T.astype(np.float64) @ means
    assert preconditioner.within is not None  # there are many classes
    eigenvalues, vectors = preconditioner.within
    rotated = vectors.T @ means

    def parameters(ridge: float, slope: float) -> Floats:
        """(r + 1, n_classes), for coordinates in the basis about the centre."""
        scaled = slope * rotated / (eigenvalues[:, np.newaxis] + ridge)
        biases = np.log(shares) - 0.5 * (rotated * scaled).sum(axis=0)
        return np.vstack([vectors @ scaled, biases])

    few = slice(None, None, max(len(sample.rows) // _SEARCH_ROWS, 1))
    values = preconditioner.values[few]
    weights = None if sample.row_weights is None else sample.row_weights[few]
    rows = Rows(values, sample.rows.labels[sample.rows.positions(few)])
    problem = replace(sample, rows=rows, l2=objective.l2, scale=1.0, row_weights=weights)
    found = _search(problem, parameters)
    weights_of_pixels = found[:-1] if basis is None else basis @ found[:-1]
    start = np.vstack([weights_of_pixels, found[-1] - centre @ weights_of_pixels])
    return np.asarray(start - start.mean(axis=1, keepdims=True))


def _class_means(objective: Objective, centre: Floats) -> tuple[Floats, Floats]:
    """The mean of each class's scaled pixels minus the centre, (n_pixels, n_classes), and each
    class's share of the weight, (n_classes,). Both follow from the gradient at parameters of 0.

    There p = 1/n_classes, so the gradient is (overall mean)/n_classes − share · (class mean) for
    the weights, and 1/n_classes − share for the biases. The centre, which is the mean of the
    sample, replaces the overall mean: with classes of equal size, this shifts all means equally.
    """
    gradient = objective(np.zeros(objective.shape))[1]
    shares, least = 1 / objective.n_classes - gradient[-1], 0.1 / len(objective.rows)
    moved = np.outer(centre, gradient[-1]) - gradient[:-1]
    shares, is_there = np.maximum(shares, least), shares > least
    return moved / shares * is_there, shares


def _search(problem: Objective, parameters: Callable[[float, float], Floats]) -> Floats:
    """parameters(ridge, slope) with a small objective, found by moving between neighbours on a grid
    of ridges (in half decades) and slopes (in half octaves)."""
    known: dict[tuple[int, int], float] = {}

    def at(place: tuple[int, int]) -> Floats:
        # The curvature of a class is at most its share, about 1/n_classes, times the covariance.
        base = problem.l2 * problem.n_classes
        return parameters(base * 10.0 ** (place[0] / 2) + 1e-12, 2.0 ** (-place[1] / 2))

    def value(place: tuple[int, int]) -> float:
        if place not in known:
            known[place] = problem(at(place))[0]
        return known[place]

    place = (1, 1)
    for _ in range(_MAX_MOVES):
        i, j = place
        best = min([(i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)], key=value)
        if not value(best) < (1 - _LEAST_GAIN) * value(place):
            break
        place = best
    return at(place)
