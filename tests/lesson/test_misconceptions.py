"""The ten misconceptions: when each is shown, its numbers by hand or mpmath, in both languages."""

from __future__ import annotations

import math

import mpmath
import pytest
from helpers import translator

from softmaxce import lesson
from softmaxce.views.lesson.formatting import number, step_text
from softmaxce.workflows.explain import explain

mpmath.mp.dps = 40


def all_of(example):
    return {step.name: step for step in lesson.find_misconceptions(example)}


def shown(example):
    """Those that fit, best first."""
    found = lesson.find_misconceptions(example)
    return [step.name for step in found if step.numbers["fit"] > 0]


def words(step, language):
    """All that a reader sees of a misconception."""
    text = step_text(step, range(1000), translator(language))
    said = [text.claim]
    for part in (text, text.more):
        cells = [cell for table in part.tables for row in table.rows for cell in row]
        said += [*part.sentences, *cells, *part.checks]
    return " ".join(said)


def assert_shown(step, *values):
    for language in ("en", "ko"):
        said = words(step, language)
        for value in values:
            assert f"{float(value):.4f}".rstrip("0").replace("-", "−") in said, (value, said)


def test_softmax_can_be_flatter_than_shares():
    step = all_of(lesson.make_example([0.2, 0.3]))["exaggerates"]
    top = 1 / (1 + mpmath.exp(-mpmath.mpf("0.1")))
    assert step.numbers["top_share"] == pytest.approx(0.6)
    assert step.numbers["top_p"] == pytest.approx(float(top), rel=1e-14)
    at = [1 / (1 + mpmath.exp(-mpmath.mpf("0.1") / t)) for t in (0.1, 0.5, 1, 2, 10)]
    assert step.numbers["top_at_temperatures"] == pytest.approx([float(x) for x in at], rel=1e-12)
    assert_shown(step, 0.6, top, *at)
    assert shown(lesson.make_example([0.2, 0.3]))[0] == "exaggerates"
    assert all_of(lesson.make_example([1, 30]))["exaggerates"].numbers["fit"] == 0


def test_logits_that_look_like_probabilities():
    example = lesson.make_example([0, 1, 0])
    step = all_of(example)["looks_like_probabilities"]
    loss = -mpmath.log(mpmath.e / (mpmath.e + 2))  # 0.5514
    assert step.numbers["as_logits"] == pytest.approx(float(loss), rel=1e-14)
    assert step.numbers["as_probabilities"] == 0.0
    assert_shown(step, loss)
    assert shown(example)[0] == "looks_like_probabilities"
    assert "looks_like_probabilities" not in shown(lesson.make_example([0.2, 0.3]))
    assert "looks_like_probabilities" not in shown(lesson.make_example([0, 1, 0], "probabilities"))


def test_softmax_twice():
    example = lesson.make_example([5.0] + [0.0] * 9)
    step = all_of(example)["softmax_twice"]
    floor = mpmath.log(mpmath.e + 9) - 1  # 1.461
    powers = [mpmath.exp(5)] + [mpmath.mpf(1)] * 9
    p = [x / mpmath.fsum(powers) for x in powers]
    twice = mpmath.log(mpmath.fsum(map(mpmath.exp, p))) - p[0]
    assert step.numbers["floor"] == pytest.approx(float(floor), rel=1e-14)
    assert step.numbers["twice"] == pytest.approx(float(twice), rel=1e-14)
    assert_shown(step, floor, twice)
    assert step.numbers["floor"] == pytest.approx(1.461, abs=5e-4)
    assert "softmax_twice" in shown(lesson.make_example([0, 1, 0]))
    assert "softmax_twice" not in shown(lesson.make_example([5, 0]))


def test_a_loss_above_1():
    example = lesson.make_example([0.0] * 9 + [1.0])
    step = all_of(example)["loss_above_1"]
    loss = mpmath.log(9 + mpmath.e)
    assert step.numbers["loss"] == pytest.approx(float(loss), rel=1e-14)
    # ln 2, ln 10, ln 100
    assert step.numbers["uniform_losses"][:3] == pytest.approx([0.693, 2.303, 4.605], abs=5e-4)
    assert_shown(step, loss, 0.6931, 2.3026, 4.6052)
    assert "loss_above_1" in shown(example)
    assert "loss_above_1" not in shown(lesson.make_example([0.3, 0.2]))


def test_same_winner_two_losses():
    example = lesson.make_example([1.0, 0.5, 0.0])
    step = all_of(example)["loss_and_accuracy"]
    now = mpmath.log(1 + mpmath.exp(-0.5) + mpmath.exp(-1))
    doubled = mpmath.log(1 + mpmath.exp(-1) + mpmath.exp(-2))
    assert step.numbers["loss_now"] == pytest.approx(float(now), rel=1e-14)
    assert step.numbers["loss_doubled"] == pytest.approx(float(doubled), rel=1e-14)
    assert_shown(step, now, doubled)
    assert "loss_and_accuracy" in shown(example)
    assert "loss_and_accuracy" not in shown(lesson.make_example([1, 0.5, 0], label=2))


