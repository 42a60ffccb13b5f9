"""Scores of predictions: proportions and losses, each with a confidence interval and a baseline.

Every score equals that of scikit-learn's function of the same name up to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from softmaxce.metrics.calibration import (
    N_BINS,
    Bin,
    bin_of,
    expected_calibration_error,
    expected_ece_if_calibrated,
    reliability_bins,
)
from softmaxce.metrics.confusions import Confusion, confusion_matrix, list_confusions
from softmaxce.metrics.intervals import (
    Bootstrap,
    Interval,
    basic_interval,
    percentile_interval,
    wilson_interval,
)

Floats = NDArray[np.float64]
TOP_K = (2, 3, 5)
PROPORTIONS = (
    "accuracy",
    *(f"top_{k}_accuracy" for k in TOP_K),
    "balanced_accuracy",
    *(
        f"{kind}_{ratio}"
        for kind in ("macro", "weighted")
        for ratio in ("precision", "recall", "f1")
    ),
)
LOSSES = ("cross_entropy", "brier_score", "expected_calibration_error")


@dataclass(frozen=True)
class ClassScore:
    """The scores of one class. A ratio with denominator 0 is 0, as in scikit-learn by default.

    support: images of the class; n_predicted: images predicted as it; n_correct: both.
    """

    support: int
    n_predicted: int
    n_correct: int

    @property
    def precision(self) -> float:
        """The proportion of the images predicted as the class that belong to it."""
        return self.n_correct / self.n_predicted if self.n_predicted else 0.0

    @property
    def precision_interval(self) -> Interval | None:
        """Its 95 % Wilson interval; None if no image was predicted as the class."""
        return wilson_interval(self.n_correct, self.n_predicted) if self.n_predicted else None

    @property
    def recall(self) -> float:
        """The proportion of the images of the class that were predicted as it."""
        return self.n_correct / self.support if self.support else 0.0

    @property
    def recall_interval(self) -> Interval | None:
        """Its 95 % Wilson interval; None if there are no images of the class."""
        return wilson_interval(self.n_correct, self.support) if self.support else None

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.support + self.n_predicted
        return 2 * self.n_correct / total if total else 0.0


@dataclass(frozen=True)
class Average:
    """Precision, recall and F1 averaged over the classes."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Metric:
    """One score over all images.

    name: the field of the JSON output; interval: 95 % confidence interval; baseline: the score of
    predictions that ignore the images (docs/reports.md says which).
    """

    name: str
    value: float
    interval: Interval | None
    baseline: float | None
    higher_is_better: bool = True


