"""Every score against scikit-learn's, on random problems with absent classes and ties."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import sklearn
import sklearn.metrics as sk
from scipy.linalg import block_diag

from softmaxce.metrics.scores import score

N_PROBLEMS = 400


def random_problem(seed):
    """Log-probabilities and labels: 2 to 8 classes, some absent, often ties, often few images."""
    random = np.random.default_rng(seed)
    n_classes = int(random.integers(2, 9))
    n_images = int(random.integers(1, 60))
    probabilities = random.dirichlet(np.full(n_classes, 0.7), n_images)
    if seed % 2:  # tenths, so that many classes are equally probable
        tenths = random.multinomial(10, np.full(n_classes, 1 / n_classes), n_images)
        probabilities = (tenths + 0.5) / (10 + 0.5 * n_classes)
    occurring = random.choice(n_classes, int(random.integers(1, n_classes + 1)), replace=False)
    labels = random.choice(occurring, n_images)
    return np.log(probabilities), labels.astype(np.int64)


@pytest.fixture(scope="module")
def problems():
    return [random_problem(seed) for seed in range(N_PROBLEMS)]


@pytest.fixture(autouse=True)
def _quiet():
    """scikit-learn warns where a class is absent; that is what these problems are about.

    Without its checks of its own arguments it is faster and computes the same.
    """
    fast = sklearn.config_context(assume_finite=True, skip_parameter_validation=True)
    with warnings.catch_warnings(), fast:
        warnings.simplefilter("ignore")
        yield


def same(ours, theirs):
    return ours == pytest.approx(theirs, rel=1e-12, abs=1e-12)


def test_the_problems_are_as_hard_as_they_claim(problems):
    ties = sum(
        bool((np.diff(np.sort(log_p, axis=1)[:, -2:], axis=1) == 0).any()) for log_p, _ in problems
    )
    absent = sum(len(np.unique(labels)) < p.shape[1] for p, labels in problems)
    assert ties > 0.3 * N_PROBLEMS
    assert absent > 0.3 * N_PROBLEMS


def side_by_side(problems, n_at_once=50):
    """The scores, labels and predictions of several problems, as of one with all their classes.

    scikit-learn spends its time on looking at its arguments, so it is asked once for many
    problems. Their classes are numbered one after another and never confused with each other.
    """
    for group in batched(problems, n_at_once):
        scores = [score(log_p, labels) for log_p, labels in group]
        first_classes = np.cumsum([0, *(log_p.shape[1] for log_p, _ in group)])
        labels = [first + labels for first, (_, labels) in zip(first_classes, group, strict=False)]
        predicted = [
            first + np.argmax(log_p, axis=1)
            for first, (log_p, _) in zip(first_classes, group, strict=False)
        ]
        yield scores, np.concatenate(labels), np.concatenate(predicted)


def batched(items, size):
    """itertools.batched, which Python has from 3.12."""
    return (items[start : start + size] for start in range(0, len(items), size))


def test_confusion_matrices_are_scikit_learns(problems):
    for scores, labels, predicted in side_by_side(problems):
        ours = block_diag(*(s.confusion for s in scores))
        theirs = sk.confusion_matrix(labels, predicted, labels=range(len(ours)))
        np.testing.assert_array_equal(ours, theirs)


def test_ratios_and_support_of_each_class_are_scikit_learns(problems):
    for scores, labels, predicted in side_by_side(problems):
        classes = [c for s in scores for c in s.per_class]
        theirs = sk.precision_recall_fscore_support(
            labels, predicted, labels=range(len(classes)), zero_division=0
        )
        ours = np.array([(c.precision, c.recall, c.f1, c.support) for c in classes]).T
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=0)


def test_averages_over_the_classes_are_scikit_learns(problems):
    for log_p, labels in problems:
        scores, predicted = score(log_p, labels), np.argmax(log_p, axis=1)
        averages = scores.class_averages
        for kind in ("macro", "weighted"):
            theirs = sk.precision_recall_fscore_support(
                labels, predicted, average=kind, zero_division=0
            )
            for ratio, expected in zip(("precision", "recall", "f1"), theirs[:3], strict=True):
                assert same(averages[f"{kind}_{ratio}"], expected)
        expected = sk.balanced_accuracy_score(labels, predicted)
        assert same(averages["balanced_accuracy"], expected)
        n_correct = sk.accuracy_score(labels, predicted, normalize=False)
        assert scores.n_correct == n_correct
        assert same(scores.accuracy, n_correct / len(labels))


def test_losses_are_scikit_learns(problems):
    for log_p, labels in problems:
        scores, every, p = score(log_p, labels), list(range(log_p.shape[1])), np.exp(log_p)
        p /= p.sum(axis=1, keepdims=True)
        assert same(scores.cross_entropy, sk.log_loss(labels, p, labels=every))
        brier = sk.brier_score_loss(labels, p, labels=every, scale_by_half=False)
        assert same(scores.brier_score, brier)
        if len(every) == 2:
            assert same(scores.brier_score / 2, sk.brier_score_loss(labels, p[:, 1], pos_label=1))


def test_top_k_is_scikit_learns(problems):
    for log_p, labels in problems:
        scores, n_classes = score(log_p, labels), log_p.shape[1]
        for k in range(2, n_classes):
            theirs = sk.top_k_accuracy_score(
                labels, log_p, k=k, labels=range(n_classes), normalize=False
            )
            assert np.count_nonzero(scores.ranks < k) == theirs
            assert same(scores.top_k_accuracy(k).value, theirs / len(labels))


def test_reliability_bins_are_scikit_learns(problems):
    from sklearn.calibration import calibration_curve

    for log_p, labels in problems:
        scores = score(log_p, labels)
        filled = [b for b in scores.bins if b.n_images]
        accuracy, confidence = calibration_curve(
            scores.is_correct, np.minimum(scores.confidences, 1.0), n_bins=15
        )
        np.testing.assert_allclose([b.accuracy for b in filled], accuracy, rtol=1e-12, atol=1e-12)
        means = [b.mean_confidence for b in filled]
        np.testing.assert_allclose(means, confidence, rtol=1e-12)
        weights = np.array([b.n_images for b in filled]) / len(labels)
        theirs = float(np.sum(weights * np.abs(accuracy - confidence)))
        assert same(scores.expected_calibration_error, theirs)


def test_baselines_are_scores_of_predictions_that_ignore_the_image(problems):
    for log_p, labels in problems[:200]:
        scores, n_classes = score(log_p, labels), log_p.shape[1]
        counts = np.bincount(labels, minlength=n_classes)
        always = np.full(len(labels), int(np.argmax(counts)))
        uniform = np.full((len(labels), n_classes), 1 / n_classes)
        baseline = {m.name: m.baseline for m in scores.metrics}
        average = {"average": "macro", "zero_division": 0}
        assert same(baseline["accuracy"], sk.accuracy_score(labels, always))
        assert same(baseline["balanced_accuracy"], sk.balanced_accuracy_score(labels, always))
        assert same(baseline["macro_precision"], sk.precision_score(labels, always, **average))
        assert same(baseline["macro_recall"], sk.recall_score(labels, always, **average))
        assert same(baseline["macro_f1"], sk.f1_score(labels, always, **average))
        average["average"] = "weighted"
        assert same(baseline["weighted_precision"], sk.precision_score(labels, always, **average))
        assert same(baseline["weighted_f1"], sk.f1_score(labels, always, **average))
        assert same(
            baseline["cross_entropy"], sk.log_loss(labels, uniform, labels=range(n_classes))
        )
        flat = score(np.log(uniform), labels)
        assert same(baseline["brier_score"], flat.brier_score)
        for k in (2, 3, 5):
            if k < n_classes:
                ranking = np.argsort(np.argsort(-counts, kind="stable"))
                assert same(baseline[f"top_{k}_accuracy"], np.mean(ranking[labels] < k))


def test_a_true_class_of_probability_zero_costs_infinity():
    scores = score(
        np.log(np.array([[1.0, 1e-300], [0.5, 0.5]])) - np.array([[0, math.inf]] * 2),
        np.array([1, 0]),
    )
    metric = {m.name: m for m in scores.metrics}["cross_entropy"]
    assert scores.cross_entropy == math.inf
    assert metric.interval[1] == math.inf
    assert not math.isnan(metric.interval[0])


def test_confusions_name_the_most_frequent_first():
    labels = np.array([0, 0, 0, 1, 1, 2])
    predicted = np.array([1, 1, 0, 0, 1, 0])
    log_p = np.log(np.eye(3)[predicted] * 0.8 + 0.1)
    found = score(log_p, labels).confusions
    assert [(c.label, c.predicted, c.count, c.support) for c in found] == [
        (0, 1, 2, 3),
        (1, 0, 1, 2),
        (2, 0, 1, 1),
    ]
