"""The steps of the lesson against numbers worked out by hand or by mpmath, in both languages."""

from __future__ import annotations

import math
import random
import re

import mpmath
import pytest
from helpers import translator

from softmaxce import lesson
from softmaxce.errors import InputError
from softmaxce.lesson.step import Check, CheckError, Part, StepTemplate, render
from softmaxce.views.lesson import markdown
from softmaxce.views.lesson.formatting import number
from softmaxce.workflows.explain import explain

mpmath.mp.dps = 40
LOGITS, LABEL = (2.0, 1.0, -1.0), 1
NAMES = ("cat", "dog", "person")
LANGUAGES = ["en", "ko"]


def steps_of(*logits, **options):
    return {step.name: step for step in lesson.build(lesson.make_example(logits, **options))}


@pytest.fixture(scope="module")
def steps():
    return steps_of(*LOGITS, label=LABEL, classes=NAMES)


@pytest.fixture(scope="module", params=LANGUAGES)
def sections(request):
    """The text of each step in one language, by the step's name."""
    explanation = explain(lesson.make_example(LOGITS, label=LABEL, classes=NAMES), more=True)
    text = markdown.as_text(explanation, translator(request.param), request.param)
    parts = re.split(r"^## ", text, flags=re.M)[1:]
    return dict(zip([step.name for step in explanation.steps], parts, strict=False))


def exact():
    """The example with forty digits."""
    powers = [mpmath.exp(z) for z in LOGITS]
    p = [power / mpmath.fsum(powers) for power in powers]
    return powers, p, -mpmath.log(p[LABEL])


def assert_shown(section, *numbers):
    for value in numbers:
        assert written(value) in section, (written(value), section)


def written(value):
    """As a person would round it: four decimals, the last zeros off, a real minus."""
    return f"{float(value):.4f}".rstrip("0").rstrip(".").replace("-", "−")


def test_the_steps_are_in_the_order_of_the_lesson(steps):
    assert list(steps) == [
        "logits",
        "shares",
        "exponentials",
        "softmax",
        "target",
        "squared_error",
        "cross_entropy",
        "two_ends",
        "gradient",
    ]
    assert all(step.shown.checks for name, step in steps.items() if name != "logits")


def test_steps_are_frozen(steps):
    with pytest.raises(AttributeError):
        steps["softmax"].name = "other"


def test_logits(steps, sections):
    assert steps["logits"].numbers["n_classes"] == 3
    assert_shown(sections["logits"], 2, 1, -1, 3)


def test_shares(steps, sections):
    assert steps["shares"].numbers["shares"] == [1.0, 0.5, -0.5]  # by hand: z / 2
    assert steps["shares"].numbers["mixed"]
    assert_shown(sections["shares"], 0.5, -0.5, 2)


def test_shares_of_the_lesson_by_hand():
    assert steps_of(0.2, 0.3)["shares"].numbers["shares"] == pytest.approx([0.4, 0.6], rel=1e-15)
    assert steps_of(-1, 2, -0.5)["shares"].numbers["shares"] == [-2, 4, -1]
    cancelling = steps_of(1, -1)["shares"]
    assert cancelling.numbers["cancels"]
    assert cancelling.numbers["shares"] == []
    assert steps_of(-1, -3)["shares"].numbers["upside_down"]


def test_the_reader_is_told_which_fault_their_shares_have_and_shown_the_other():
    negative = "A negative logit breaks it: −1, 2 and −0.5 give the shares −2, 4 and −1."
    cancelling = "Logits that cancel break it: 1 + (−1) = 0, and nothing can be divided by 0."
    fine, mixed = (
        steps_of(0.2, 0.3)["shares"].shown.sentences,
        steps_of(3, -1)["shares"].shown.sentences,
    )
    cancels = steps_of(1, -1)["shares"].shown.sentences
    assert negative in fine
    assert cancelling in fine
    assert negative not in mixed
    assert cancelling in mixed
    assert negative in cancels
    assert cancelling not in cancels


