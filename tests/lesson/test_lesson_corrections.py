"""The ten answers: when each is given, and its numbers by hand or by mpmath, in both languages."""

from __future__ import annotations

import math

import mpmath
import pytest

from softmaxce import lesson
from softmaxce.views.lesson_words import cells, number, proof_text, sentence, translator

mpmath.mp.dps = 40


def answers(example):
    return {step.name: step for step in lesson.answer(example, every=True)}


def given(example):
    return [step.name for step in lesson.answer(example)]


def words(step, language):
    """All that a reader sees of an answer."""
    translate = translator(language)
    lines = [sentence(m, step.numbers, translate) for m in (step.claim, *step.sentences)]
    for table in step.tables:
        for column in table.columns:
            rows = range(len(step.numbers[column.values]))
            lines += cells(column, step.numbers, rows, translate)
    lines += [proof_text(proof, step.numbers, translate) for proof in step.proofs]
    return " ".join(lines)


def assert_shown(step, *values):
    for language in ("en", "ko"):
        said = words(step, language)
        for value in values:
            assert f"{float(value):.4f}".rstrip("0").replace("-", "−") in said, (value, said)


def test_softmax_can_be_flatter_than_shares():
    step = answers(lesson.from_logits([0.2, 0.3]))["exaggerates"]
    top = 1 / (1 + mpmath.exp(-mpmath.mpf("0.1")))
    assert step.numbers["top_share"] == pytest.approx(0.6)
    assert step.numbers["top_p"] == pytest.approx(float(top), rel=1e-14)
    at = [1 / (1 + mpmath.exp(-mpmath.mpf("0.1") / t)) for t in (0.1, 0.5, 1, 2, 10)]
    assert step.numbers["top_at_temperatures"] == pytest.approx([float(x) for x in at], rel=1e-12)
    assert_shown(step, 0.6, top, *at)
    assert "exaggerates" in given(lesson.from_logits([0.2, 0.3]))
    assert answers(lesson.from_logits([1, 30]))["exaggerates"].numbers["fit"] == 0


def test_logits_that_look_like_probabilities():
    example = lesson.from_logits([0, 1, 0])
    step = answers(example)["looks_like_probabilities"]
    loss = -mpmath.log(mpmath.e / (mpmath.e + 2))  # 0.5514
    assert step.numbers["as_logits"] == pytest.approx(float(loss), rel=1e-14)
    assert step.numbers["as_probabilities"] == 0.0
    assert_shown(step, loss)
    assert given(example)[0] == "looks_like_probabilities"
    assert "looks_like_probabilities" not in given(lesson.from_logits([0.2, 0.3]))
    assert "looks_like_probabilities" not in given(lesson.from_probabilities([0, 1, 0]))


def test_softmax_twice():
    example = lesson.from_logits([5.0] + [0.0] * 9)
    step = answers(example)["softmax_twice"]
    floor = mpmath.log(mpmath.e + 9) - 1  # 1.461
    powers = [mpmath.exp(5)] + [mpmath.mpf(1)] * 9
    p = [x / mpmath.fsum(powers) for x in powers]
    twice = mpmath.log(mpmath.fsum(map(mpmath.exp, p))) - p[0]
    assert step.numbers["floor"] == pytest.approx(float(floor), rel=1e-14)
    assert step.numbers["twice"] == pytest.approx(float(twice), rel=1e-14)
    assert_shown(step, floor, twice)
    assert step.numbers["floor"] == pytest.approx(1.461, abs=5e-4)
    assert "softmax_twice" in given(lesson.from_logits([0, 1, 0]))
    assert "softmax_twice" not in given(lesson.from_logits([5, 0]))


def test_a_loss_above_1():
    example = lesson.from_logits([0.0] * 9 + [1.0])
    step = answers(example)["loss_above_1"]
    loss = mpmath.log(9 + mpmath.e)
    assert step.numbers["loss"] == pytest.approx(float(loss), rel=1e-14)
    # ln 2, ln 10, ln 100
    assert step.numbers["blind_losses"][:3] == pytest.approx([0.693, 2.303, 4.605], abs=5e-4)
    assert_shown(step, loss, 0.6931, 2.3026, 4.6052)
    assert "loss_above_1" in given(example)
    assert "loss_above_1" not in given(lesson.from_logits([0.3, 0.2]))