@dataclass(frozen=True, eq=False)
class Scores:
    """Predictions for n_images ≥ 1 images and their scores. Every array is (n_images,).

    labels, predicted: classes from 0; cross_entropies: −log p[label], in nats; squared_errors:
    Σ (p − one-hot)²; confidences: p[predicted]; ranks: the number of classes ranked above the true
    one. Ties: the prediction is the first of equally probable classes, while ranks count the later
    ones as higher (as scikit-learn's `top_k_accuracy_score` does).
    """

    n_classes: int
    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]
    cross_entropies: Floats
    squared_errors: Floats
    confidences: Floats
    ranks: NDArray[np.int64]

    @property
    def n_images(self) -> int:
        """The number of images."""
        return len(self.labels)

    @cached_property
    def is_correct(self) -> NDArray[np.bool_]:
        """(n_images,) whether the prediction is correct."""
        return np.asarray(self.labels == self.predicted)

    @cached_property
    def n_correct(self) -> int:
        """The number of correct predictions."""
        return int(self.is_correct.sum())

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """Counts (n_classes, n_classes): rows are true classes, columns predicted classes."""
        return confusion_matrix(self.labels, self.predicted, self.n_classes)

    @property
    def accuracy(self) -> float:
        """The proportion of correct predictions."""
        return self.n_correct / self.n_images

    @property
    def accuracy_interval(self) -> Interval:
        """Its 95 % Wilson interval."""
        return wilson_interval(self.n_correct, self.n_images)

    @cached_property
    def cross_entropy(self) -> float:
        """The mean cross-entropy, in nats; ∞ if any true class has probability 0."""
        return float(np.mean(self.cross_entropies))

    @cached_property
    def brier_score(self) -> float:
        """The mean of Σ (p − one-hot)² over all classes, 0 to 2 (Brier 1950).

        For two classes it is twice scikit-learn's `brier_score_loss`, which by default halves it.
        """
        return float(np.mean(self.squared_errors))

    @property
    def majority_baseline(self) -> float:
        """The accuracy of always predicting the most frequent class of these images."""
        return self._top_k_baseline(1)

    @property
    def chance_cross_entropy(self) -> float:
        """The cross-entropy of a uniform prediction, ln K, in nats."""
        return math.log(self.n_classes)

    @cached_property
    def bins(self) -> tuple[Bin, ...]:
        """The bins of the reliability diagram."""
        return reliability_bins(self.confidences, self.is_correct)

    @property
    def mean_confidence(self) -> float:
        """The mean probability of the predicted class."""
        return float(self.confidences.mean())

    @property
    def expected_calibration_error(self) -> float:
        """The mean absolute difference between confidence and accuracy, over the bins."""
        return expected_calibration_error(self.bins)

    @property
    def expected_ece_if_calibrated(self) -> float:
        """The calibration error expected by chance if the model were perfectly calibrated."""
        return expected_ece_if_calibrated(self.bins)

    def top_k_accuracy(self, k: int) -> float:
        """The proportion of images whose true class is among the k most probable."""
        return self._n_top_k(k) / self.n_images

    def _n_top_k(self, k: int) -> int:
        return int(np.count_nonzero(self.ranks < k))

    def _top_k_baseline(self, k: int) -> float:
        return int(np.sort(self.confusion.sum(axis=1))[-k:].sum()) / self.n_images

    @cached_property
    def per_class(self) -> tuple[ClassScore, ...]:
        """The scores of each class."""
        support, predicted = self.confusion.sum(axis=1), self.confusion.sum(axis=0)
        return tuple(
            ClassScore(int(support[k]), int(predicted[k]), int(self.confusion[k, k]))
            for k in range(self.n_classes)
        )

    @cached_property
    def macro(self) -> Average:
        """The unweighted mean over the classes that occur as labels or predictions."""
        return Average(*map(float, self._class_averages[0]))

    @cached_property
    def weighted(self) -> Average:
        """The mean over the classes, weighted by support."""
        return Average(*map(float, self._class_averages[1]))

    @cached_property
    def _class_averages(self) -> tuple[Floats, Floats]:
        counts = np.diag(self.confusion), self.confusion.sum(axis=1), self.confusion.sum(axis=0)
        correct, support, predicted = (count[np.newaxis].astype(np.float64) for count in counts)
        ratios = _class_ratios(correct, support, predicted)
        occurs = (support + predicted) > 0
        return _mean(ratios, occurs)[:, 0], _mean(ratios, support)[:, 0]

    @property
    def balanced_accuracy(self) -> float:
        """The mean recall of the classes with images."""
        return float(np.mean([c.recall for c in self.per_class if c.support]))

    @cached_property
    def confusions(self) -> tuple[Confusion, ...]:
        """The confused pairs of classes, most frequent first."""
        return list_confusions(self.confusion)

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """Every score with its interval and its baseline."""
        return _metrics(self)

    @cached_property
    def f1_intervals(self) -> tuple[Interval, ...]:
        """The 95 % bootstrap interval of each class's F1."""
        return tuple(map(percentile_interval, self._resampled_f1.T))

    @cached_property
    def _bootstrap(self) -> Bootstrap:
        return Bootstrap(self.n_images)

    @cached_property
    def _resampled_counts(self) -> tuple[Floats, Floats, Floats]:
        """Correct predictions, images and predictions of each class, in each resample."""
        draw, n = self._bootstrap, self.n_classes
        return (
            draw.totals(self.labels, n, self.is_correct.astype(np.float64)),
            draw.totals(self.labels, n),
            draw.totals(self.predicted, n),
        )

    @cached_property
    def _resampled_f1(self) -> Floats:
        return np.asarray(_class_ratios(*self._resampled_counts)[2])


def score(log_probabilities: Floats, labels: NDArray[np.int64]) -> Scores:
    """Score log-probabilities (n_images, n_classes) against labels (n_images,); n_images ≥ 1."""
    n_images, n_classes = log_probabilities.shape
    rows = np.arange(n_images)
    predicted = np.argmax(log_probabilities, axis=1)
    of_label = log_probabilities[rows, labels][:, np.newaxis]
    is_later = np.arange(n_classes) > labels[:, np.newaxis]
    above = (log_probabilities > of_label) | ((log_probabilities == of_label) & is_later)
    probabilities = np.exp(log_probabilities)
    confidences = probabilities[rows, predicted]
    probabilities[rows, labels] -= 1.0
    return Scores(
        n_classes=n_classes,
        labels=labels,
        predicted=predicted,
        cross_entropies=0.0 - of_label[:, 0],
        squared_errors=np.einsum("ik,ik->i", probabilities, probabilities),
        confidences=confidences,
        ranks=np.count_nonzero(above, axis=1),
    )


