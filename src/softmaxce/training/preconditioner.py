"""The curvature: an approximate inverse Hessian of the objective, from sampled rows.

The Hessian of the mean cross-entropy has, for class k, the block Σᵢ pᵢₖ(1 − pᵢₖ) x̃ᵢ x̃ᵢᵀ / n,
x̃ being an image's pixels and a 1 for the bias. These blocks, estimated on sampled rows, are
inverted; what couples the classes is left to L-BFGS. Long pixel vectors are split into the
subspace in which the sample varies most, treated so, and the rest, treated as if it varied
equally in every direction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.errors import TrainingError
from softmaxce.training.objective import (
    Floats,
    Objective,
    Rows,
    block_rows,
    log_probabilities_in_place,
)

Matrix = NDArray[np.floating[Any]]

_SAMPLE_ROWS = 12_000
_SAMPLE_VALUES = 1 << 28  # pixel values of the sample, which is copied out of the matrix
_BASIS_VALUES = 1 << 23  # pixel values of the rows in which the subspace is looked for
_BASIS_ROWS = 2000
_MAX_WHOLE = 784  # pixel vectors up to MNIST's length are treated whole
_MAX_DIMENSIONS = 640  # a subspace this large holds most of what pictures vary in
_INVERSE_VALUES = 16_000_000  # numbers in the inverses of all classes together (64 MB)
_ENOUGH_ROWS = 4000  # below it, every row is used
_KEPT_WEIGHT = 0.95  # each class looks at its heaviest rows only, until they carry this share
_DAMPING = 0.02  # of the mean curvature at the start: for directions that the sample does not show


@dataclass(frozen=True)
class Curvature:
    """What the sampled rows say about the Hessian, whatever the parameters and l2.

    sample: the objective on the m sampled rows; shares: their weights, which sum to 1;
    centre: (n_pixels,); basis: orthonormal (n_pixels, r), or None for all dimensions; values:
    (m, r) coordinates of the centred and scaled pixels; rest: variance per dimension outside the
    basis; damping: what is added to the diagonal.
    """

    sample: Objective
    shares: Matrix
    centre: Matrix
    basis: Matrix | None
    values: Matrix
    rest: float
    damping: float

    def inverse(self, parameters: Floats, l2: float) -> Callable[[Floats], Floats]:
        """A function that applies the inverse Hessian at these parameters to a gradient.

        It works in the space of parameters whose sum over the classes is 0: adding the same
        numbers to every class changes no probability, so gradients have no other part.
        """
        weights, values = self._class_weights(parameters), self.values
        if not parameters.any():  # at the start all classes are alike
            weights = weights[:1]
            if len(values) > _ENOUGH_ROWS:  # ... and one Hessian needs fewer rows
                weights, values = weights[:, ::3] * 3, values[::3]

        def invert(position: int) -> _Block:
            return _Block.of(weights[position], values, self.rest, l2 + self.damping)

        blocks = list(self.sample.run_tasks(invert, range(len(weights))))
        return _Inverse(self, blocks)

    def _class_weights(self, parameters: Floats) -> Matrix:
        """p(1 − p) · share of each class and sampled row: (n_classes, m)."""
        basis = parameters[:-1] if self.basis is None else self.basis.T @ parameters[:-1]
        biases = parameters[-1] + self.centre @ parameters[:-1]
        logits = self.values @ basis.astype(self.values.dtype) + biases.astype(self.values.dtype)
        p = log_probabilities_in_place(np.ascontiguousarray(logits.T))
        return np.asarray(p * (1 - p) * self.shares)


@dataclass(frozen=True)
class _Block:
    """One class: inverse (r, r) of its Hessian about `centre` (r,), the curvature `bias` of its
    bias and the curvature `rest` of each dimension outside the basis."""

    inverse: Matrix
    centre: Matrix
    bias: float
    rest: float

    @classmethod
    def of(cls, weights: Matrix, values: Matrix, rest: float, ridge: float) -> _Block:
        """The block of a class whose rows have these weights, (m,)."""
        total = float(weights.sum()) + float(np.finfo(weights.dtype).tiny)
        kept = _heaviest(weights, _KEPT_WEIGHT) if len(weights) > _ENOUGH_ROWS else slice(None)
        heavy, rows = weights[kept], values[kept].copy()
        heavy = heavy * (total / (float(heavy.sum()) + float(np.finfo(heavy.dtype).tiny)))
        centre = heavy @ rows / total
        rows -= centre
        rows *= np.sqrt(heavy)[:, np.newaxis]
        hessian = rows.T @ rows
        np.einsum("ii->i", hessian)[:] += ridge
        return cls(inverse_of_positive(hessian), centre, total, ridge + total * rest)


def _heaviest(weights: Matrix, share: float) -> NDArray[np.intp]:
    """Positions, ascending, of the largest weights that together make `share` of their sum."""
    order = np.argsort(weights)[::-1]
    running = np.cumsum(weights[order])
    return np.sort(order[: int(np.searchsorted(running, share * running[-1])) + 1])


class _Inverse:
    """Applies the blocks' inverses to a gradient (n_pixels + 1, n_classes)."""

    def __init__(self, curvature: Curvature, blocks: list[_Block]) -> None:
        self.basis = curvature.basis
        self.centre = curvature.centre.astype(np.float64)
        self.inverses = np.stack([block.inverse for block in blocks])
        self.centres = np.stack([block.centre for block in blocks], axis=1)  # (r, classes or 1)
        self.biases = np.array([block.bias for block in blocks])
        self.rest = np.array([block.rest for block in blocks])

    def __call__(self, gradient: Floats) -> Floats:
        gradient = gradient - gradient.mean(axis=1, keepdims=True)
        bias = gradient[-1]
        pixels = gradient[:-1] - np.outer(self.centre, bias)
        inner = pixels if self.basis is None else self.basis.T @ pixels.astype(self.basis.dtype)
        solved = self._solve(inner - self.centres * bias)
        step = np.empty_like(gradient)
        if self.basis is None:
            step[:-1] = solved
        else:
            step[:-1] = self.basis @ (solved - inner / self.rest).astype(self.basis.dtype)
            step[:-1] += pixels / self.rest
        step[-1] = bias / self.biases - self.centre @ step[:-1] - (self.centres * solved).sum(0)
        return np.asarray(step - step.mean(axis=1, keepdims=True))

    def _solve(self, inner: Matrix) -> Matrix:
        """Each class's inverse times its column of `inner` (r, n_classes)."""
        inner = inner.astype(self.inverses.dtype)
        if len(self.inverses) == 1:
            return np.asarray(self.inverses[0] @ inner)
        return np.asarray(np.matmul(self.inverses, inner.T[:, :, np.newaxis])[:, :, 0].T)


