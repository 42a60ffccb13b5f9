"""Intervals and the test for groups of images, against SciPy and against what they promise."""

from __future__ import annotations

import itertools
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import f_oneway, t

from softmaxce.metrics.comparison import compare, mcnemar_p_value
from softmaxce.metrics.group_intervals import (
    difference_of_means_interval,
    effective_number,
    mean_loss_interval,
    sign_flip_p_value,
    student_quantile,
)
from softmaxce.metrics.intervals import MAX_BLOCKS, Z_95, Bootstrap
from softmaxce.metrics.scores import score
from softmaxce.numerics import log_softmax

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "group_intervals.py"


@pytest.fixture(scope="module")
def simulation():
    """The benchmark, which simulates sets of images in groups."""
    spec = spec_from_file_location("group_intervals", BENCHMARK)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("degrees", [1, 1.5, 2, 3.7, 29, 1000, 9999, 10**6])
def test_students_quantile_is_scipys(degrees):
    assert student_quantile(degrees) == pytest.approx(t.ppf(0.975, degrees), rel=2e-4)


def test_intervals_and_test_have_the_promised_error_rates(simulation):
    """1,000 sets of 30 to 100 groups of 1 to 30 images, accuracies 0.6 to 0.95, correlation 0.7."""
    random = np.random.default_rng(19)
    found = []
    for _ in range(1000):
        accuracy, n_groups = random.uniform(0.6, 0.95), random.integers(30, 101)
        a, b = simulation.two_models(random, n_groups, accuracy)
        found.append(simulation.hits(a, b, accuracy, simulation.true_cross_entropy(accuracy)))
    *coverages, level = np.mean(found, axis=0)
    assert all(0.93 <= coverage <= 0.97 for coverage in coverages), coverages
    assert 0.03 <= level <= 0.07


def test_without_groups_intervals_are_too_narrow(simulation):
    random = np.random.default_rng(20)
    sets = [simulation.two_models(random, 60, 0.8)[0] for _ in range(300)]
    intervals = [replace(s, groups=None).accuracy_interval for s in sets]
    assert np.mean([low <= 0.8 <= high for low, high in intervals]) < 0.6


def test_images_that_all_agree_with_their_group_are_worth_as_many_as_there_are_groups():
    groups = np.repeat(np.arange(50), 20)
    worth = effective_number(groups % 3 == 0, groups)
    assert worth == pytest.approx(50 * (Z_95 / t.ppf(0.975, 49)) ** 2, rel=1e-3)
    assert effective_number(np.ones(1000, bool), groups) == pytest.approx(worth, rel=1e-3)


def test_a_group_of_each_image_changes_only_the_quantile():
    is_success = np.random.default_rng(1).random(400) < 0.7
    worth = effective_number(is_success, np.arange(400))
    assert worth == pytest.approx(400 * (Z_95 / t.ppf(0.975, 399)) ** 2, rel=1e-3)


def test_one_group_tells_next_to_nothing():
    assert effective_number(np.arange(30) < 20, np.zeros(30, np.int64)) < 0.03


def test_the_standard_error_follows_from_the_analysis_of_variance():
    random = np.random.default_rng(2)
    sizes = random.integers(1, 12, 40)
    groups = np.repeat(np.arange(40), sizes)
    values = random.normal(size=40)[groups] + random.normal(size=len(groups))
    f = f_oneway(*(values[groups == g] for g in range(40))).statistic
    n, squares = sizes.sum(), (sizes**2).sum()
    correlation = (f - 1) / (f - 1 + (n - squares / n) / 39)
    variance = values.var() / n * (1 + (squares / n - 1) * correlation)
    low, high = difference_of_means_interval(values, groups)
    assert (low + high) / 2 == pytest.approx(values.mean())
    assert (high - low) / 2 == pytest.approx(t.ppf(0.975, 39) * variance**0.5, rel=1e-4)


def test_the_interval_of_a_loss_is_positive_and_finite():
    groups = np.repeat(np.arange(30), 10)
    for losses in (groups == 0, np.where(groups == 0, 1e-300, 0), np.full(300, 0.5)):
        low, high = mean_loss_interval(losses.astype(float), groups)
        assert 0 < low <= losses.mean() <= high < np.inf
    assert mean_loss_interval(np.zeros(300), groups) == (0, 0)


def test_the_sign_flip_test_counts_all_signs():
    random = np.random.default_rng(3)
    for n_groups in (2, 5, 9):
        groups, differences = random.integers(0, n_groups, 80), random.integers(-1, 2, 80)
        sums = np.bincount(groups, differences)
        signs = itertools.product((-1, 1), repeat=len(sums))
        p = np.mean([abs(np.dot(sums, flips)) >= abs(sums.sum()) for flips in signs])
        assert sign_flip_p_value(differences, groups) == pytest.approx(p)


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (1, 0), (3, 9), (40, 61), (0, 12)])
def test_the_sign_flip_test_of_single_images_is_mcnemars(only_a, only_b):
    differences = np.array([-1] * only_a + [1] * only_b + [0] * 30)
    p = sign_flip_p_value(differences, np.arange(len(differences)))
    assert p == pytest.approx(mcnemar_p_value(only_a, only_b))


def test_the_bootstrap_draws_whole_groups():
    for n_groups in (30, MAX_BLOCKS + 500):
        groups = np.repeat(np.arange(n_groups), 7)
        of_group = np.random.default_rng(4).normal(size=n_groups)
        means = Bootstrap(len(groups), groups).means(of_group[groups])
        assert means.std() == pytest.approx(of_group.std() / n_groups**0.5, rel=0.1)


def some_scores(groups):
    random = np.random.default_rng(5)
    labels, logits = random.integers(0, 3, 300), random.normal(size=(300, 3))
    logits[np.arange(300), labels] += 1
    return replace(score(log_softmax(logits, axis=1), labels), groups=groups)


def test_every_interval_counts_groups_and_no_value_changes():
    plain, grouped = some_scores(None), some_scores(np.arange(300) // 30)
    for a, b in zip(plain.metrics, grouped.metrics, strict=True):
        assert (a.name, a.value, a.baseline) == (b.name, b.value, b.baseline)
        assert a.interval != b.interval
    for a, b in zip(plain.per_class, grouped.per_class, strict=True):
        assert a.recall == b.recall
        assert b.recall_interval != a.recall_interval != b.precision_interval
    assert plain.bins[7].accuracy_interval != grouped.bins[7].accuracy_interval


def test_two_models_without_a_difference_have_an_interval_wider_than_0():
    scores = some_scores(np.arange(300) // 10)
    found = compare(scores, scores, np.zeros(300, bool))
    low, high = found.accuracy_difference_interval
    assert low < 0 < high
    assert found.p_value == 1


def test_infinite_losses_have_intervals():
    scores = some_scores(np.arange(300) // 10)
    losses = np.where(np.arange(300) < 5, np.inf, scores.cross_entropies)
    worse = replace(scores, cross_entropies=losses)
    assert next(m for m in worse.metrics if m.name == "cross_entropy").interval[1] == np.inf
    low, high = compare(scores, worse, np.zeros(300, bool)).cross_entropy_difference_interval
    assert low <= 0
    assert high == np.inf
