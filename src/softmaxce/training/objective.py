"""The objective: mean cross-entropy + (l2/2)·‖W‖², and its gradient, as sums over rows.

The pixel matrix is cut into leaves of `block_rows(n_pixels)`, whichever of its rows are summed. A
leaf's sums are a pure function of its rows and the parameters; leaves are merged in a binary tree
over their indices, whose shape depends on the number of leaves alone. So whoever sums whichever
part of the tree (one thread or many, this machine or another), the result is the same bits; and
the same part of the matrix serves the rows that are trained on and those that are held out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from softmaxce.mapped_rows import copy_rows, release

Floats = NDArray[np.float64]

_LEAF_VALUES = 1 << 20  # pixel values of a leaf: 4 MB as float32, a thread's share of the cache
_LEAVES_PER_TASK = 4  # a thread takes an aligned subtree of this many leaves (a power of two)
_thread = threading.local()


def block_rows(n_pixels: int) -> int:
    """Rows of a leaf: a power of two, 16 … 1024, fewer for longer pixel vectors."""
    fitting = _LEAF_VALUES // n_pixels
    return min(max(1 << max(fitting.bit_length() - 1, 0), 16), 1024)


@runtime_checkable
class RemotePixels(Protocol):
    """A pixel matrix (n, n_pixels) that lies elsewhere, and is summed where it lies."""

    @property
    def shape(self) -> tuple[int, int]:
        """(n, n_pixels)."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the pixels."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, where: Any) -> NDArray[Any]:
        """Fetch rows: by a number, a slice or an array of numbers."""
        ...

    def map(
        self,
        function: Callable[..., Any],
        rows: NDArray[np.integer[Any]],
        columns: NDArray[Any],
        shared: Any,
    ) -> Iterable[Any]:
        """function(pixels, columns, shared) of parts of the rows, which ascend, in their order.

        columns: (len(rows),), cut as the rows are.
        """
        ...

    def sum_over(self, objective: Objective, parameters: NDArray[Any]) -> Sums:
        """What `objective.sums_at(parameters)` would give, were the pixels here."""
        ...


@dataclass(frozen=True)
class Rows:
    """Some rows of a pixel matrix, and their labels. Nothing is copied.

    pixels: (n, n_pixels), uint8, float32 or float64, possibly memory-mapped or remote; labels: (n,)
    integers, one for each row of `pixels`; index: which rows of `pixels`, ascending (all of them
    if None).
    """

    pixels: NDArray[Any] | RemotePixels
    labels: NDArray[np.integer[Any]]
    index: NDArray[np.integer[Any]] | None = None

    def __len__(self) -> int:
        return len(self.pixels) if self.index is None else len(self.index)

    @property
    def n_pixels(self) -> int:
        """Length of one image's pixel vector."""
        return int(self.pixels.shape[1])

    @property
    def dtype(self) -> np.dtype[np.floating[Any]]:
        """What these rows are computed in: float64 for float64 pixels, float32 for all else."""
        return np.dtype(np.float64 if self.pixels.dtype == np.float64 else np.float32)

    def take(self, part: slice | NDArray[np.integer[Any]]) -> tuple[NDArray[Any], NDArray[Any]]:
        """(pixels, labels) of a part of these rows, the pixels as `dtype`, unscaled.

        The pixels lie in a buffer of this thread, which its next call overwrites.
        """
        where = part if self.index is None else self.index[part]
        labels = self.labels[where]
        pixels = _buffer((len(labels), self.n_pixels), self.dtype)
        np.copyto(pixels, self.pixels[where])
        return pixels, labels

    def gather(self, chosen: NDArray[np.integer[Any]]) -> Rows:
        """A copy of these of the rows, numbered from 0."""
        where = chosen if self.index is None else self.index[chosen]
        if isinstance(self.pixels, np.ndarray):
            return Rows(copy_rows(self.pixels, where), self.labels[where])
        return Rows(self.pixels[where], self.labels[where])

    def here(self) -> Rows:
        """These rows with all of the matrix on this machine."""
        return replace(self, pixels=np.asarray(self.pixels[:]))

    @property
    def n_blocks(self) -> int:
        """How many leaves the matrix is cut into."""
        return -(-len(self.pixels) // block_rows(self.n_pixels))

    def leaf(self, position: int) -> slice:
        """Which of these rows, numbered from 0, lie in a leaf of the matrix."""
        size = block_rows(self.n_pixels)
        start, stop = position * size, (position + 1) * size
        if self.index is None:
            return slice(start, min(stop, len(self.pixels)))
        return slice(*(int(at) for at in np.searchsorted(self.index, (start, stop))))


def _buffer(shape: tuple[int, int], dtype: np.dtype[Any]) -> NDArray[Any]:
    """An uninitialised array in memory that this thread uses again and again: fresh memory
    would cost as much as the arithmetic done in it."""
    size = shape[0] * shape[1]
    kept = getattr(_thread, "buffer", None)
    if kept is None or kept.dtype != dtype or kept.size < size:
        kept = _thread.buffer = np.empty(size, dtype)
    return np.asarray(kept[:size].reshape(shape))


@dataclass(frozen=True)
class Sums:
    """Sums over some rows: cross-entropies (nats) and their gradient (n_pixels + 1, n_classes).

    The gradient is that of the unscaled pixels; its last row belongs to the biases.
    """

    cross_entropy: float
    gradient: Floats

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.cross_entropy + other.cross_entropy, self.gradient + other.gradient)


