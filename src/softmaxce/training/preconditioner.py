"""The preconditioner: an approximate inverse Hessian of the objective, from sampled rows.

The Hessian of the mean cross-entropy has, for class k, the block Σᵢ pᵢₖ(1 − pᵢₖ) x̃ᵢ x̃ᵢᵀ / n,
where x̃ is an image's pixels followed by a 1 for the bias. These blocks are estimated on sampled
rows and inverted; L-BFGS accounts for the coupling between classes. With many classes, one inverse
serves all: block k, about the centre of the weights of class k, is taken to be their sum times the
covariance within the classes, as if the rows near a boundary were as scattered as all others of
their class. So one eigendecomposition solves each, for any parameters. Long pixel vectors are split
in two: the subspace in which the sample varies most is treated this way, and in the rest each
pixel as if it varied on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmaxce.training.objective import (
    Floats,
    Objective,
    check_finite,
    log_probabilities_in_place,
)
from softmaxce.training.rows import Rows, block_rows

Matrix = NDArray[np.floating[Any]]
# Multiplies (r, n_classes) by the inverse; the centres of the classes, (r, n_classes or 1); the
# curvature of their biases, (n_classes or 1,).
_Inverse = tuple[Callable[[Matrix], Matrix], Matrix, Matrix]

_SAMPLE_ROWS = 12_000
_SAMPLE_VALUES = 1 << 28  # pixel values of the sample, which is copied out of the matrix
_FULL_USE_ROWS = 4000  # samples up to this size are used whole for every class
_WHOLE_PIXELS = 256  # pixel vectors up to this length are treated whole
_DIMENSIONS = 640  # of the subspace for longer ones: most of the variation of natural images
_SQUARE_PER_PIXEL = 40  # width² / (n_pixels · rows per sampled row): see `_width`
_TAIL_FACTOR = 8.0  # of the variance outside it: a step too short costs less than one too long
_BASIS_VALUES = 1 << 23  # pixel values of the rows from which the subspace is computed
_BASIS_ROWS = 2000
_KEPT_WEIGHT = 0.95  # each class uses its heaviest rows, up to this fraction of their weight
MAX_APART = 20  # classes; more have one inverse
INVERSE_VALUES = MAX_APART * _DIMENSIONS**2  # at most, in the inverses of all classes together
_DIMENSIONS_SHARED = 1536  # of the subspace, with one inverse
_CLASS_WEIGHT_ROWS = 1024  # sampled rows whose class weights are computed by one task
_DAMPING = 0.02  # of the mean curvature at the start: for directions that the sample lacks


def n_sampled(rows: Rows) -> int:
    """How many of these rows the preconditioner is estimated from."""
    return min(len(rows), _SAMPLE_ROWS, max(_SAMPLE_VALUES // rows.n_pixels, 1))


class WithinClasses(NamedTuple):
    """The covariance of the sampled rows about the means of their classes: eigenvalues (r,) and
    eigenvectors (r, r)."""

    eigenvalues: Matrix
    vectors: Matrix


@dataclass(frozen=True)
class HessianPreconditioner:
    """What the sampled rows say about the Hessian, for any parameters and l2.

    run_tasks: a `map`, over threads; normalized_weights: the m sampled rows' weights, with sum 1;
    centre: (n_pixels,); basis: orthonormal (n_pixels, r), or None for all dimensions; values:
    (m, r) coordinates of the centred and scaled pixels; rest: (n_pixels, 1), each one's variance
    outside the basis; damping: added to the diagonal; within: None unless there are many classes.
    """

    run_tasks: Callable[..., Iterator[Any]]
    normalized_weights: Matrix
    centre: Matrix
    basis: Matrix | None
    values: Matrix
    rest: Matrix
    damping: float
    within: WithinClasses | None = None

    def at(self, parameters: Floats, l2: float) -> Callable[[Floats], Floats]:
        """A function that multiplies a gradient by the inverse Hessian at these parameters.

        It works in the space of parameters whose sum over the classes is 0: adding the same
        numbers to every class changes no probability, so gradients have no other component.
        """
        weights, ridge = self._class_weights(parameters), l2 + self.damping
        inverse = self._shared if len(weights) > MAX_APART else self._apart
        solve, centres, biases = inverse(weights, ridge, not parameters.any())
        centre, basis = self.centre.astype(np.float64), self.basis
        rest = ridge + biases * self.rest  # curvature of each pixel outside the basis

        def multiply(gradient: Floats) -> Floats:
            gradient = gradient - gradient.mean(axis=1, keepdims=True)
            bias = gradient[-1]
            pixels = gradient[:-1] - np.outer(centre, bias)
            inner = pixels if basis is None else basis.T @ pixels.astype(basis.dtype)
            solved = solve((inner - centres * bias).astype(self.values.dtype))
            step = np.empty_like(gradient)
            if basis is None:
                step[:-1] = solved
            else:
                step[:-1] = outer = (pixels - basis @ inner) / rest
                step[:-1] += basis @ (solved - basis.T @ outer.astype(basis.dtype))
            step[-1] = bias / biases - centre @ step[:-1] - (centres * solved).sum(0)
            return np.asarray(step - step.mean(axis=1, keepdims=True))

        return multiply

    def _apart(self, weights: Matrix, ridge: float, is_start: bool) -> _Inverse:
        """The inverses of the blocks of all classes, each from its own weights."""
        values = self.values
        if is_start:  # all classes have the same Hessian
            weights = weights[:1]
            if len(values) > _FULL_USE_ROWS:  # and one Hessian needs fewer rows
                weights, values = weights[:, ::3] * 3, values[::3]
        blocks = self.run_tasks(lambda of: _inverse_block(of, values, ridge), weights)
        of_inverse, centres, biases = zip(*blocks, strict=True)  # one of each class, or of all
        inverses = np.stack(of_inverse)

        def solve(right: Matrix) -> Matrix:
            if len(inverses) == 1:
                return np.asarray(inverses[0] @ right)
            return np.asarray(np.matmul(inverses, right.T[:, :, np.newaxis])[:, :, 0].T)

        return solve, np.stack(centres, axis=1), np.array(biases)

    def _shared(self, weights: Matrix, ridge: float, _: bool) -> _Inverse:
        """The inverses for many classes, all from the covariance within the classes."""
        assert self.within is not None  # there are many classes
        eigenvalues, vectors = self.within
        totals = weights.sum(axis=1) + np.finfo(weights.dtype).tiny
        centres = self._class_sums(weights) / totals
        curvature = np.outer(eigenvalues, totals) + totals.dtype.type(ridge)

        def solve(right: Matrix) -> Matrix:
            return np.asarray(vectors @ (vectors.T @ right / curvature))

        return solve, centres, totals

    def _class_sums(self, weights: Matrix) -> Matrix:
        """Sums of the values, (r, n_classes), with row weights (n_classes, m)."""
        halves = np.array_split(np.arange(len(weights)), 2)  # the same for any number of threads
        sums = self.run_tasks(lambda classes: self.values.T @ weights[classes].T, halves)
        return np.hstack(list(sums))

    def _class_weights(self, parameters: Floats) -> Matrix:
        """p(1 − p) · normalized weight of each class and sampled row: (n_classes, m)."""
        basis = parameters[:-1] if self.basis is None else self.basis.T @ parameters[:-1]
        biases = parameters[-1] + self.centre @ parameters[:-1]
        weights, biases = basis.astype(self.values.dtype), biases.astype(self.values.dtype)
        of_classes = np.empty((weights.shape[1], len(self.values)), self.values.dtype)

        def fill(start: int) -> None:
            rows = slice(start, start + _CLASS_WEIGHT_ROWS)
            logits = self.values[rows] @ weights + biases
            p = log_probabilities_in_place(np.ascontiguousarray(logits.T))
            of_classes[:, rows] = p * (1 - p) * self.normalized_weights[rows]

        for _ in self.run_tasks(fill, range(0, len(self.values), _CLASS_WEIGHT_ROWS)):
            pass
        return of_classes


def _inverse_block(weights: Matrix, values: Matrix, ridge: float) -> tuple[Matrix, Matrix, float]:
    """The inverse (r, r) of a class's Hessian about the centre (r,) of its rows, this centre, and
    the curvature of the class's bias: the sum of the rows' weights (m,).

    If there are many rows, the heaviest that make up _KEPT_WEIGHT of the sum represent all.
    """
    kept: NDArray[np.intp] | slice = slice(None)
    if len(weights) > _FULL_USE_ROWS:
        order = np.argsort(weights)[::-1]
        running = np.cumsum(weights[order])
        kept = np.sort(order[: int(np.searchsorted(running, _KEPT_WEIGHT * running[-1])) + 1])
    total = float(weights.sum()) + float(np.finfo(weights.dtype).tiny)
    heavy, rows = weights[kept], values[kept]
    heavy = heavy * (total / (float(heavy.sum()) + float(np.finfo(heavy.dtype).tiny)))
    centre = heavy @ rows / total
    rows = rows - centre
    rows *= np.sqrt(heavy)[:, np.newaxis]
    hessian = rows.T @ rows
    np.einsum("ii->i", hessian)[:] += ridge
    triangle = _inverse_of_triangle(np.linalg.cholesky(hessian))
    return triangle.T @ triangle, centre, total


def sample_preconditioner(
    objective: Objective, seed: int, tail_factor: float = 1.0
) -> tuple[HessianPreconditioner, Objective]:
    """The preconditioner on at most some thousand rows, drawn without replacement, and the
    objective on these rows.

    tail_factor: a further factor by which the variance outside the subspace is raised.

    Raises TrainingError for pixels that are not finite.
    """
    rng = np.random.default_rng(seed)
    rows, k = objective.rows, objective.n_classes
    n, m = len(rows), n_sampled(rows)
    chosen = np.arange(n) if m == n else np.sort(rng.choice(n, m, replace=False))
    basis, outside = None, np.zeros((rows.n_pixels, 1), rows.dtype)
    width = _DIMENSIONS_SHARED if k > MAX_APART else _width(rows.n_pixels, n / m)
    if rows.n_pixels > width:
        basis, outside = _leading_subspace(objective, chosen, width, rng)
    # Copied only now, since both these rows and the subspace need much memory.
    sample = objective if m == n else objective.on_copies(chosen)
    weights = np.full(m, 1 / m, rows.dtype)
    if sample.row_weights is not None:
        weights = (sample.row_weights / sample.total_weight).astype(rows.dtype)
    values, centre = _coordinates(sample, weights, basis)
    variance = float(weights @ np.einsum("ij,ij->i", values, values)) + float(outside.sum())
    smallest = 1e-12 if rows.dtype == np.float64 else 1e-6
    damping = smallest if sample is objective else _DAMPING
    damping *= (k - 1) / k**2 * variance / rows.n_pixels
    # The subspace takes up some of the dimensions: fewer are left for the same variance.
    rest = outside * rows.n_pixels / max(rows.n_pixels - values.shape[1], 1)
    rest *= _TAIL_FACTOR * tail_factor
    fields = weights, centre, basis, values, rest, damping + 1e-30
    within = _within_classes(sample, weights, values) if k > MAX_APART else None
    return HessianPreconditioner(sample.run_tasks, *fields, within), sample


def _width(n_pixels: int, rows_per_sampled_row: float) -> int:
    """The dimensions of the subspace, if each class has its own inverse.

    rows_per_sampled_row: n / m, if m of the n rows are sampled. The inverses cost time in
    proportion to width² for each sampled row, a pass in proportion to n_pixels for each row. So
    this width keeps their ratio constant. The factor was measured: docs/benchmarks-solver.md.
    """
    if n_pixels <= _WHOLE_PIXELS:
        return n_pixels
    return min(_DIMENSIONS, int((_SQUARE_PER_PIXEL * n_pixels * rows_per_sampled_row) ** 0.5))


def _within_classes(sample: Objective, normalized_weights: Matrix, values: Matrix) -> WithinClasses:
    """The covariance of values (m, r), whose mean is 0, about the means of their classes."""
    labels = sample.rows.labels[sample.rows.positions(slice(None))]
    classes = np.arange(sample.n_classes)[:, np.newaxis]

    def products(rows: NDArray[np.intp]) -> tuple[Matrix, Matrix]:
        root = np.sqrt(normalized_weights[rows])
        heavy = values[rows[0] : rows[-1] + 1] * root[:, np.newaxis]
        return heavy.T @ heavy, (labels[rows] == classes) * root @ heavy

    halves = np.array_split(np.arange(len(values)), 2)  # the same for any number of threads
    squares, sums = map(sum, zip(*sample.run_tasks(products, halves), strict=True))
    shares = np.bincount(labels, normalized_weights, sample.n_classes).astype(values.dtype)
    means = sums / np.sqrt(shares + np.finfo(shares.dtype).tiny)[:, np.newaxis]
    eigenvalues, vectors = np.linalg.eigh(squares - means.T @ means)
    return WithinClasses(np.maximum(eigenvalues, 0), vectors)


def _coordinates(
    sample: Objective, normalized_weights: Matrix, basis: Matrix | None
) -> tuple[Matrix, Matrix]:
    """The sampled rows' scaled pixels, centred and in the basis, (m, r), and the centre."""
    rows = sample.rows
    values = np.empty((len(rows), rows.n_pixels if basis is None else basis.shape[1]), rows.dtype)
    size = block_rows(rows.n_pixels)

    def fill(start: int) -> Matrix:
        """Fill in one block of values. Returns its weighted sum of pixels."""
        block = slice(start, start + size)
        pixels = rows.take_into_buffer(block)[0]
        pixels *= pixels.dtype.type(sample.scale)
        values[block] = pixels if basis is None else pixels @ basis
        return np.asarray(normalized_weights[block] @ pixels)

    weighted_sums = list(sample.run_tasks(fill, range(0, len(rows), size)))
    centre = np.sum(weighted_sums, axis=0, dtype=rows.dtype)
    values -= centre if basis is None else centre @ basis
    check_finite(values)
    return values, centre