def test_same_winner_two_losses():
    example = lesson.from_logits([1.0, 0.5, 0.0])
    step = answers(example)["loss_and_accuracy"]
    now = mpmath.log(1 + mpmath.exp(-0.5) + mpmath.exp(-1))
    doubled = mpmath.log(1 + mpmath.exp(-1) + mpmath.exp(-2))
    assert step.numbers["loss_now"] == pytest.approx(float(now), rel=1e-14)
    assert step.numbers["loss_doubled"] == pytest.approx(float(doubled), rel=1e-14)
    assert_shown(step, now, doubled)
    assert "loss_and_accuracy" in given(example)
    assert "loss_and_accuracy" not in given(lesson.from_logits([1, 0.5, 0], label=2))


def test_the_wrong_classes_matter_to_the_gradient():
    example = lesson.from_logits([math.log(5), math.log(3), math.log(2)])  # p: 0.5, 0.3, 0.2
    step = answers(example)["wrong_classes"]
    assert step.numbers["gradient"] == pytest.approx([-0.5, 0.3, 0.2])
    assert step.numbers["even_gradient"] == pytest.approx([-0.5, 0.25, 0.25])
    assert step.numbers["loss"] == pytest.approx(math.log(2))
    assert_shown(step, 0.6931, -0.5, 0.25)
    assert "wrong_classes" in given(example)
    assert answers(lesson.from_logits([1, 2]))["wrong_classes"].numbers["fit"] == 0


def test_the_derivative_of_softmax_is_a_matrix():
    example = lesson.from_logits([math.log(5), math.log(3), math.log(2)])
    step = answers(example)["derivative"]
    # by hand: p₀(1 − p₀), −p₀p₁, −p₀p₂, and times −1/p₀
    assert step.numbers["jacobian_row"] == pytest.approx([0.25, -0.15, -0.1])
    assert step.numbers["chain"] == pytest.approx([-0.5, 0.3, 0.2])
    assert step.numbers["p_minus_y"] == pytest.approx([-0.5, 0.3, 0.2])
    assert_shown(step, 0.25, -0.15, -0.5)
    assert "derivative" in given(lesson.from_logits([math.log(5), math.log(3), math.log(2)]))


def test_a_high_probability_is_no_share_of_right_answers():
    example = lesson.from_logits([3.0, 0.0])
    step = answers(example)["calibration"]
    now, softer = 1 / (1 + mpmath.exp(-3)), 1 / (1 + mpmath.exp(-1.5))
    assert step.numbers["p_now"] == pytest.approx(float(now), rel=1e-14)
    assert step.numbers["p_softer"] == pytest.approx(float(softer), rel=1e-14)
    assert_shown(step, now, softer)
    assert "calibration" in given(example)
    assert "calibration" not in given(lesson.from_logits([0.3, 0.2]))


def test_probabilities_sum_to_1_whatever_the_picture():
    example = lesson.from_logits([math.log(3), 0.0, 0.0], classes=["cat", "dog", "person"])
    step = answers(example)["unknown_picture"]
    assert step.numbers["lower"] == pytest.approx([0.6, 0.2, 0.2], rel=1e-12)
    for language in ("en", "ko"):
        assert "100" in words(step, language)
        assert "1 = 1" in words(step, language)
    named = lesson.from_logits([5, 0, 0], classes=["cat", "dog", "person"])
    assert "unknown_picture" in given(named)
    assert "unknown_picture" not in given(lesson.from_logits([0.2, 0.3]))


def test_softmax_of_two_is_the_sigmoid_of_the_difference():
    example = lesson.from_logits([0.2, 0.3])
    step = answers(example)["sigmoid"]
    sigmoid = 1 / (1 + mpmath.exp(-mpmath.mpf("0.1")))
    assert step.numbers["sigmoid"] == pytest.approx(float(sigmoid), rel=1e-14)
    assert_shown(step, 0.1, sigmoid)
    assert given(example)[0] == "sigmoid"
    assert "sigmoid" not in given(lesson.from_logits([1, 2, 3]))


def test_at_most_three_and_the_most_fitting_first():
    for logits in ([0.2, 0.3], [0, 1, 0], [5, 1, 1], [0.0] * 12):
        example = lesson.from_logits(logits)
        few = lesson.answer(example)
        fits = [step.numbers["fit"] for step in few]
        assert 1 <= len(few) <= 3
        assert fits == sorted(fits, reverse=True)
        assert len(lesson.answer(example, every=True)) == 10


def test_stock_numbers_stand_in_where_the_readers_cannot_show_the_point():
    step = answers(lesson.from_probabilities([1, 0, 0], label=2))["derivative"]
    assert step.numbers["is_stock"]
    assert "0.2, 0.3" in words(step, "en")
    assert number(step.numbers["factor"]) in words(step, "ko")
