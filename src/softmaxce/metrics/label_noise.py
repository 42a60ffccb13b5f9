"""Which labels are probably wrong, according to predictions by models that did not see them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from softmaxce.metrics.comparison import binomial_p_value
from softmaxce.numerics import log_softmax

Floats = NDArray[np.float64]
LISTED = 0.5  # probability of a wrong label from which on it is listed
MIN_GAIN = 0.45  # of sensitivity over chance; measured: docs/data.md
SIGNIFICANT = 0.05
_FIRST_UNIFORM = 0.1
_MAX_STEPS = 100
_TOLERANCE = 1e-10  # of the mean negative log-likelihood
_MAX_LOG = 10.0  # beyond it, a parameter no longer changes the likelihood noticeably


@dataclass(frozen=True, eq=False)
class LabelNoise:
    """A model of wrong labels, fitted to out-of-fold logits (n_images, n_classes).

    With the probability `uniform`, a label is drawn from all K classes alike; otherwise, from
    softmax(logits / temperature). So a label is wrong, being another class chosen at random, with
    the probability `error_rate` = uniform · (K − 1) / K.
    """

    logits: Floats
    labels: NDArray[np.int64]
    temperature: float
    uniform: float

    @property
    def error_rate(self) -> float:
        """The estimated share of wrong labels."""
        n_classes: int = self.logits.shape[1]
        return self.uniform * (n_classes - 1) / n_classes

    @cached_property
    def log_probabilities(self) -> Floats:
        """(n_images, n_classes): log-probabilities at the fitted temperature."""
        return np.asarray(log_softmax(self.logits / self.temperature, axis=1))

    @cached_property
    def of_label(self) -> Floats:
        """(n_images,): the log-probability of each label, its self-confidence (Northcutt, Jiang
        and Chuang 2021)."""
        return self.log_probabilities[np.arange(len(self.labels)), self.labels]

    def p_wrong(self, log_probabilities: Floats) -> Floats:
        """The posterior probability that a label is wrong, given its log-probability; it falls
        with it."""
        p, share = np.exp(log_probabilities), self.uniform / self.logits.shape[1]
        return np.asarray(share * (1 - p) / ((1 - self.uniform) * p + share))

    @cached_property
    def ranking(self) -> NDArray[np.int64]:
        """(n_images,): the images, the one whose label is most probably wrong first."""
        return np.argsort(self.of_label, kind="stable")

    @cached_property
    def listed(self) -> NDArray[np.int64]:
        """The images whose labels are more probably wrong than right, in the order of ranking."""
        return self.ranking[: np.count_nonzero(self.p_wrong(self.of_label) >= LISTED)]

    def sensitivity(self, n_first: int) -> float:
        """The share of wrong labels, being other classes chosen at random, that would be among
        the first images of the ranking.

        Each image's prediction was made without its label, so it would be nearly the same if the
        label were another class: nothing has to be trained again.
        """
        if not n_first:
            return 0.0
        last = self.of_label[self.ranking[n_first - 1]]
        n, n_classes = self.logits.shape
        n_found = np.count_nonzero(self.log_probabilities < last)
        n_found -= np.count_nonzero(self.of_label < last)
        return float(n_found / (n * (n_classes - 1)))

    @property
    def n_reviewed(self) -> int:
        """The number of images that evaluate the models: a tenth, or all listed if more."""
        return max(len(self.listed), len(self.labels) // 10, 1)

    @cached_property
    def accuracy(self) -> float:
        """The share of labels that are predicted."""
        return float(np.mean(self.logits.argmax(axis=1) == self.labels))

    @property
    def has_skill(self) -> bool:
        """Whether chance does not explain that the predictions agree with more labels than the
        most frequent label does."""
        n, most = len(self.labels), int(np.bincount(self.labels).max())
        return binomial_p_value(round(self.accuracy * n), n, most / n) < SIGNIFICANT

    @cached_property
    def is_too_weak(self) -> bool:
        """Whether the models cannot tell wrong labels from difficult images: reviewing the first
        images hardly finds more random wrong labels than reviewing as many at random."""
        at_random = self.n_reviewed / len(self.labels)
        return not self.has_skill or self.sensitivity(self.n_reviewed) - at_random < MIN_GAIN

    @cached_property
    def likelier(self) -> NDArray[np.int64]:
        """(n_images,): the most probable class other than the label."""
        others = self.logits.copy()
        others[np.arange(len(others)), self.labels] = -np.inf
        return np.asarray(others.argmax(axis=1))


def fit_label_noise(logits: Floats, labels: NDArray[np.int64]) -> LabelNoise:
    """The temperature and the share of random labels with the highest likelihood.

    Newton's method in the logarithm of 1 / temperature and the logit of `uniform`, damped until
    the likelihood rises and the Hessian is positive definite (Levenberg 1944).
    """
    here = np.array([0.0, np.log(_FIRST_UNIFORM / (1 - _FIRST_UNIFORM))])
    value, gradient, hessian = _derivatives(here, logits, labels)
    damping = 1e-3
    for _ in range(_MAX_STEPS):
        least = max(0.0, -float(np.linalg.eigvalsh(hessian)[0]))
        ridge = 2 * least + damping * np.trace(np.abs(hessian)) + 1e-12
        damped = hessian + ridge * np.eye(2)
        there = np.clip(here - np.linalg.solve(damped, gradient), -_MAX_LOG, _MAX_LOG)
        found = _derivatives(there, logits, labels)
        gain = value - found[0]
        if gain > 0:
            here, (value, gradient, hessian) = there, found
            damping /= 10
        else:
            damping = max(damping * 10, 1e-6)
        if abs(gain) < _TOLERANCE:
            break
    return LabelNoise(logits, labels, float(np.exp(-here[0])), float(1 / (1 + np.exp(-here[1]))))


def _derivatives(
    at: Floats, logits: Floats, labels: NDArray[np.int64]
) -> tuple[float, Floats, Floats]:
    """The mean negative log-likelihood, its gradient (2,) and its Hessian (2, 2)."""
    (n, n_classes), b, uniform = logits.shape, np.exp(at[0]), 1 / (1 + np.exp(-at[1]))
    slope = uniform * (1 - uniform)
    p = np.exp(log_softmax(b * logits, axis=1))
    of_label = np.arange(n), labels
    q, gaps = p[of_label], logits - logits[of_label][:, np.newaxis]
    mean, square = (np.einsum("ik,ik->i", p, power) for power in (gaps, gaps**2))
    q_b, q_bb = -b * q * mean, -b * q * mean + b**2 * q * (2 * mean**2 - square)
    u = (1 - uniform) * q + uniform / n_classes
    surplus = 1 / n_classes - q
    first = np.stack([(1 - uniform) * q_b, slope * surplus]) / u
    mixed = -slope * q_b
    second = np.stack([(1 - uniform) * q_bb, mixed, mixed, slope * (1 - 2 * uniform) * surplus])
    hessian = first @ first.T / n - (second / u).mean(axis=1).reshape(2, 2)
    return float(-np.log(u).mean()), -first.mean(axis=1), hessian