def test_the_wrong_classes_matter_to_the_gradient():
    example = lesson.make_example([math.log(5), math.log(3), math.log(2)])  # p: 0.5, 0.3, 0.2
    step = all_of(example)["wrong_classes"]
    assert step.numbers["gradient"] == pytest.approx([-0.5, 0.3, 0.2])
    assert step.numbers["even_gradient"] == pytest.approx([-0.5, 0.25, 0.25])
    assert step.numbers["loss"] == pytest.approx(math.log(2))
    assert_shown(step, 0.6931, -0.5, 0.25)
    assert "wrong_classes" in shown(example)
    assert all_of(lesson.make_example([1, 2]))["wrong_classes"].numbers["fit"] == 0


def test_the_derivative_of_softmax_is_a_matrix():
    example = lesson.make_example([math.log(5), math.log(3), math.log(2)])
    step = all_of(example)["derivative"]
    # by hand: p₀(1 − p₀), −p₀p₁, −p₀p₂, and times −1/p₀
    assert step.numbers["jacobian_row"] == pytest.approx([0.25, -0.15, -0.1])
    assert step.numbers["chain"] == pytest.approx([-0.5, 0.3, 0.2])
    assert step.numbers["p_minus_y"] == pytest.approx([-0.5, 0.3, 0.2])
    assert_shown(step, 0.25, -0.15, -0.5)
    assert "derivative" in shown(lesson.make_example([math.log(5), math.log(3), math.log(2)]))


def test_a_high_probability_is_not_an_accuracy():
    example = lesson.make_example([3.0, 0.0])
    step = all_of(example)["calibration"]
    now, softer = 1 / (1 + mpmath.exp(-3)), 1 / (1 + mpmath.exp(-1.5))
    assert step.numbers["p_now"] == pytest.approx(float(now), rel=1e-14)
    assert step.numbers["p_softer"] == pytest.approx(float(softer), rel=1e-14)
    assert_shown(step, now, softer)
    assert "calibration" in shown(example)
    assert "calibration" not in shown(lesson.make_example([0.3, 0.2]))


def test_probabilities_sum_to_1_whatever_the_picture():
    example = lesson.make_example([math.log(3), 0.0, 0.0], classes=["cat", "dog", "person"])
    step = all_of(example)["unknown_picture"]
    assert step.numbers["lower"] == pytest.approx([0.6, 0.2, 0.2], rel=1e-12)
    for language in ("en", "ko"):
        assert "100" in words(step, language)
        assert "1 = 1" in words(step, language)
    named = lesson.make_example([5, 0, 0], classes=["cat", "dog", "person"])
    assert "unknown_picture" in shown(named)
    assert "unknown_picture" not in shown(lesson.make_example([0.2, 0.3]))


def test_softmax_of_two_is_the_sigmoid_of_the_difference():
    example = lesson.make_example([0.2, 0.3])
    step = all_of(example)["sigmoid"]
    sigmoid = 1 / (1 + mpmath.exp(-mpmath.mpf("0.1")))
    assert step.numbers["sigmoid"] == pytest.approx(float(sigmoid), rel=1e-14)
    assert_shown(step, 0.1, sigmoid)
    assert "sigmoid" in shown(example)
    assert "sigmoid" not in shown(lesson.make_example([1, 2, 3]))


def test_the_most_fitting_is_first_and_shown():
    for logits in ([0.2, 0.3], [0, 1, 0], [5, 1, 1], [0.0] * 12):
        example = lesson.make_example(logits)
        fits = [step.numbers["fit"] for step in lesson.find_misconceptions(example)]
        assert fits == sorted(fits, reverse=True)
        assert fits[0] > 0
        assert len(fits) == 10
        explained, in_full = explain(example), explain(example, more=True)
        assert len(explained.misconceptions) == 1
        assert len(explained.other_misconceptions) == 9
        assert len(in_full.misconceptions) == 10


def test_a_stock_example_is_shown_whole():
    """Its classes are not those of the reader."""
    step = all_of(lesson.make_example([3, -1]))["wrong_classes"]
    table = step_text(step, [0, 1], translator("en")).tables[0]
    assert [row[0] for row in table.rows] == ["cat", "dog", "person"]


def test_stock_numbers_are_used_where_the_readers_cannot_show_the_point():
    step = all_of(lesson.make_example([1, 0, 0], "probabilities", label=2))["derivative"]
    assert step.numbers["is_stock"]
    assert "0.2, 0.3" in words(step, "en")
    assert number(step.numbers["factor"]) in words(step, "ko")
