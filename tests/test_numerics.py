"""softmax and its relatives, against SciPy, mpmath and numbers worked by hand."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import softmaxce
from softmaxce.errors import InputError
from softmaxce.numerics import (
    cross_entropy,
    entropy,
    kl_divergence,
    log_softmax,
    logsumexp,
    one_hot,
    softmax,
)

LOGITS = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=1, max_dims=3, max_side=6),
    elements=st.floats(-1e4, 1e4),
)
PEERS = [
    (softmax, scipy.special.softmax),
    (log_softmax, scipy.special.log_softmax),
    (logsumexp, scipy.special.logsumexp),
]


@pytest.mark.parametrize(("ours", "scipys"), PEERS)
@given(x=LOGITS)
def test_agrees_with_scipy_over_all_axes(ours, scipys, x):
    # SciPy's log_softmax is right to an absolute 1e-16 only; mpmath checks ours further down.
    atol = 1e-15 if ours is log_softmax else 1e-300
    for axis in (None, *range(x.ndim), tuple(range(x.ndim))):
        np.testing.assert_allclose(ours(x, axis=axis), scipys(x, axis=axis), rtol=1e-12, atol=atol)


@pytest.mark.parametrize(("ours", "scipys"), PEERS)
@pytest.mark.parametrize("x", [[0.0, -np.inf], [-np.inf, 1.0, 1.0], [5.0], [1000, 999], [3, 3, 3]])
def test_agrees_with_scipy_at_the_edges(ours, scipys, x):
    np.testing.assert_allclose(ours(x), scipys(x), rtol=1e-15)
    assert np.shape(ours(x)) == np.shape(scipys(x))


@pytest.mark.parametrize(("ours", "scipys"), PEERS)
@pytest.mark.parametrize(
    "x",
    [[0, np.inf], [np.inf, np.inf], [-np.inf, -np.inf], [-np.inf, np.inf], [np.nan, 1.0]],
)
def test_infinite_and_unknown_logits_agree_with_scipy(ours, scipys, x):
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(ours(x), scipys(x))


@pytest.mark.parametrize(
    ("shape", "axis"), [((0,), None), ((3, 0), 1), ((0, 3), 0), ((3, 0), 0), ((0, 3), 1)]
)
def test_the_sum_of_no_terms_is_zero(shape, axis):
    x = np.zeros(shape)
    np.testing.assert_array_equal(logsumexp(x, axis), scipy.special.logsumexp(x, axis))


def test_no_logits_have_probabilities_only_where_there_are_no_images():
    for function in (softmax, log_softmax):
        assert function(np.zeros((0, 3)), axis=1).shape == (0, 3)
        with pytest.raises(ValueError, match="zero-size"):
            function([])


@pytest.mark.parametrize("gap", [1.0, 40.0, 200.0, 700.0])
def test_log_softmax_keeps_relative_accuracy_when_one_logit_dominates(gap):
    with mpmath.workdps(400):
        exact = float(-mpmath.log1p(mpmath.exp(-gap)))
    assert log_softmax([gap, 0.0])[0] == pytest.approx(exact, rel=1e-14)
    assert logsumexp([0.0, -gap]) == pytest.approx(-exact, rel=1e-14)


def test_huge_logits_stay_finite_and_right():
    assert softmax([1000.0, 999.0]) == pytest.approx([1 / (1 + math.exp(-1)), 1 / (1 + math.e)])
    assert softmax([-1e308, 1e308]).tolist() == [0.0, 1.0]
    assert log_softmax([-1e308, 1e308])[1] == 0.0


def test_float32_stays_float32():
    for function in (softmax, log_softmax, logsumexp):
        assert function(np.float32([1, 2, 3])).dtype == np.float32


@pytest.mark.parametrize("function", [softmax, lambda x, axis: np.exp(log_softmax(x, axis))])
@pytest.mark.parametrize("n", [5000, 70_000])
def test_half_precision_is_computed_in_single_precision(function, n):
    probabilities = function(np.zeros((n, 2), "f2"), axis=0)
    np.testing.assert_allclose(probabilities.sum(axis=0), 1, rtol=1e-3)
    assert logsumexp(np.zeros(n, "f2")) == pytest.approx(math.log(n), rel=1e-6)


ANYTHING_BUT_REAL_NUMBERS = [
    np.ma.array([0.0, 1.0], mask=[True, False]),
    [1 + 2j, 0],
    ["1", "2"],
    [None, 1.0],
    np.array([0.1, 0.9], object),
    "a",
    np.array(["2020-01-01", "2020-01-02"], "M8[D]"),
]


@pytest.mark.parametrize("x", ANYTHING_BUT_REAL_NUMBERS, ids=repr)
def test_anything_but_real_numbers_is_refused(x):
    p = [0.5, 0.5]
    for call in (
        lambda: softmax(x),
        lambda: log_softmax(x),
        lambda: logsumexp(x),
        lambda: entropy(x),
        lambda: kl_divergence(x, p),
        lambda: kl_divergence(p, x),
        lambda: kl_divergence(p, p, logs=(np.log(p), x)),
        lambda: cross_entropy(x, p),
        lambda: cross_entropy(np.log(p), x),
    ):
        with pytest.raises(TypeError, match=r"masked arrays|real numbers"):
            call()


def test_numbers_of_the_lesson():
    assert softmax([0.2, 0.3]) == pytest.approx([0.47502081, 0.52497919], abs=5e-9)
    assert cross_entropy(log_softmax([0.2, 0.3]), [1, 0]) == pytest.approx(0.74439666, abs=5e-9)
    assert cross_entropy(log_softmax([0.0, 1.0, 0.0]), [0, 1, 0]) == pytest.approx(
        0.5514447, abs=5e-8
    )


def test_two_ends_of_cross_entropy():
    log_p = [0.0, -np.inf]
    assert cross_entropy(log_p, [1, 0]) == 0.0
    assert math.copysign(1, cross_entropy(log_p, [1, 0])) == 1.0
    assert cross_entropy(log_p, [0, 1]) == np.inf


def test_one_hot():
    assert one_hot(1, 3).tolist() == [0, 1, 0]
    assert one_hot([[0, 2]], 3).tolist() == [[[1, 0, 0], [0, 0, 1]]]
    assert one_hot([], 3).shape == (0, 3)
    assert one_hot(np.zeros((2, 0)), 3).shape == (2, 0, 3)
    for labels in ([3], [-1], [0.5], [True]):
        with pytest.raises(InputError):
            one_hot(labels, 3)
    with pytest.raises(TypeError, match="masked"):
        one_hot(np.ma.array([0, 1], mask=[True, False]), 3)


LOG_P = log_softmax([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]], axis=1)


@pytest.mark.parametrize("labels", [[0, 1, 2], np.array([0, 1, 2], "u1"), np.eye(3), np.eye(3) > 0])
def test_targets_are_labels_or_distributions(labels):
    np.testing.assert_allclose(cross_entropy(LOG_P, labels), [0.2395] * 3, atol=1e-4)
    np.testing.assert_array_equal(
        cross_entropy(LOG_P.T, np.transpose(labels), axis=0), cross_entropy(LOG_P, labels)
    )


def test_labels_of_any_shape_are_targets():
    log_p = np.stack([LOG_P, LOG_P[::-1]])
    labels = np.array([[0, 1, 2], [2, 1, 0]])
    assert cross_entropy(log_p, labels) == pytest.approx(np.full((2, 3), -LOG_P[0, 0]))
    assert cross_entropy(LOG_P[0], 0) == pytest.approx(-LOG_P[0, 0])
    assert cross_entropy(np.zeros((0, 3)), []).shape == (0,)


@pytest.mark.parametrize(
    "targets",
    [
        [[0], [1], [2]],
        [0.0, 1.0, 2.0],
        [0.0, 1.0, 0.0],
        [True, False, True],
        [0, 1],
        [0, 1, 3],
        [0, 1, -1],
        1,
        np.eye(2),
        np.eye(3)[None],
        2 * np.eye(3),
        -np.eye(3),
    ],
    ids=str,
)
def test_targets_that_do_not_fit_are_refused(targets):
    with pytest.raises(InputError):
        cross_entropy(LOG_P, targets)


@pytest.mark.parametrize("given", [np.exp(LOG_P), 2 * np.eye(3), [0.1, 0.2, 0.3] * np.ones((3, 3))])
def test_log_probabilities_above_zero_are_refused(given):
    with pytest.raises(InputError, match="cannot be above 0"):
        cross_entropy(given, np.eye(3))


def test_rounding_above_zero_is_accepted():
    assert cross_entropy(np.float32([1e-7, -20]), [1, 0]) == pytest.approx(0, abs=1e-6)
    assert entropy([1 + 1e-7, 0.0]) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("p", [[-0.1, 1.1], [3, 1], [0.5, -1e-3], [[0.5, 0.5], [1.5, 0.0]]])
def test_what_cannot_be_a_probability_is_refused(p):
    q = np.full(np.shape(p), 0.5)
    for call in (lambda: entropy(p), lambda: kl_divergence(p, q), lambda: kl_divergence(q, p)):
        with pytest.raises(InputError, match="between 0 and 1"):
            call()


def test_kl_divergence_compares_the_same_classes():
    p = np.exp(LOG_P)
    assert kl_divergence(p, [1 / 3] * 3).shape == (3,)
    for q in (np.full((3, 1), 0.3), [0.5, 0.5]):
        with pytest.raises(InputError, match="same classes"):
            kl_divergence(p, q)


@given(p=hnp.arrays(np.float64, 4, elements=st.floats(0, 50)).filter(lambda a: a.sum() > 0.1))
def test_entropies_agree_with_scipy(p):
    p = p / p.sum()
    q = np.array([0.1, 0.2, 0.3, 0.4])
    assert entropy(p) == pytest.approx(scipy.special.entr(p).sum(), abs=1e-14)
    assert kl_divergence(p, q) == pytest.approx(scipy.special.rel_entr(p, q).sum(), abs=1e-13)
    assert cross_entropy(np.log(q), p) == pytest.approx(entropy(p) + kl_divergence(p, q), abs=1e-13)


def test_kl_divergence_to_a_zero_is_infinite():
    assert kl_divergence([0.5, 0.5], [1.0, 0.0]) == np.inf
    assert kl_divergence([1.0, 0.0], [0.5, 0.5]) == pytest.approx(math.log(2))


def test_kl_divergence_from_logarithms_where_a_probability_underflows():
    log_p, log_q = log_softmax([0.0, 0.0]), log_softmax([0.0, -2000.0])
    p, q = np.exp(log_p), np.exp(log_q)
    assert q[1] == 0.0
    assert kl_divergence(p, q) == np.inf
    assert kl_divergence(p, q, logs=(log_p, log_q)) == pytest.approx(1000.0 - math.log(2))


def test_public_names():
    assert set(softmaxce.__all__) <= set(dir(softmaxce))
    assert softmaxce.softmax is softmax
    with pytest.raises(AttributeError):
        softmaxce.nonsense  # noqa: B018


@pytest.mark.parametrize("axis", [1, -2, 5])
def test_an_axis_that_does_not_exist_is_named(axis):
    with pytest.raises(InputError, match=f"no axis {axis} of classes in the shape"):
        cross_entropy(np.log([0.5, 0.5]), [1, 0], axis=axis)
