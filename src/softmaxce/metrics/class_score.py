"""The scores of one class."""

from __future__ import annotations

from dataclasses import dataclass

from softmaxce.metrics.intervals import Interval, wilson_interval


@dataclass(frozen=True)
class ClassScore:
    """The scores of one class. A ratio with denominator 0 is 0, as in scikit-learn by default.

    support: images of the class; n_predicted: images predicted as it; n_correct: both;
    effective_support, effective_predicted: how many independent images they are worth, if they are
    in groups.
    """

    n_correct: int
    support: int
    n_predicted: int
    effective_support: float | None = None
    effective_predicted: float | None = None

    @property
    def precision(self) -> float:
        """The proportion of the images predicted as the class that belong to it."""
        return self.n_correct / self.n_predicted if self.n_predicted else 0.0

    @property
    def precision_interval(self) -> Interval | None:
        """Its 95 % Wilson interval; None if no image was predicted as the class."""
        n = self.n_predicted
        return wilson_interval(self.n_correct, n, self.effective_predicted) if n else None

    @property
    def recall(self) -> float:
        """The proportion of the images of the class that were predicted as it."""
        return self.n_correct / self.support if self.support else 0.0

    @property
    def recall_interval(self) -> Interval | None:
        """Its 95 % Wilson interval; None if there are no images of the class."""
        n = self.support
        return wilson_interval(self.n_correct, n, self.effective_support) if n else None

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.support + self.n_predicted
        return 2 * self.n_correct / total if total else 0.0