def _leading_subspace(
    objective: Objective, chosen: NDArray[np.intp], width: int, rng: np.random.Generator
) -> tuple[Matrix, Matrix]:
    """Orthonormal basis (n_pixels, width) of roughly the directions in which the scaled pixels of
    some of the chosen rows vary most, and each pixel's variance outside it, (n_pixels, 1).

    Randomised subspace iteration with one power step (Halko, Martinsson and Tropp 2011).
    """
    rows = objective.rows
    few = rng.permutation(len(chosen))[: min(_BASIS_ROWS, max(_BASIS_VALUES // rows.n_pixels, 16))]
    where = rows.positions(chosen[np.sort(few)])
    pixels = rows.matrix.copy_rows(where).astype(rows.dtype)
    pixels *= rows.dtype.type(objective.scale)
    check_finite(pixels)
    pixels -= pixels.mean(axis=0)
    width = min(width, len(pixels))
    groups = np.array_split(np.arange(width), 4)

    def times_gram(vectors: Matrix) -> Matrix:
        def of_columns(columns: NDArray[np.intp]) -> Matrix:
            return np.asarray(pixels.T @ (pixels @ vectors[:, columns]))

        return np.hstack(list(objective.run_tasks(of_columns, groups)))

    vectors = rng.standard_normal((rows.n_pixels, width), dtype=np.float32).astype(rows.dtype)
    vectors = times_gram(_orthonormal(times_gram(vectors)))
    basis = _orthonormal(_orthonormal(vectors))

    def squares_outside(images: Matrix) -> Matrix:
        outside = images - images @ basis @ basis.T
        return np.asarray(np.einsum("ij,ij->j", outside, outside))

    squares = objective.run_tasks(squares_outside, np.array_split(pixels, 4))
    return basis, np.asarray(sum(squares)[:, np.newaxis] / len(pixels))


def _orthonormal(vectors: Matrix) -> Matrix:
    """Nearly orthonormal columns with the same span: shifted Cholesky QR (Fukaya et al. 2020),
    which consists of matrix products. Columns beyond the span's rank become nearly zero."""
    gram = vectors.T @ vectors
    shift = 4 * np.finfo(vectors.dtype).eps * np.trace(gram)
    np.einsum("ii->i", gram)[:] += shift + np.finfo(vectors.dtype).tiny
    return np.asarray(vectors @ _inverse_of_triangle(np.linalg.cholesky(gram)).T)


def _inverse_of_triangle(lower: Matrix) -> Matrix:
    """Inverse of a lower triangular matrix, by halves: almost only matrix products."""
    n = len(lower)
    if n <= 64:
        return np.asarray(np.linalg.inv(lower))
    half = n // 2
    inverse = np.zeros_like(lower)
    inverse[:half, :half] = _inverse_of_triangle(lower[:half, :half])
    inverse[half:, half:] = _inverse_of_triangle(lower[half:, half:])
    inverse[half:, :half] = -inverse[half:, half:] @ (lower[half:, :half] @ inverse[:half, :half])
    return inverse
