"""How well probabilities agree with frequencies, and the temperature that calibrates them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmaxce.metrics.intervals import Interval, wilson_interval
from softmaxce.numerics import softmax

N_BINS = 15
_EDGES = np.linspace(0, 1, N_BINS + 1)
MIN_IMAGES = 20  # fewer do not determine a temperature
_MAX_ITERATIONS = 200
_RELATIVE_TOLERANCE = 1e-10


@dataclass(frozen=True)
class Bin:
    """The predictions with a confidence in (low, high]; mean_confidence is 0 if there are none.

    A confidence is the probability of the predicted class. n_effective: how many independent images
    the images are worth, if they are in groups.
    """

    low: float
    high: float
    n_images: int
    n_correct: int
    mean_confidence: float
    n_effective: float | None = None

    @property
    def accuracy(self) -> float:
        """The proportion of correct predictions; 0 in an empty bin."""
        return self.n_correct / self.n_images if self.n_images else 0.0

    @property
    def accuracy_interval(self) -> Interval | None:
        """The accuracy's 95 % Wilson interval; None in an empty bin."""
        n = self.n_images
        return wilson_interval(self.n_correct, n, self.n_effective) if n else None


def bin_of(confidences: NDArray[np.float64]) -> NDArray[np.int64]:
    """The bin of each confidence (n,): N_BINS equal bins, each including its upper edge."""
    return np.searchsorted(_EDGES[1:-1], confidences).astype(np.int64)


def reliability_bins(
    confidences: NDArray[np.float64], is_correct: NDArray[np.bool_]
) -> tuple[Bin, ...]:
    """The bins of a reliability diagram, from confidences (n,) and is_correct (n,)."""
    bins = bin_of(confidences)
    n_images = np.bincount(bins, minlength=N_BINS)
    n_correct = np.bincount(bins[is_correct], minlength=N_BINS)
    means = np.bincount(bins, confidences, N_BINS) / np.maximum(n_images, 1)
    return tuple(
        Bin(float(_EDGES[b]), float(_EDGES[b + 1]), int(n_images[b]), int(n_correct[b]), float(m))
        for b, m in enumerate(means)
    )


def fit_temperature(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> float | None:
    """The T that minimises the mean cross-entropy of softmax(logits / T) (Guo et al. 2017).

    logits: (n_images, n_classes), labels: (n_images,). The cross-entropy is convex in b = 1/T;
    Newton's method finds the zero of its derivative, and bisects whenever a step would leave the
    bracket. None if there is no such T: fewer than MIN_IMAGES images, all of them predicted
    correctly (T would be 0), or predictions no better than chance (T would be infinite).
    """
    advantage = logits - logits[np.arange(len(labels)), labels][:, np.newaxis]
    at_zero, at_infinity = advantage.mean(), advantage.max(axis=1).sum()  # signs of the derivative
    if len(labels) < MIN_IMAGES or at_zero >= 0 or at_infinity <= 0:
        return None
    b, low, high = 1.0, 0.0, np.inf
    for _ in range(_MAX_ITERATIONS):
        gradient, curvature = _derivatives(b, advantage)
        low, high = (b, high) if gradient < 0 else (low, b)
        following = b - gradient / curvature if curvature > 0 else np.inf
        if not low < following < high:
            following = 2 * b if np.isinf(high) else (low + high) / 2
        if abs(following - b) <= _RELATIVE_TOLERANCE * b:
            break
        b = following
    return float(1 / b)


def _derivatives(b: float, advantage: NDArray[np.float64]) -> tuple[float, float]:
    """First and second derivative with respect to b of the summed cross-entropy of softmax(b · z).

    They are the sums over images of the mean and the variance of the logits z under softmax(b · z).
    """
    p = softmax(b * advantage, axis=1)
    mean = np.einsum("ik,ik->i", p, advantage)
    mean_square = np.einsum("ik,ik,ik->i", p, advantage, advantage)
    return float(mean.sum()), float((mean_square - mean**2).sum())
