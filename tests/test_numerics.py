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


def test_logsumexp_of_infinities():
    assert logsumexp([-np.inf, -np.inf]) == -np.inf
    assert logsumexp([np.inf, 1.0]) == np.inf


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
    for labels in ([3], [-1], [0.5], [True]):
        with pytest.raises(InputError):
            one_hot(labels, 3)


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
