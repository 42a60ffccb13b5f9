"""Scores of predictions: proportions and losses, each with a confidence interval and a baseline.

Every score equals that of scikit-learn's function of the same name up to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from softmaxce.metrics.calibration import N_BINS, Bin, bin_of, reliability_bins
from softmaxce.metrics.class_score import ClassScore
from softmaxce.metrics.confusions import Confusion
from softmaxce.metrics.group_intervals import effective_number, mean_loss_interval
from softmaxce.metrics.intervals import (
    QUANTILES_95,
    Bootstrap,
    Interval,
    basic_interval,
    percentile_interval,
    wilson_interval,
)

Floats = NDArray[np.float64]
Counts = NDArray[np.float64] | NDArray[np.int64]
TOP_K = (2, 3, 5)
RATIOS = ("precision", "recall", "f1")
PROPORTIONS = (
    "accuracy",
    *(f"top_{k}_accuracy" for k in TOP_K),
    "balanced_accuracy",
    *(f"{kind}_{ratio}" for kind in ("macro", "weighted") for ratio in RATIOS),
)
LOSSES = ("cross_entropy", "brier_score", "expected_calibration_error")


@dataclass(frozen=True)
class Metric:
    """One score over all images.

    name: the field of the JSON output; interval: 95 % confidence interval; baseline: the score of
    predictions that ignore the images (docs/reports.md says which).
    """

    name: str
    value: float
    interval: Interval
    baseline: float


@dataclass(frozen=True, eq=False)
class Scores:
    """Predictions for n_images ≥ 1 images and their scores. Every array is (n_images,).

    labels, predicted: classes from 0; cross_entropies: −log p[label], in nats; squared_errors:
    Σ (p − one-hot)²; confidences: p[predicted]; ranks: the number of classes ranked above the true
    one. Ties: the prediction is the first of equally probable classes, while ranks count the later
    ones as higher (as scikit-learn's `top_k_accuracy_score` does). groups: the group of each image,
    numbered from 0, if the intervals shall count groups, not images.
    """

    n_classes: int
    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]
    cross_entropies: Floats
    squared_errors: Floats
    confidences: Floats
    ranks: NDArray[np.int64]
    groups: NDArray[np.int64] | None = None

    @property
    def n_images(self) -> int:
        """The number of images."""
        return len(self.labels)

    def n_effective(
        self, is_success: NDArray[np.bool_], among: NDArray[np.bool_] | slice = slice(None)
    ) -> float | None:
        """How many independent images the images (those `among` them) are worth for the proportion
        of successes (n_images,); None if they are not grouped, or if there are none."""
        if self.groups is None or not len(groups := self.groups[among]):
            return None
        return effective_number(is_success[among], groups)

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
        return self.confusion_among(np.arange(self.n_classes))

    def confusion_among(self, classes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Its rows and columns of these classes: (n, n) counts."""
        n, place = len(classes), np.full(self.n_classes, -1)
        place[classes] = np.arange(n)
        rows, columns = place[self.labels], place[self.predicted]
        is_among = (rows >= 0) & (columns >= 0)
        cells = rows[is_among] * n + columns[is_among]
        return np.bincount(cells, minlength=n * n).reshape(n, n).astype(np.int64, copy=False)

    @cached_property
    def confusion_cells(self) -> NDArray[np.int64]:
        """Its counts that are not 0, as rows (true class, predicted class, count)."""
        pairs = self.labels * self.n_classes + self.predicted
        cells, counts = np.unique(pairs, return_counts=True)
        return np.stack([*np.divmod(cells, self.n_classes), counts], axis=1)

    @property
    def accuracy(self) -> float:
        """The proportion of correct predictions."""
        return self.n_correct / self.n_images

    @property
    def accuracy_interval(self) -> Interval:
        """Its 95 % Wilson interval."""
        return wilson_interval(self.n_correct, self.n_images, self.n_effective_correct)

    @cached_property
    def n_effective_correct(self) -> float | None:
        """As `n_effective`, for the accuracy."""
        return self.n_effective(self.is_correct)

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
        bins = reliability_bins(self.confidences, self.is_correct)
        if self.groups is None:
            return bins
        of_image = bin_of(self.confidences)
        numbers = (self.n_effective(self.is_correct, of_image == b) for b in range(N_BINS))
        return tuple(map(lambda b, n: replace(b, n_effective=n), bins, numbers))

    @property
    def mean_confidence(self) -> float:
        """The mean probability of the predicted class."""
        return float(self.confidences.mean())

    @property
    def expected_calibration_error(self) -> float:
        """Σ (n_bin / n) · |accuracy − mean confidence| (Guo et al. 2017, ICML, section 2)."""
        gaps = (b.n_images * abs(b.accuracy - b.mean_confidence) for b in self.bins)
        return sum(gaps) / self.n_images

    @property
    def expected_ece_if_calibrated(self) -> float:
        """The calibration error that a perfectly calibrated model is expected to show by chance.

        The number of correct predictions in a bin is binomial; the mean absolute deviation of its
        normal approximation is √(2/π) times the standard deviation.
        """
        means = np.array([b.mean_confidence for b in self.bins])
        variances = [b.n_images for b in self.bins] * np.maximum(means * (1 - means), 0.0)
        return float(np.sqrt(2 / np.pi * variances).sum()) / self.n_images

    def top_k_accuracy(self, k: int) -> Metric:
        """The proportion of images whose true class is among the k most probable."""
        is_hit, n = self.ranks < k, self.n_images
        n_hits = int(np.count_nonzero(is_hit))
        interval = wilson_interval(n_hits, n, self.n_effective(is_hit))
        return Metric(f"top_{k}_accuracy", n_hits / n, interval, self._top_k_baseline(k))

    def _top_k_baseline(self, k: int) -> float:
        return int(np.sort(self._counts[1])[-k:].sum()) / self.n_images

    @cached_property
    def _counts(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Correct predictions, images and predictions of each class."""
        correct, support, predicted = (
            np.bincount(classes, minlength=self.n_classes)
            for classes in (self.labels[self.is_correct], self.labels, self.predicted)
        )
        return correct, support, predicted

    @cached_property
    def _resampled_counts(self) -> tuple[Floats, Floats, Floats]:
        """The same (n_resamples, n_classes) in each resample."""
        draw, n = self._bootstrap, self.n_classes
        return (
            draw.totals(self.labels, n, self.is_correct.astype(np.float64)),
            draw.totals(self.labels, n),
            draw.totals(self.predicted, n),
        )

    @cached_property
    def per_class(self) -> tuple[ClassScore, ...]:
        """The scores of each class."""
        columns = [counts.tolist() for counts in self._counts]
        if self.groups is not None:
            for sides in (self.labels, self.predicted):
                of_class = (sides == k for k in range(self.n_classes))
                columns.append([self.n_effective(self.is_correct, among) for among in of_class])
        return tuple(map(ClassScore, *columns))

    @property
    def n_present(self) -> int:
        """The number of classes that have images."""
        return sum(c.support > 0 for c in self.per_class)

    @cached_property
    def class_averages(self) -> dict[str, float]:
        """The averages over the classes, by name."""
        return {name: float(mean) for name, mean in _class_averages(*self._counts).items()}

    @cached_property
    def confusions(self) -> tuple[Confusion, ...]:
        """The confused pairs of classes, most frequent first."""
        found = [
            Confusion(i, j, count, self.per_class[i].support)
            for i, j, count in self.confusion_cells.tolist()
            if i != j
        ]
        return tuple(sorted(found, key=lambda c: -c.count))

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """Every score with its interval and its baseline."""
        n, draw = self.n_classes, self._bootstrap
        cross_entropy = self._mean_interval(self.cross_entropies)
        brier_score = self._mean_interval(self.squared_errors)
        surplus = self.is_correct - self.confidences
        gaps = np.abs(draw.totals(bin_of(self.confidences), N_BINS, surplus)).sum(axis=1)
        ece = self.expected_calibration_error
        ece_interval = basic_interval(ece, gaps / draw.n_images)
        return (
            Metric("accuracy", self.accuracy, self.accuracy_interval, self.majority_baseline),
            *(self.top_k_accuracy(k) for k in TOP_K if k < n),
            *self._class_metrics(),
            Metric("cross_entropy", self.cross_entropy, cross_entropy, self.chance_cross_entropy),
            Metric("brier_score", self.brier_score, brier_score, 1 - 1 / n),
            Metric(
                "expected_calibration_error", ece, ece_interval, self.expected_ece_if_calibrated
            ),
        )

    def _mean_interval(self, losses: Floats) -> Interval:
        if self.groups is not None and np.isfinite(losses).all():
            return mean_loss_interval(losses, self.groups)
        return percentile_interval(self._bootstrap.means(losses))

    def _class_metrics(self) -> list[Metric]:
        majority, n_present = self.majority_baseline, self.n_present
        majority_f1 = 2 * majority / (1 + majority)
        baselines = {
            "balanced_accuracy": 1 / n_present,
            "macro_precision": majority / n_present,
            "macro_recall": 1 / n_present,
            "macro_f1": majority_f1 / n_present,
            "weighted_precision": majority**2,
            "weighted_recall": majority,
            "weighted_f1": majority * majority_f1,
        }
        resampled = _class_averages(*self._resampled_counts)
        return [
            Metric(name, self.class_averages[name], percentile_interval(resampled[name]), baseline)
            for name, baseline in baselines.items()
        ]

    @cached_property
    def f1_intervals(self) -> tuple[Interval, ...]:
        """The 95 % bootstrap interval of each class's F1."""
        f1 = _class_ratios(*self._resampled_counts)[2]
        lows, highs = np.quantile(f1, QUANTILES_95, axis=0, method="inverted_cdf").tolist()
        return tuple(zip(lows, highs, strict=True))

    @cached_property
    def _bootstrap(self) -> Bootstrap:
        return Bootstrap(self.n_images, self.groups)


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
    """The scores of the images of all blocks (at least one), in their order, not grouped."""
    names = [f.name for f in fields(Scores) if f.name not in ("n_classes", "groups")]
    columns = {name: np.concatenate([getattr(block, name) for block in blocks]) for name in names}
    return Scores(n_classes=blocks[0].n_classes, **columns)


def _class_ratios(correct: Counts, support: Counts, predicted: Counts) -> Floats:
    """Precision, recall and F1 (3, …, n_classes) of counts (…, n_classes); 0 for 0/0."""
    both = support + predicted
    parts = ((correct, predicted), (correct, support), (2 * correct, both))
    return np.stack([count / np.maximum(total, 1) for count, total in parts])


def _class_averages(correct: Counts, support: Counts, predicted: Counts) -> dict[str, Floats]:
    """Averages (…) over the classes of counts (…, n_classes), by the name of the score.

    macro: the unweighted mean over the classes that occur as labels or predictions; weighted: the
    mean weighted by support; balanced accuracy: the mean recall of the classes with images.
    """
    ratios = _class_ratios(correct, support, predicted)
    averages = {"balanced_accuracy": _mean(ratios[1], support > 0)}
    for kind, weights in (("macro", support + predicted > 0), ("weighted", support)):
        means = zip(RATIOS, _mean(ratios, weights), strict=True)
        averages |= {f"{kind}_{ratio}": mean for ratio, mean in means}
    return averages


def _mean(values: Floats, weights: Counts | NDArray[np.bool_]) -> Floats:
    """The weighted mean over the last axis, the classes."""
    return np.asarray((values * weights).sum(axis=-1) / weights.sum(axis=-1))
