"""The model of wrong labels: its fit, its probabilities, and the ranking that follows from it."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, logit

from softmaxce.metrics.label_noise import LISTED, fit_label_noise
from softmaxce.numerics import softmax


def problem(seed, *, n=2000, n_classes=5, temperature=1.0, uniform=0.1, scale=3.0):
    """Logits that are too large by a factor, and labels of which some are drawn at random."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(n, n_classes)) * scale
    labels = np.array([random.choice(n_classes, p=p) for p in softmax(logits, axis=1)])
    is_random = random.random(n) < uniform
    labels[is_random] = random.integers(0, n_classes, is_random.sum())
    return logits * temperature, labels, is_random


@pytest.mark.parametrize("seed", range(8))
def test_the_fit_is_the_maximum_of_the_likelihood(seed):
    random = np.random.default_rng(seed)
    choices = {"n_classes": int(random.integers(2, 9)), "uniform": random.uniform(0.02, 0.5)}
    logits, labels, _ = problem(seed, temperature=random.uniform(0.3, 3), **choices)
    n, n_classes = logits.shape

    def loss(at):
        p = np.exp(log_softmax(logits * np.exp(at[0]), axis=1)[np.arange(n), labels])
        error_rate = (n_classes - 1) / n_classes * expit(at[1])
        return -np.log((1 - error_rate) * p + error_rate * (1 - p) / (n_classes - 1)).mean()

    bounds = [(-5, 5), (-8, 8)]
    best = minimize(loss, [0, -2], method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-14})
    found = fit_label_noise(logits, labels)
    assert -np.log(found.temperature) == pytest.approx(best.x[0], abs=1e-3)
    assert logit(found.uniform) == pytest.approx(best.x[1], abs=1e-3)


def test_the_planted_temperature_and_noise_are_estimated():
    found = fit_label_noise(*problem(1, n=20_000, temperature=2.0, uniform=0.2)[:2])
    assert found.temperature == pytest.approx(2.0, rel=0.05)
    assert found.error_rate == pytest.approx(0.2 * 4 / 5, abs=0.01)


def test_the_probability_of_a_wrong_label_is_calibrated():
    logits, labels, is_random = problem(2, n=20_000, uniform=0.2)
    found = fit_label_noise(logits, labels)
    p_wrong, truth = found.p_wrong(found.of_label), np.zeros(len(labels))
    # A random label is right by chance with the probability of its class.
    truth[is_random] = 1 - softmax(logits, axis=1)[np.arange(len(labels)), labels][is_random]
    for low in np.arange(0, 1, 0.25):
        chosen = (p_wrong >= low) & (p_wrong < low + 0.25)
        assert p_wrong[chosen].mean() == pytest.approx(truth[chosen].mean(), abs=0.04)


def test_the_posterior_by_hand():
    found = fit_label_noise(*problem(3)[:2])
    p, e = 0.3, found.error_rate
    wrong = e * (1 - p) / 4
    assert found.p_wrong(np.log(p)) == pytest.approx(wrong / ((1 - e) * p + wrong))
    p_wrong = found.p_wrong(found.of_label)
    assert (np.diff(p_wrong[found.ranking]) <= 0).all()
    assert set(found.listed) == set(np.flatnonzero(p_wrong >= LISTED))
    of_others = found.logits.copy()
    of_others[np.arange(2000), found.labels] = -np.inf
    assert (found.likelier == of_others.argmax(axis=1)).all()
    assert (found.likelier != found.labels).all()


def test_the_ranking_is_that_of_cleanlab():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on the import of its own dependencies
        rank = pytest.importorskip("cleanlab.rank")
    for seed in range(1000):
        random = np.random.default_rng(seed)
        n, n_classes = int(random.integers(20, 200)), int(random.integers(2, 12))
        logits = random.normal(size=(n, n_classes)) * random.uniform(0.5, 5)
        labels = np.r_[np.arange(n_classes), random.integers(0, n_classes, n - n_classes)]
        found = fit_label_noise(logits, labels)
        p = np.exp(found.log_probabilities)
        quality = rank.get_label_quality_scores(labels, p, method="self_confidence")
        assert (np.diff(quality[found.ranking]) >= 0).all(), seed
        assert np.exp(found.of_label) == pytest.approx(quality, abs=1e-12)


def test_the_sensitivity_is_that_of_labels_replaced_at_random():
    logits, labels, _ = problem(4, n=20_000, uniform=0.05, scale=6.0)
    found, random = fit_label_noise(logits, labels), np.random.default_rng(5)
    n_first = found.n_reviewed
    last = found.of_label[found.ranking[n_first - 1]]
    others = (labels + random.integers(1, 5, len(labels))) % 5
    share = np.mean(found.log_probabilities[np.arange(len(labels)), others] < last)
    assert found.sensitivity(n_first) == pytest.approx(share, abs=0.01)
    assert found.sensitivity(0) == 0
    assert not found.is_too_weak


@pytest.mark.parametrize("seed", range(5))
def test_labels_without_meaning_are_not_listed(seed):
    random = np.random.default_rng(seed)
    logits, labels = random.normal(size=(500, 3)), random.integers(0, 3, 500)
    assert fit_label_noise(logits, labels).is_too_weak


def test_rare_labels_without_meaning_are_not_listed():
    random = np.random.default_rng(0)
    labels = (random.random(2000) < 0.05).astype(int)
    logits = np.array([3.0, 0.0]) + random.normal(size=(2000, 2)) / 3
    found = fit_label_noise(logits, labels)
    assert found.sensitivity(found.n_reviewed) > 0.5  # a random wrong label is mostly a rare one
    assert not found.has_skill
    assert found.is_too_weak


def test_extreme_logits_have_a_fit():
    labels = np.arange(40) % 2
    for factor in (1.0, 1e4, -1.0, 0.0):
        found = fit_label_noise(factor * np.eye(2)[labels], labels)
        assert np.isfinite([found.temperature, found.uniform]).all()
        assert np.isfinite(found.p_wrong(found.of_label)).all()
        assert found.is_too_weak == (factor <= 0)