def sample_curvature(objective: Objective, seed: int) -> Curvature:
    """The curvature on at most some thousand rows of the objective, drawn without replacement."""
    rng = np.random.default_rng(seed)
    sample = _sampled(objective, rng)
    rows, k = sample.rows, sample.n_classes
    shares = _shares(sample)
    affordable = int((_INVERSE_VALUES / k) ** 0.5)
    basis, outside = None, 0.0
    if rows.n_pixels > min(_MAX_WHOLE, affordable):
        width = min(_MAX_DIMENSIONS, affordable)
        basis, outside = _leading_subspace(sample, width, rng)
    values, centre = _coordinates(sample, shares, basis)
    variance = float(shares @ np.einsum("ij,ij->i", values, values)) + outside
    whole = sample is objective and basis is None
    smallest = 1e-12 if rows.dtype == np.float64 else 1e-6
    damping = (smallest if whole else _DAMPING) * (k - 1) / k**2 * variance / rows.n_pixels
    rest = outside / max(rows.n_pixels - values.shape[1], 1)
    return Curvature(sample, shares, centre, basis, values, rest, damping + 1e-30)


def is_whole_sample(rows: Rows) -> bool:
    """Whether the rows are so few that the curvature is taken on all of them."""
    return len(rows) <= _sample_size(rows)


