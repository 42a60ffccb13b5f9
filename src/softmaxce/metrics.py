"""How good predictions are: counts, ratios with their intervals, and cross-entropy."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Z_95 = 1.959963984540054  # the normal quantile of 0.975: 95 % lie between −z and z


@dataclass(frozen=True)
class ClassScore:
    """One class's scores. A ratio whose denominator is 0 is 0, as scikit-learn has it by default.

    support: images of the class; n_predicted: images called so; n_correct: both.
    """

    support: int
    n_predicted: int
    n_correct: int

    @property
    def precision(self) -> float:
        """Of the images called so, the share that is."""
        return self.n_correct / self.n_predicted if self.n_predicted else 0.0

    @property
    def recall(self) -> float:
        """Of the images that are of the class, the share called so."""
        return self.n_correct / self.support if self.support else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.support + self.n_predicted
        return 2 * self.n_correct / total if total else 0.0


@dataclass(frozen=True)
class Scores:
    """The judgement of predictions on n_images. confusion: (n_classes, n_classes) counts,

    a row for each true class and a column for each predicted one. cross_entropy in nats, the
    mean over images; ∞ where one true class had probability 0.
    """

    cross_entropy: float
    confusion: NDArray[np.int64]

    @property
    def n_images(self) -> int:
        """How many images were judged."""
        return int(self.confusion.sum())

    @property
    def n_correct(self) -> int:
        """How many were right."""
        return int(np.trace(self.confusion))

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return self.n_correct / self.n_images

    @property
    def accuracy_interval(self) -> tuple[float, float]:
        """The accuracy's 95 % Wilson interval."""
        return wilson_interval(self.n_correct, self.n_images)

    @property
    def majority_baseline(self) -> float:
        """The accuracy of always answering the class that is most frequent among these images."""
        return int(self.confusion.sum(axis=1).max()) / self.n_images

    @property
    def chance_cross_entropy(self) -> float:
        """The cross-entropy of blind guessing, ln K, in nats."""
        return math.log(len(self.confusion))

    @property
    def per_class(self) -> tuple[ClassScore, ...]:
        """Each class's scores, in the order of the classes."""
        support, predicted = self.confusion.sum(axis=1), self.confusion.sum(axis=0)
        return tuple(
            ClassScore(int(support[k]), int(predicted[k]), int(self.confusion[k, k]))
            for k in range(len(self.confusion))
        )


def score(log_probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> Scores:
    """Judge log-probabilities (n_images, n_classes) against labels (n_images,); n_images ≥ 1."""
    n_classes = log_probabilities.shape[1]
    predicted = np.argmax(log_probabilities, axis=1)
    losses = -log_probabilities[np.arange(len(labels)), labels]
    return Scores(float(np.mean(losses)), confusion_matrix(labels, predicted, n_classes))


def confusion_matrix(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], n_classes: int
) -> NDArray[np.int64]:
    """Counts (n_classes, n_classes): a row for each true class, a column for each predicted."""
    counts = np.bincount(labels * n_classes + predicted, minlength=n_classes**2)
    return counts.reshape(n_classes, n_classes).astype(np.int64)


def wilson_interval(n_correct: int, n_images: int, z: float = Z_95) -> tuple[float, float]:
    """The score interval for a proportion (Wilson 1927, JASA 22:209). n_images ≥ 1."""
    share = n_correct / n_images
    spread = z * math.sqrt(share * (1 - share) / n_images + (z / (2 * n_images)) ** 2)
    centre = share + z * z / (2 * n_images)
    scale = 1 + z * z / n_images
    low = 0.0 if n_correct == 0 else (centre - spread) / scale
    high = 1.0 if n_correct == n_images else (centre + spread) / scale
    return low, high
