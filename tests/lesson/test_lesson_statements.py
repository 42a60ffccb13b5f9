"""What the lesson states, in its order; its size; and comparisons that hold as they are printed."""

from __future__ import annotations

import math
import os
import random
import re

import numpy as np
import pytest
from helpers import translator

from softmaxce import lesson
from softmaxce.lesson.picture import Picture
from softmaxce.model.softmax_model import Layer, SoftmaxModel
from softmaxce.preprocessing import Preprocessing
from softmaxce.views.lesson import markdown, text
from softmaxce.views.lesson.formatting import step_text
from softmaxce.workflows.explain import explain

# Each in the text of its step, in this order. The first eight need an image.
STATEMENTS = [
    "→",
    "grid of pixels. Its rows, laid end to end, form the input vector",
    "from 0 to 255",
    "256 values each; some texts wrongly say “0 to 256”",
    "1,920 × 1,080 = 2,073,600 pixels",
    "one input feature",
    "(1 · 2 + 1) · 3 + 2 = 11",
    "z = xW + b",
    "Values flow forward, layer by layer. The last layer has one node per class",
    "Two classes (cat, dog) are binary classification; three (cat, dog, person) or more are "
    "multi-class",
    "A regression model (the price of a house) has one node, so one number",
    "The products and the bias sum to the logit",
    "The right answer is written [1, 0, 0]: how far from it is",
    "Below: the pixels that change it most",
    "share = z / Σ z",
    "so that the shares sum to 1",
    "The logits of a linear model that this program trained always sum to 0. Its weights start",
    "−1, 2 and −0.5 give the shares −2, 4 and −1",
    "A power of a positive number is positive",
    "A positive, a zero and a negative exponent: 2¹ = 2, 2⁰ = 1 and 2⁻¹ = 0.5",
    "The curve of eᶻ",
    "Any base above 1 works; we use e = 2.718…, which the logarithm will undo",
    "2ᶻ 2.7ᶻ eᶻ",
    "p = e^z / Σ e^z",
    "Divide each power of e by the sum of all",
    "The probabilities sum to 1",
    "Adding one number to every logit changes nothing",
    "largest logit, 2, subtracted",
    "1 at the true class, 0 elsewhere (one-hot)",
    "Labels are integers from 0: label 1 of three becomes [0, 1, 0]",
    "Σ (p − y)²",
    "never above 2, however wrong",
    "A surer mistake should cost more",
    "0.990 0.900 0.500 0.100 0.010 0.001",
    "loss = −Σ y log p",
    "Σ: sum over classes k; y: target; p: probability; log: natural log, ln",
    "−(1 · log 0.7275 + 0 · log 0.2676 + 0 · log 0.0049) = 0.3182 nats",
    "Wrong classes are multiplied by 0: only −log p[true] is left",
    "−log p is the information in an event of probability p",
    "the entropy, a measure of uncertainty",
    "A uniform prediction over 3 classes costs log 3 = 1.0986",
    "bits",
    "perplexity",
    "KL divergence",
    "A perfect prediction costs 0. A perfectly wrong one costs ∞",
    "It is not a distance: the loss minus the target's entropy (KL) is 0.3681 for target "
    "(0.9, 0.1) and prediction (0.5, 0.5), but 0.5108 if swapped",
    "The gradient (how fast the loss changes with a logit) is p − y",
    "lowers the loss from",
    "Back-propagation carries p − y back, layer by layer",
    "Finite differences give the same gradient",
    "After 100 such steps",
    "0.9997 under cross-entropy and 0.0013 under squared error",
]
REFUTATIONS = [
    "softmax exaggerates the winner",
    "an output of [0, 1, 0] is perfect, so the loss is 0",
    "applying softmax twice does no harm",
    "a loss above 1 is terrible",
    "a lower loss means a higher accuracy",
    "the wrong classes do not matter",
    "p − y is the derivative of softmax",
    "a probability of 0.9 means right 90 times in 100",
    "a cat classifier knows when there is no cat",
    "softmax and sigmoid are different methods",
]


def words_of(explanation, language="en", width=10_000):
    """The whole text, columns of tables read downwards too; without indices and folded lines."""
    from io import StringIO

    from rich.console import Console

    stream = StringIO()
    text.show(Console(file=stream, width=width), explanation, translator(language))
    return stream.getvalue()


def plain(said):
    without_indices = re.sub("[ₖⱼ]", "", said)
    return " ".join(without_indices.split())


def linear_picture():
    """A linear model with logits 2, 1 and −3 for an image of 2 × 2 pixels."""
    weights = np.zeros((12, 3))
    weights[11] = [2.0, 1.0, -3.0]
    model = SoftmaxModel(
        (Layer(weights, np.zeros(3)),), Preprocessing(2, 2, 3), ("cat", "dog", "person")
    )
    pixels = np.array([0] * 11 + [255], dtype=np.uint8)
    return Picture(model, pixels, "cat.png")


def test_every_statement_is_made_in_the_order_of_the_lesson():
    picture = linear_picture()
    example = lesson.make_example(
        picture.logits.tolist(), "image", classes=picture.model.class_names, label=0
    )
    said = plain(words_of(explain(example, picture, more=True)))
    said = re.sub(
        r"(0\.990) \S+ \S+ (0\.900) \S+ \S+ (0\.500) \S+ \S+ (0\.100) \S+ \S+ (0\.010) "
        r"\S+ \S+ (0\.001)",
        r"\1 \2 \3 \4 \5 \6",
        said,
    )
    place = 0
    for statement in STATEMENTS:
        found = said.find(statement, place)
        assert found >= 0, (statement, said[place : place + 600])
        place = found
    for refutation in REFUTATIONS:
        title = f"Many think that {refutation}. That is wrong"
        assert title in said, refutation