def tree_sum(items: Iterable[Any]) -> Any:
    """Sum of at least one item in the fixed binary tree over their positions.

    Like a binary counter: two sums of 2^k items each become one of 2^(k+1). The items may come
    one by one and are dropped as they are merged, so few are held at any time; a sum over an
    aligned run of 2^k items may stand for the run.
    """
    waiting: list[tuple[int, Any]] = []  # (number of items, their sum), the numbers decreasing
    for item in items:
        count = 1
        while waiting and waiting[-1][0] == count:
            item = waiting.pop()[1] + item
            count *= 2
        waiting.append((count, item))
    total = waiting.pop()[1]
    while waiting:
        total = waiting.pop()[1] + total
    return total


def log_probabilities_in_place(logits: NDArray[Any]) -> NDArray[Any]:
    """Turn logits (n_classes, n_images) into log-probabilities, and return their exponentials.

    Classes lie along the first axis, since NumPy reduces over it several times as fast as over
    a short last one.
    """
    logits -= logits.max(axis=0)
    probabilities: NDArray[Any] = np.exp(logits)
    total = probabilities.sum(axis=0)
    logits -= np.log(total)
    probabilities /= total
    return probabilities


@dataclass(frozen=True)
class Objective:
    """Weighted mean cross-entropy of `rows` + (l2/2)·‖W‖², as a function of the parameters.

    Parameters are a float64 array (n_pixels + 1, n_classes): the weights, which apply to pixels
    times `scale`, and in the last row the biases, which are not penalised. `row_weights` is one
    weight for each of `rows` (all 1 if None).
    """

    rows: Rows
    n_classes: int
    l2: float
    scale: float = 1.0
    row_weights: Floats | None = None
    run_tasks: Callable[..., Iterator[Any]] = field(default=map, repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the parameters: (n_pixels + 1, n_classes)."""
        return self.rows.n_pixels + 1, self.n_classes

    @property
    def noise(self) -> float:
        """About the relative rounding error of the objective's value."""
        return 8 * float(np.finfo(self.rows.dtype).eps)

    @cached_property
    def total_weight(self) -> float:
        """Sum of the row weights: what the sums are divided by."""
        return float(len(self.rows) if self.row_weights is None else self.row_weights.sum())

    def on_copies(self, index: NDArray[np.integer[Any]]) -> Objective:
        """The same objective on copies of some of the rows, numbered from 0."""
        weights = None if self.row_weights is None else self.row_weights[index]
        return replace(self, rows=self.rows.gather(index), row_weights=weights)

    def __call__(self, parameters: Floats) -> tuple[float, Floats]:
        """Objective (nats) and gradient, of the parameters' shape."""
        weights = parameters[:-1]
        sums = self._sums(parameters)
        gradient = sums.gradient / self.total_weight
        gradient[:-1] *= self.scale
        gradient[:-1] += self.l2 * weights
        penalty = 0.5 * self.l2 * float(np.vdot(weights, weights))
        return sums.cross_entropy / self.total_weight + penalty, gradient

    def _sums(self, parameters: Floats) -> Sums:
        packed = np.empty(self.shape, self.rows.dtype)  # in C order, whatever the solver has
        packed[:-1] = parameters[:-1] * self.scale
        packed[-1] = parameters[-1]
        if isinstance(self.rows.pixels, np.ndarray):
            return self.sums_at(packed)
        return self.rows.pixels.sum_over(self, packed)

    def sums_at(self, parameters: NDArray[Any]) -> Sums:
        """The sums over all rows; parameters in the rows' dtype, the weights times the scale."""
        n_blocks = self.rows.n_blocks
        weights, biases = parameters[:-1], parameters[-1]

        def leaf(position: int) -> Sums:
            with np.errstate(over="ignore", invalid="ignore"):  # the solver judges the value
                return self._leaf(position, weights, biases)

        def task(first: int) -> Sums:
            leaves = range(first, min(first + _LEAVES_PER_TASK, n_blocks))
            sums: Sums = tree_sum(map(leaf, leaves))
            if isinstance(self.rows.pixels, np.ndarray):
                release(self.rows.pixels)
            return sums

        return tree_sum(self.run_tasks(task, range(0, n_blocks, _LEAVES_PER_TASK)))  # type: ignore[no-any-return]

    def _leaf(self, position: int, weights: NDArray[Any], biases: NDArray[Any]) -> Sums:
        """Sums of one leaf. weights: scaled, (n_pixels, n_classes), in the rows' dtype."""
        part = self.rows.leaf(position)
        if part.start == part.stop:
            return Sums(0.0, np.zeros(self.shape))
        pixels, labels = self.rows.take(part)
        log_p = np.ascontiguousarray((pixels @ weights + biases).T)
        residuals = log_probabilities_in_place(log_p)
        images = np.arange(len(labels))
        cross_entropies = -log_p[labels, images].astype(np.float64)
        residuals[labels, images] -= 1
        if self.row_weights is not None:
            row_weights = self.row_weights[part]
            cross_entropies *= row_weights
            residuals *= row_weights.astype(residuals.dtype)
        gradient = np.empty(self.shape)
        gradient[:-1] = pixels.T @ np.ascontiguousarray(residuals.T)
        gradient[-1] = residuals.sum(axis=1, dtype=np.float64)
        return Sums(float(cross_entropies.sum()), gradient)


@contextmanager
def row_threads(n_threads: int) -> Iterator[Callable[..., Iterator[Any]]]:
    """A `map` that runs its tasks in n_threads Python threads, of which the calling one is one,
    with BLAS held to one thread."""
    with _one_blas_thread():
        if n_threads == 1:
            yield map
            return
        with ThreadPoolExecutor(n_threads - 1) as pool:
            yield partial(_map_and_help, pool)


def _map_and_help(
    pool: ThreadPoolExecutor, function: Callable[[Any], Any], items: Iterable[Any]
) -> Iterator[Any]:
    """function(item) of each item, in order. While a result is awaited, the calling thread takes
    the next task that nobody has begun: small tasks then cost one waking of a thread less."""
    tasks = [(item, pool.submit(function, item)) for item in items]
    own: dict[int, Any] = {}
    ahead = 1
    for position, (_, future) in enumerate(tasks):
        while position not in own and not future.done() and ahead < len(tasks):
            item, other = tasks[ahead]
            if ahead > position and other.cancel():
                own[ahead] = function(item)
            ahead += 1
        yield own.pop(position) if position in own else future.result()


@contextmanager
def _one_blas_thread() -> Iterator[None]:
    """BLAS threads would fight with ours. Where threadpoolctl is not installed, nothing is done:
    the command line sets the BLAS libraries' variables before NumPy is loaded."""
    try:
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        yield
        return
    with threadpool_limits(limits=1, user_api="blas"):
        yield