def test_exponentials(steps, sections):
    numbers = steps["exponentials"].numbers
    powers, _, _ = exact()
    assert numbers["powers_of_2"] == [4.0, 2.0, 0.5]  # by hand
    assert numbers["powers_of_2_7"] == pytest.approx([7.29, 2.7, 1 / 2.7], rel=1e-15)
    assert numbers["powers_of_e"] == pytest.approx([float(x) for x in powers], rel=1e-15)
    assert_shown(sections["exponentials"], 7.29, 0.3704, 7.3891, 2.7183, 0.3679)


def test_softmax(steps, sections):
    _, p, _ = exact()
    assert steps["softmax"].numbers["probabilities"] == pytest.approx(
        [float(x) for x in p], rel=1e-15
    )
    assert_shown(sections["softmax"], *p)


def test_softmax_of_the_lesson_by_hand():
    numbers = steps_of(0.2, 0.3)["softmax"].numbers
    assert numbers["probabilities"] == pytest.approx([0.475, 0.525], abs=5e-4)


def test_target(steps, sections):
    assert steps["target"].numbers["targets"] == [0.0, 1.0, 0.0]
    assert_shown(sections["target"], 1, 0)
    assert steps_of(1, 2, 3, label=1)["target"].numbers["targets"] == [0, 1, 0]


def test_squared_error(steps, sections):
    _, p, _ = exact()
    own = mpmath.fsum((q - (k == LABEL)) ** 2 for k, q in enumerate(p))
    numbers = steps["squared_error"].numbers
    assert numbers["squared_error"] == pytest.approx(float(own), rel=1e-14)
    # by hand: 2(1 − p)² and −ln p
    assert numbers["squared_errors"] == pytest.approx([0.0002, 0.02, 0.5, 1.62, 1.9602, 1.996002])
    assert numbers["cross_entropies"] == pytest.approx(
        [0.0100503, 0.1053605, 0.6931472, 2.3025851, 4.6051702, 6.9077553], rel=1e-5
    )
    assert numbers["true_square"] == pytest.approx(float((p[LABEL] - 1) ** 2), rel=1e-14)
    assert_shown(sections["squared_error"], own, 0.0358, 2.3026, 6.9078, 1.9602)


def test_cross_entropy(steps, sections):
    _, p, loss = exact()
    entropy = -mpmath.fsum(q * mpmath.log(q) for q in p)
    numbers = steps["cross_entropy"].numbers
    expected = {
        "loss": loss,
        "bits": loss / mpmath.log(2),
        "perplexity": mpmath.exp(loss),
        "uniform_loss": mpmath.log(3),
        "entropy": entropy,
        "entropy_plus_kl": loss,
    }
    for name, value in expected.items():
        assert numbers[name] == pytest.approx(float(value), rel=1e-14), name
    assert numbers["terms"] == [0.0, pytest.approx(float(loss)), 0.0]
    assert_shown(sections["cross_entropy"], *expected.values())


def test_cross_entropy_of_the_lesson_by_hand():
    assert steps_of(0.2, 0.3, label=0)["cross_entropy"].numbers["loss"] == pytest.approx(
        0.744, abs=5e-4
    )


def test_two_ends(steps, sections):
    assert steps["two_ends"].numbers["loss_at_ends"][0] == 0.0
    assert steps["two_ends"].numbers["loss_at_ends"][2] == math.inf
    assert "∞" in sections["two_ends"]
    assert_shown(sections["two_ends"], 1.349, 0.3681, 0.5108)


def test_the_example_that_kl_divergence_is_not_a_distance(steps):
    numbers = steps["two_ends"].numbers
    p, q = (mpmath.mpf("0.9"), mpmath.mpf("0.1")), (mpmath.mpf("0.5"), mpmath.mpf("0.5"))
    for name, (a, b) in {"there": (p, q), "back": (q, p)}.items():
        kl = mpmath.fsum(x * mpmath.log(x / y) for x, y in zip(a, b, strict=True))
        assert numbers[name] == pytest.approx(float(kl), rel=1e-14)