def joined(blocks: Sequence[Scores]) -> Scores:
    """The scores of the images of all blocks (at least one), in their order."""
    names = [field.name for field in fields(Scores) if field.name != "n_classes"]
    columns = {name: np.concatenate([getattr(block, name) for block in blocks]) for name in names}
    return Scores(n_classes=blocks[0].n_classes, **columns)


def _class_ratios(correct: Floats, support: Floats, predicted: Floats) -> Floats:
    """Precision, recall and F1 (3, n, n_classes) of counts (n, n_classes); 0 for 0/0."""
    return np.stack(
        [
            correct / np.where(predicted > 0, predicted, 1.0),
            correct / np.where(support > 0, support, 1.0),
            2 * correct / np.where(support + predicted > 0, support + predicted, 1.0),
        ]
    )


def _mean(ratios: Floats, weights: NDArray[np.float64] | NDArray[np.bool_]) -> Floats:
    """The weighted mean (3, n) over the classes of ratios (3, n, n_classes)."""
    return np.asarray((ratios * weights).sum(axis=-1) / weights.sum(axis=-1))


def _metrics(scores: Scores) -> tuple[Metric, ...]:
    n, counts = scores.n_images, scores.confusion.sum(axis=1)
    majority, present = scores.majority_baseline, int(np.count_nonzero(counts))
    tops = tuple(
        Metric(
            f"top_{k}_accuracy",
            scores.top_k_accuracy(k),
            wilson_interval(scores._n_top_k(k), n),
            scores._top_k_baseline(k),
        )
        for k in TOP_K
        if k < scores.n_classes
    )
    draw, k = scores._bootstrap, scores.n_classes
    return (
        Metric("accuracy", scores.accuracy, scores.accuracy_interval, majority),
        *tops,
        *_class_metrics(scores, majority, present),
        Metric(
            "cross_entropy",
            scores.cross_entropy,
            percentile_interval(draw.means(scores.cross_entropies)),
            scores.chance_cross_entropy,
            higher_is_better=False,
        ),
        Metric(
            "brier_score",
            scores.brier_score,
            percentile_interval(draw.means(scores.squared_errors)),
            1 - 1 / k,
            higher_is_better=False,
        ),
        Metric(
            "expected_calibration_error",
            scores.expected_calibration_error,
            _calibration_interval(scores),
            scores.expected_ece_if_calibrated,
            higher_is_better=False,
        ),
    )


def _class_metrics(scores: Scores, majority: float, n_present: int) -> tuple[Metric, ...]:
    """The averages over classes. majority: the proportion of the most frequent class."""
    correct, support, predicted = scores._resampled_counts
    ratios = _class_ratios(correct, support, predicted)
    macro, weighted = _mean(ratios, (support + predicted) > 0), _mean(ratios, support)
    balanced = _mean(ratios, support > 0)[1]
    majority_f1 = 2 * majority / (1 + majority)
    rows = (
        ("balanced_accuracy", scores.balanced_accuracy, balanced, 1 / n_present),
        ("macro_precision", scores.macro.precision, macro[0], majority / n_present),
        ("macro_recall", scores.macro.recall, macro[1], 1 / n_present),
        ("macro_f1", scores.macro.f1, macro[2], majority_f1 / n_present),
        ("weighted_precision", scores.weighted.precision, weighted[0], majority**2),
        ("weighted_recall", scores.weighted.recall, weighted[1], majority),
        ("weighted_f1", scores.weighted.f1, weighted[2], majority * majority_f1),
    )
    return tuple(
        Metric(name, value, percentile_interval(resampled), baseline)
        for name, value, resampled, baseline in rows
    )


def _calibration_interval(scores: Scores) -> Interval:
    bins = bin_of(scores.confidences)
    surplus = scores.is_correct - scores.confidences
    gaps = scores._bootstrap.totals(bins, N_BINS, surplus)
    resampled = np.abs(gaps).sum(axis=1) / scores._bootstrap.n_images
    return basic_interval(scores.expected_calibration_error, resampled, 0.0)