def _sample_size(rows: Rows) -> int:
    return min(_SAMPLE_ROWS, max(_SAMPLE_VALUES // rows.n_pixels, 1))


def _sampled(objective: Objective, rng: np.random.Generator) -> Objective:
    """The objective on a random sample of its rows; itself where they are few."""
    n, at_most = len(objective.rows), _sample_size(objective.rows)
    if n <= at_most:
        return objective
    return objective.on_copies(np.sort(rng.choice(n, at_most, replace=False)))


def _shares(sample: Objective) -> Matrix:
    dtype = sample.rows.dtype
    if sample.row_weights is None:
        return np.full(len(sample.rows), 1 / len(sample.rows), dtype)
    return np.asarray(sample.row_weights / sample.total_weight, dtype=dtype)


def _coordinates(sample: Objective, shares: Matrix, basis: Matrix | None) -> tuple[Matrix, Matrix]:
    """The sampled rows' scaled pixels, centred and in the basis, (m, r), and the centre."""
    rows = sample.rows
    values = np.empty((len(rows), rows.n_pixels if basis is None else basis.shape[1]), rows.dtype)
    size = block_rows(rows.n_pixels)

    def fill(start: int) -> Matrix:
        part = slice(start, start + size)
        pixels = rows.take(part)[0]
        pixels *= pixels.dtype.type(sample.scale)
        values[part] = pixels if basis is None else pixels @ basis
        return np.asarray(shares[part] @ pixels)

    parts = list(sample.run_tasks(fill, range(0, len(rows), size)))
    centre = np.sum(parts, axis=0, dtype=rows.dtype)
    values -= centre if basis is None else centre @ basis
    _check_finite(values)
    return values, centre


def _check_finite(values: Matrix) -> None:
    if not np.isfinite(values).all():
        raise TrainingError("the pixels hold nan or infinite values: remove them")


def _leading_subspace(
    sample: Objective, width: int, rng: np.random.Generator
) -> tuple[Matrix, float]:
    """Orthonormal basis (n_pixels, width) of about the directions in which the scaled pixels of
    some of the sampled rows vary most, and the variance outside it.

    Randomised subspace iteration with one power step (Halko, Martinsson and Tropp 2011).
    """
    rows = sample.rows
    few = rng.permutation(len(rows))[: min(_BASIS_ROWS, max(_BASIS_VALUES // rows.n_pixels, 16))]
    pixels = rows.take(np.sort(few))[0] * rows.dtype.type(sample.scale)
    _check_finite(pixels)
    pixels -= pixels.mean(axis=0)
    width = min(width, len(pixels))
    parts = np.array_split(np.arange(width), 4)

    def times_gram(vectors: Matrix) -> Matrix:
        def part(columns: NDArray[np.intp]) -> Matrix:
            return np.asarray(pixels.T @ (pixels @ vectors[:, columns]))

        return np.hstack(list(sample.run_tasks(part, parts)))

    vectors = rng.standard_normal((rows.n_pixels, width), dtype=np.float32).astype(rows.dtype)
    for _ in range(2):
        before = vectors = _orthonormal(vectors)
        vectors = times_gram(vectors)
    inside = float(np.vdot(before, vectors))
    outside = max(float(np.vdot(pixels, pixels)) - inside, 0.0) / len(pixels)
    return _orthonormal(_orthonormal(vectors)), outside


def _orthonormal(vectors: Matrix) -> Matrix:
    """Almost orthonormal columns of the same span: the shifted Cholesky QR (Fukaya et al. 2020),
    which is matrix products throughout. Columns beyond the span's rank become almost zero."""
    gram = vectors.T @ vectors
    shift = 4 * np.finfo(vectors.dtype).eps * np.trace(gram)
    np.einsum("ii->i", gram)[:] += shift + np.finfo(vectors.dtype).tiny
    return np.asarray(vectors @ inverse_of_triangle(np.linalg.cholesky(gram)).T)


def inverse_of_positive(matrix: Matrix) -> Matrix:
    """Inverse of a symmetric positive definite matrix, in half the time of a general one."""
    triangle = inverse_of_triangle(np.linalg.cholesky(matrix))
    return np.asarray(triangle.T @ triangle)


def inverse_of_triangle(lower: Matrix) -> Matrix:
    """Inverse of a lower triangular matrix, by halves: matrix products almost throughout."""
    n = len(lower)
    if n <= 64:
        return np.asarray(np.linalg.inv(lower))
    half = n // 2
    inverse = np.zeros_like(lower)
    inverse[:half, :half] = inverse_of_triangle(lower[:half, :half])
    inverse[half:, half:] = inverse_of_triangle(lower[half:, half:])
    inverse[half:, :half] = -inverse[half:, half:] @ (lower[half:, :half] @ inverse[:half, :half])
    return inverse