@pytest.mark.parametrize("language", ["en", "ko"])
def test_two_logits_take_at_most_90_lines(language):
    explanation = explain(lesson.make_example([0.2, 0.3]))
    lines = words_of(explanation, language, width=80).splitlines()
    assert len(lines) <= 90
    assert max(map(len, lines)) <= 80


def examples(count, seed):
    """Random examples of every kind, small and large numbers, ties and near ties."""
    chance = random.Random(seed)
    for _ in range(count):
        n_classes = chance.choice([2, 2, 3, 5, 14])
        if chance.random() < 0.2:
            shares = [chance.random() ** chance.choice([1, 8]) for _ in range(n_classes)]
            total = math.fsum(shares)
            yield lesson.make_example([p / total for p in shares], "probabilities")
            continue
        size = 10.0 ** chance.choice([-6, -3, -1, 0, 0, 0, 1, 1, 2, 4])
        base = chance.choice([0.0, 1.0, chance.uniform(-1, 1)]) * size
        logits = [
            base + chance.choice([1.0, 1e-3, 1e-9]) * chance.gauss(0, size)
            for _ in range(n_classes)
        ]
        yield lesson.make_example(
            [round(z, chance.choice([0, 1, 12])) for z in logits],
            label=chance.choice([None, n_classes - 1]),
            temperature=chance.choice([1, 1, 0.5, 3]),
            learning_rate=chance.choice([0.1, 1e-4, 2]),
        )


SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
NUMBER = r"\(?−?[\d,.]+(?:×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?\)?|\(?−?∞\)?"


def value(written):
    """The number that a person reads."""
    cleaned = written.strip("()").replace(",", "").replace("−", "-").replace("∞", "inf")
    mantissa, _, exponent = cleaned.partition("×10")
    return float(mantissa) * 10.0 ** int(exponent.translate(SUPERSCRIPTS) or 0)


def contradictions(said):
    """Printed comparisons that do not hold as printed, and sentences that say x changes to x."""
    for left, relation, right in re.findall(rf"({NUMBER}) ([<≤]) ({NUMBER})(?=$|\s)", said):
        a, b = value(left), value(right)
        if not (a < b or (relation == "≤" and a == b)):
            yield f"{left} {relation} {right}"
    for left, right in re.findall(rf"from ({NUMBER}) to ({NUMBER})(?=[.\s])", said):
        if value(left) <= value(right):
            yield f"from {left} to {right}"
    for terms, right in re.findall(
        rf": ((?:{NUMBER}|…)(?: \+ (?:{NUMBER}|…))+) = ({NUMBER})$", said
    ):
        parts = terms.split(" + ")
        if "…" not in parts and abs(math.fsum(map(value, parts)) - value(right)) > 1e-9:
            yield f"{terms} = {right}"


def assert_consistent(count, seed):
    n_comparisons, translate = 0, translator("en")
    for example in examples(count, seed):
        explanation = explain(example, more=True)
        for step in (*explanation.steps, *explanation.misconceptions):
            said = step_text(step, example.shown, translate)
            for line in (*said.sentences, *said.checks, *said.more.sentences, *said.more.checks):
                assert list(contradictions(line)) == [], (example, line)
                n_comparisons += len(re.findall("[<≤]", line))
    assert n_comparisons > 4 * count


def test_no_printed_comparison_contradicts_itself():
    assert_consistent(150, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_no_printed_comparison_contradicts_itself_in_many_examples(seed):
    """With SOFTMAXCE_EXAMPLES=2500 there are ten thousand, which take about two minutes."""
    assert_consistent(int(os.environ.get("SOFTMAXCE_EXAMPLES", "300")), seed)


def test_no_check_says_x_is_x_by_default():
    for example in examples(60, 3):
        for step in explain(example).steps + explain(example).misconceptions:
            said = step_text(step, example.shown, translator("en"))
            assert len(said.checks) <= 1
            for line in said.checks:
                assert not re.search(rf": ({NUMBER}) = \1$", line), line


def test_a_script_finds_the_contradictions_that_there_could_be():
    """The search above is not blind."""
    for said in (
        "x: 0.0056 < 0.0056",
        "lowers the loss from 0.7 to 0.7.",
        "x: 0.5 + 0.4 = 1",
        "x: 2 ≤ −2",
        "x: 1×10⁻³ < 9.99×10⁻⁴",
    ):
        assert list(contradictions(said)), said
    for said in ("x: 0.0056 < 0.0057", "from 0.7 to 0.6.", "x: 0.5 + (−0.4) = 0.1", "x: 0 ≤ ∞"):
        assert not list(contradictions(said)), said


def test_markdown_starts_with_the_strip():
    explanation = explain(lesson.make_example([0.2, 0.3]))
    said = markdown.as_text(explanation, translator("en"), "en")
    strip = said.split("\n## ")[0]
    for number in ("0.2", "1.2214", "÷ 2.5713", "0.475", "0.7444"):
        assert number in strip
    assert "--more" not in said
