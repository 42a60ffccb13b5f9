"""How good predictions are: counts, ratios, losses, each with its interval and its baseline.

Every score is that of scikit-learn's function of the same name, to the rounding.
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
    calibration_error_of_luck,
    expected_calibration_error,
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
    def precision_interval(self) -> Interval | None:
        """Its 95 % Wilson interval; None where no image was called so."""
        return wilson_interval(self.n_correct, self.n_predicted) if self.n_predicted else None

    @property
    def recall(self) -> float:
        """Of the images that are of the class, the share called so."""
        return self.n_correct / self.support if self.support else 0.0

    @property
    def recall_interval(self) -> Interval | None:
        """Its 95 % Wilson interval; None where no image is of the class."""
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
    """One score of all images.

    name: its field in machine output; interval: 95 %, None where there is none; baseline: what
    would be reached without looking at a picture; higher_is_better: or else lower.
    """

    name: str
    value: float
    interval: Interval | None
    baseline: float | None
    higher_is_better: bool = True


@dataclass(frozen=True, eq=False)
class Scores:
    """The judgement of predictions on n_images ≥ 1 images: a row (n_images,) for each fact.

    labels, predicted: classes from 0; cross_entropies: −log p[label], in nats; squared_errors:
    Σ (p − one-hot)²; confidences: the probability of the answer; ranks: how many classes were
    ranked above the true one. Of equally probable classes the answer is the first, while ranks
    count the later ones as higher (as scikit-learn's `top_k_accuracy_score` does).
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
        """How many images were judged."""
        return len(self.labels)

    @cached_property
    def is_correct(self) -> NDArray[np.bool_]:
        """(n_images,) whether the answer is right."""
        return np.asarray(self.labels == self.predicted)

    @cached_property
    def n_correct(self) -> int:
        """How many were right."""
        return int(self.is_correct.sum())

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """Counts (n_classes, n_classes): a row for each true class, a column for each answer."""
        return confusion_matrix(self.labels, self.predicted, self.n_classes)

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return self.n_correct / self.n_images

    @property
    def accuracy_interval(self) -> Interval:
        """The accuracy's 95 % Wilson interval."""
        return wilson_interval(self.n_correct, self.n_images)

    @cached_property
    def cross_entropy(self) -> float:
        """The mean cross-entropy, in nats; ∞ where one true class had probability 0."""
        return float(np.mean(self.cross_entropies))

    @cached_property
    def brier_score(self) -> float:
        """The mean of Σ (p − one-hot)² over all classes, 0 to 2 (Brier 1950).

        Twice what scikit-learn's `brier_score_loss` gives for two classes unless it is told not
        to scale by half.
        """
        return float(np.mean(self.squared_errors))

    @property
    def majority_baseline(self) -> float:
        """The accuracy of always answering the class that is most frequent among these images."""
        return self._top_k_baseline(1)

    @property
    def chance_cross_entropy(self) -> float:
        """The cross-entropy of blind guessing, ln K, in nats."""
        return math.log(self.n_classes)

    @cached_property
    def bins(self) -> tuple[Bin, ...]:
        """The answers by their probability: the bins of the reliability diagram."""
        return reliability_bins(self.confidences, self.is_correct)

    @property
    def expected_calibration_error(self) -> float:
        """How far, on average, the probability of an answer lies from how often it is right."""
        return expected_calibration_error(self.bins)

    def top_k_accuracy(self, k: int) -> float:
        """The share of images whose true class is among the k most probable."""
        return self._n_top_k(k) / self.n_images

    def _n_top_k(self, k: int) -> int:
        return int(np.count_nonzero(self.ranks < k))

    def _top_k_baseline(self, k: int) -> float:
        return int(np.sort(self.confusion.sum(axis=1))[-k:].sum()) / self.n_images

    @cached_property
    def per_class(self) -> tuple[ClassScore, ...]:
        """Each class's scores, in the order of the classes."""
        support, predicted = self.confusion.sum(axis=1), self.confusion.sum(axis=0)
        return tuple(
            ClassScore(int(support[k]), int(predicted[k]), int(self.confusion[k, k]))
            for k in range(self.n_classes)
        )

    @cached_property
    def macro(self) -> Average:
        """The plain mean over the classes that occur, as a truth or as an answer."""
        return Average(*map(float, self._class_averages[0]))

    @cached_property
    def weighted(self) -> Average:
        """The mean over the classes, each weighted by its images."""
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
        """The mean recall of the classes that have images."""
        return float(np.mean([c.recall for c in self.per_class if c.support]))

    @cached_property
    def confusions(self) -> tuple[Confusion, ...]:
        """What was taken for what, the most frequent first."""
        return list_confusions(self.confusion)

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """Every score of all images, with its interval and its baseline."""
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
        """Right answers, images and answers of each class in each resample."""
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
    """Judge log-probabilities (n_images, n_classes) against labels (n_images,); n_images ≥ 1."""
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


def joined(parts: Sequence[Scores]) -> Scores:
    """The judgement of all images of at least one part, in the order of the parts."""
    names = [field.name for field in fields(Scores) if field.name != "n_classes"]
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return Scores(n_classes=parts[0].n_classes, **columns)


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
            calibration_error_of_luck(scores.bins),
            higher_is_better=False,
        ),
    )


def _class_metrics(scores: Scores, majority: float, n_present: int) -> tuple[Metric, ...]:
    """The averages over the classes. `majority` is the share of the most frequent class."""
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
