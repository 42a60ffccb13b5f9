"""Whether a probability means what it says, and the temperature that makes it so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmaxce.numerics import softmax

N_BINS = 15
MIN_IMAGES = 20  # fewer say too little about probabilities
_MAX_ITERATIONS = 200
_RELATIVE_TOLERANCE = 1e-10


@dataclass(frozen=True)
class Bin:
    """The answers whose probability lies in (low, high]; mean_confidence is 0 where none does."""

    low: float
    high: float
    n_images: int
    n_correct: int
    mean_confidence: float

    @property
    def accuracy(self) -> float:
        """Share of right answers; 0 where there is none."""
        return self.n_correct / self.n_images if self.n_images else 0.0


def bin_of(confidences: NDArray[np.float64]) -> NDArray[np.int64]:
    """Which of N_BINS bins of equal width, closed above, each confidence (n,) falls into."""
    edges = np.linspace(0, 1, N_BINS + 1)
    return np.searchsorted(edges[1:-1], confidences).astype(np.int64)


def reliability_bins(
    confidences: NDArray[np.float64], is_correct: NDArray[np.bool_]
) -> tuple[Bin, ...]:
    """The bins of a reliability diagram. confidences: (n,) probabilities of the answers given."""
    edges = np.linspace(0, 1, N_BINS + 1)
    bins = bin_of(confidences)
    n_images = np.bincount(bins, minlength=N_BINS)
    n_correct = np.bincount(bins[is_correct], minlength=N_BINS)
    means = np.bincount(bins, confidences, N_BINS) / np.maximum(n_images, 1)
    return tuple(
        Bin(float(edges[b]), float(edges[b + 1]), int(n_images[b]), int(n_correct[b]), float(m))
        for b, m in enumerate(means)
    )


def expected_calibration_error(bins: tuple[Bin, ...]) -> float:
    """Σ share of the bin · |accuracy − mean confidence| (Guo et al. 2017, ICML, section 2)."""
    n_images = sum(b.n_images for b in bins)
    return sum(b.n_images * abs(b.accuracy - b.mean_confidence) for b in bins) / n_images


def calibration_error_of_luck(bins: tuple[Bin, ...]) -> float:
    """What a perfectly calibrated model would show on so many images, by the luck of the draw.

    In each bin the right answers are binomial, and the mean absolute deviation of a normal
    variable is √(2/π) of its standard deviation.
    """
    n_images = sum(b.n_images for b in bins)
    variances = np.array(
        [b.n_images * max(b.mean_confidence * (1 - b.mean_confidence), 0.0) for b in bins]
    )
    return float(np.sqrt(2 / np.pi * variances).sum()) / n_images


def fit_temperature(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> float | None:
    """The T that minimises the mean cross-entropy of softmax(logits / T) (Guo et al. 2017).

    logits: (n_images, n_classes), labels: (n_images,). The cross-entropy is convex in b = 1/T;
    Newton's method finds where its slope is 0, and halves the bracket where it would leave it.
    None where there is no such T: fewer than MIN_IMAGES images, all of them answered right (T
    would be 0), or answers no better than chance (T would be infinite).
    """
    advantage = logits - logits[np.arange(len(labels)), labels][:, np.newaxis]
    slope_at_zero, slope_at_infinity = advantage.mean(), advantage.max(axis=1).sum()
    if len(labels) < MIN_IMAGES or slope_at_zero >= 0 or slope_at_infinity <= 0:
        return None
    b, low, high = 1.0, 0.0, np.inf
    for _ in range(_MAX_ITERATIONS):
        slope, curvature = _derivatives(b, advantage)
        low, high = (b, high) if slope < 0 else (low, b)
        following = b - slope / curvature if curvature > 0 else np.inf
        if not low < following < high:
            following = 2 * b if np.isinf(high) else (low + high) / 2
        if abs(following - b) <= _RELATIVE_TOLERANCE * b:
            break
        b = following
    return float(1 / b)


def _derivatives(b: float, advantage: NDArray[np.float64]) -> tuple[float, float]:
    """First and second derivative by b of the summed cross-entropy of softmax(b · logits).

    They are the sums of the mean and of the variance of the logits under the probabilities.
    """
    p = softmax(b * advantage, axis=1)
    mean = np.einsum("ik,ik->i", p, advantage)
    mean_square = np.einsum("ik,ik,ik->i", p, advantage, advantage)
    return float(mean.sum()), float((mean_square - mean**2).sum())