def test_gradient(steps, sections):
    _, p, _ = exact()
    slopes = [q - (k == LABEL) for k, q in enumerate(p)]
    new = [z - slope / 10 for z, slope in zip(LOGITS, slopes, strict=True)]
    after = mpmath.log(mpmath.fsum(map(mpmath.exp, new))) - new[LABEL]
    numbers = steps["gradient"].numbers
    assert numbers["gradient"] == pytest.approx([float(x) for x in slopes], rel=1e-14)
    assert numbers["new_logits"] == pytest.approx([float(x) for x in new], rel=1e-14)
    assert numbers["loss_after"] == pytest.approx(float(after), rel=1e-14)
    assert_shown(sections["gradient"], *slopes, *new, after)


def squared_error_of(z, label, temperature):
    powers = [mpmath.exp(x / temperature) for x in z]
    p = [power / mpmath.fsum(powers) for power in powers]
    return mpmath.fsum((q - (k == label)) ** 2 for k, q in enumerate(p))


def test_the_descents_follow_the_derivative_of_each_loss():
    rate, temperature = mpmath.mpf("0.25"), 2
    numbers = steps_of(*LOGITS, label=LABEL, learning_rate=0.25, temperature=2)["gradient"].numbers

    def cross_entropy_of(*z):
        return mpmath.log(mpmath.fsum(mpmath.exp(x / temperature) for x in z)) - z[LABEL] / 2

    for name, loss in {
        "cross_entropy": cross_entropy_of,
        "squared_error": lambda *z: squared_error_of(z, LABEL, temperature),
    }.items():
        z = [mpmath.mpf(x) for x in LOGITS]
        for step in range(4):
            powers = [mpmath.exp(x / temperature) for x in z]
            p_true = powers[LABEL] / mpmath.fsum(powers)
            assert numbers[f"p_{name}"][step] == pytest.approx(float(p_true), rel=1e-9)
            slopes = [mpmath.diff(loss, z, tuple(int(j == k) for j in range(3))) for k in range(3)]
            if step == 0:
                assert numbers[f"slope_{name}"] == pytest.approx(abs(float(slopes[LABEL])))
            z = [x - rate * slope for x, slope in zip(z, slopes, strict=True)]
        assert len(numbers[f"p_{name}"]) == 101
        assert numbers[f"last_p_{name}"] == numbers[f"p_{name}"][-1]


def test_a_sure_mistake_moves_cross_entropy_only(steps):
    numbers = steps["gradient"].numbers
    p = 1 / (1 + mpmath.exp(-8))
    assert numbers["sure_cross_entropy"] == pytest.approx(float(p), rel=1e-14)  # 0.9997
    assert numbers["sure_squared_error"] == pytest.approx(float(4 * p**2 * (1 - p)), rel=1e-11)
    stuck = steps_of(8, 0, label=1)["gradient"].numbers
    assert stuck["last_p_cross_entropy"] > 0.9
    assert stuck["last_p_squared_error"] < 0.001


def test_the_finite_difference_is_the_slope_of_the_loss():
    def loss(*z):
        return mpmath.log(mpmath.fsum(mpmath.exp(x / 2) for x in z)) - z[LABEL] / 2

    numbers = steps_of(*LOGITS, label=LABEL, temperature=2)["gradient"].numbers
    slopes = [
        float(mpmath.diff(loss, LOGITS, tuple(int(j == k) for j in range(3)))) for k in range(3)
    ]
    assert numbers["finite_differences"] == pytest.approx(slopes, abs=1e-10)
    assert numbers["gradient"] == pytest.approx(slopes, abs=1e-14)


def test_a_temperature_divides_the_logits():
    hot = steps_of(2, 1, -1, temperature=4)
    plain = steps_of(0.5, 0.25, -0.25)
    assert hot["softmax"].numbers["probabilities"] == plain["softmax"].numbers["probabilities"]


@pytest.mark.parametrize("seed", range(40))
def test_every_check_passes_for_numbers_of_any_size(seed):
    chance = random.Random(seed)
    for _ in range(10):
        n_classes = chance.choice([2, 3, 10])
        size = 10.0 ** chance.randint(-9, 300)
        logits = [chance.choice([chance.uniform(-1, 1) * size, 0.0, 1.0]) for _ in range(n_classes)]
        example = lesson.make_example(
            logits,
            label=chance.choice([None, n_classes - 1]),
            temperature=chance.choice([0.001, 0.5, 1, 1000]),
            learning_rate=chance.choice([1e-6, 0.1, 1000]),
        )
        assert len(lesson.build(example)) == 9
        assert len(lesson.find_misconceptions(example)) == 10


@pytest.mark.parametrize(
    ("relation", "left", "right"),
    [
        ("=", 1.0, 1.1),
        ("=", math.nan, 1.0),
        ("<", 1.0, 1.0),
        ("≤", 1.1, 1.0),
        ("=", [1, 2], [1, 3]),
    ],
)
def test_a_failed_check_is_an_error(relation, left, right):
    check = Check("it fails", "left", "right", relation)
    wrong = Part(checks=(check,))
    named = {"name": "wrong", "title": "title", "claim": "claim"}
    for template in (StepTemplate(**named, checks=(check,)), StepTemplate(**named, more=wrong)):
        with pytest.raises(CheckError, match="it fails"):
            render(template, {"left": left, "right": right})


def test_given_probabilities_the_lesson_starts_at_the_target():
    example = lesson.make_example([1, 0, 0], "probabilities", label=2)
    steps = {step.name: step for step in lesson.build(example)}
    assert next(iter(steps)) == "target"
    assert steps["cross_entropy"].numbers["loss"] == math.inf
    assert steps["squared_error"].numbers["squared_error"] == 2.0
    assert steps["gradient"].numbers["gradient"] == [1.0, 0.0, -1.0]


def test_without_a_label_the_first_class_with_a_finite_loss_is_the_true_one():
    assert lesson.make_example([1, 2]).label == 0
    assert lesson.make_example([-1e308, 1e308]).label == 1
    assert lesson.make_example([0, 1], "probabilities").label == 1


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"label": 3}, "labels are 0 to 2"),
        ({"label": "bird"}, "no class 'bird'"),
        ({"temperature": 0}, "temperature"),
        ({"temperature": math.nan}, "temperature"),
        ({"learning_rate": -1}, "learning rate"),
        ({"classes": ["a", "b"]}, "give 3 names, one per number; got 2"),
        ({"classes": ["a", "a", "b"]}, "'a'"),
    ],
)
def test_values_that_do_not_fit_are_refused(options, named):
    with pytest.raises(InputError, match=re.escape(named)):
        lesson.make_example([1, 2, 3], **options)


@pytest.mark.parametrize(
    ("values", "named"),
    [([0.5, 0.6], "sum to 1.1"), ([-0.5, 1.5], "between 0 and 1"), ([1.0], "2 to 1000")],
)
def test_invalid_probabilities_are_refused(values, named):
    with pytest.raises(InputError, match=re.escape(named)):
        lesson.make_example(values, "probabilities")


def test_a_label_may_be_a_name_and_names_come_first():
    assert lesson.make_example([1, 2], classes=["1", "0"], label="1").label == 0
    assert lesson.make_example([1, 2], classes=["a", "b"], label="1").label == 1


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.4750208, "0.475"),
        (2, "2"),
        (-0.5, "−0.5"),
        (1e-5, "1×10⁻⁵"),
        (4.54e-05, "4.54×10⁻⁵"),
        (0.0002, "0.0002"),
        (-1234567.0, "−1.23×10⁶"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (1 - 1e-16, "1"),
        (0.999999, "1.0000"),
        (0.0, "0"),
        (1234.5, "1,234.5"),
        (-999999, "−999,999"),
    ],
)
def test_numbers_are_written_for_people(value, shown):
    assert number(value) == shown
