"""Exercises with small numbers and worked answers. The same seed gives the same exercises."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Any

from softmaxce.errors import InputError
from softmaxce.lesson.numbers import shares_of_total

MAX_EXERCISES = 200


@dataclass(frozen=True)
class Exercise:
    """question and working: messages with {names} of `numbers`; answer: the name of the result."""

    kind: str
    question: str
    working: str
    answer: str
    numbers: dict[str, Any]


def make(count: int, seed: int) -> tuple[Exercise, ...]:
    """`count` exercises, the kinds in turn. Raises InputError for a count out of range."""
    if not 1 <= count <= MAX_EXERCISES:
        raise InputError(f"the number of exercises must be between 1 and {MAX_EXERCISES}")
    chance = random.Random(seed)
    return tuple(KINDS[place % len(KINDS)](chance) for place in range(count))


def _shares(chance: random.Random) -> Exercise:
    z = [float(chance.randint(1, 4)), float(chance.randint(-3, 5)), float(chance.randint(5, 9))]
    total, shares, _ = shares_of_total(z)
    return Exercise(
        "shares",
        "The logits are {a}, {b} and {c}. What is the share of each in the total? Are the shares "
        "probabilities?",
        "They sum to {total}. The shares are {a}/{total} = {share_a}, {b}/{total} = {share_b} and "
        "{c}/{total} = {share_c}. They are probabilities only if none is below 0.",
        "share_a",
        {**_lettered(z), "total": total, **_lettered(shares, "share_")},
    )


def _softmax(chance: random.Random) -> Exercise:
    a, b = chance.randint(1, 9), chance.randint(1, 9)
    return Exercise(
        "softmax",
        "The logits are ln {a} and ln {b}. What are the probabilities?",
        "e^ln {a} = {a} and e^ln {b} = {b}; their sum is {total}. So p = {a}/{total} = {p_a} and "
        "{b}/{total} = {p_b}.",
        "p_a",
        {"a": a, "b": b, "total": a + b, "p_a": a / (a + b), "p_b": b / (a + b)},
    )


def _shift(chance: random.Random) -> Exercise:
    low, difference = chance.randint(100, 900), chance.randint(1, 3)
    power = math.exp(-difference)
    p = 1.0 / (1.0 + power)
    return Exercise(
        "shift",
        "The logits are {high} and {low}. What are the probabilities?",
        "Subtract the larger: 0 and −{difference}. e⁰ = 1 and e^−{difference} = {power}, so "
        "p = 1 / (1 + {power}) = {p} and {rest}.",
        "p",
        {"high": low + difference, "low": low, "difference": difference}
        | {"power": power, "p": p, "rest": 1.0 - p},
    )


def _one_hot(chance: random.Random) -> Exercise:
    n_classes = chance.randint(3, 6)
    label = chance.randrange(n_classes)
    target = ", ".join("1" if k == label else "0" for k in range(n_classes))
    return Exercise(
        "one_hot",
        "Write label {label} as a one-hot target for {n_classes} classes.",
        "Labels count from 0, so the 1 is at index {label}: [{target}].",
        "target",
        {"label": label, "n_classes": n_classes, "target": target},
    )


def _cross_entropy(chance: random.Random) -> Exercise:
    p = _probabilities(chance)
    label = chance.randrange(3)
    return Exercise(
        "cross_entropy",
        "The probabilities are {a}, {b} and {c}, and the label is {label}. What is the "
        "cross-entropy, in nats?",
        "Only the true class counts: −ln {p_true} = {loss}.",
        "loss",
        {**_lettered(p), "label": label, "p_true": p[label], "loss": -math.log(p[label])},
    )


def _bits(chance: random.Random) -> Exercise:
    bits = chance.randint(1, 6)
    return Exercise(
        "bits",
        "The true class has probability 1/{ways}. How many bits does the prediction cost, and "
        "what is its perplexity?",
        "−log₂ (1/{ways}) = {bits} bits. The perplexity is 2^{bits} = {ways}.",
        "bits",
        {"ways": 2**bits, "bits": bits},
    )


def _squared_error(chance: random.Random) -> Exercise:
    p = chance.randint(1, 9) / 10
    return Exercise(
        "squared_error",
        "There are two classes, and the true one has probability {p}. What are the squared error "
        "and the cross-entropy?",
        "Squared error: ({p} − 1)² + ({rest} − 0)² = {squared}. Cross-entropy: −ln {p} = {loss}.",
        "squared",
        {"p": p, "rest": 1 - p, "squared": 2 * (1 - p) ** 2, "loss": -math.log(p)},
    )


def _gradient(chance: random.Random) -> Exercise:
    p = _probabilities(chance)
    label = chance.randrange(3)
    slopes = [q - (k == label) for k, q in enumerate(p)]
    return Exercise(
        "gradient",
        "The probabilities are {a}, {b} and {c}, and the label is {label}. What is the gradient "
        "of the loss with respect to the logits?",
        "p − y: {slope_a}, {slope_b} and {slope_c}. It sums to 0.",
        "slope_a",
        {**_lettered(p), "label": label, **_lettered(slopes, "slope_")},
    )


def _probabilities(chance: random.Random) -> list[float]:
    """Three probabilities in tenths, all above 0."""
    first = chance.randint(1, 8)
    second = chance.randint(1, 9 - first)
    return [first / 10, second / 10, (10 - first - second) / 10]


def _lettered(values: list[float], prefix: str = "") -> dict[str, float]:
    """Three values under the names a, b and c."""
    return {f"{prefix}{letter}": value for letter, value in zip("abc", values, strict=True)}


KINDS = (_shares, _softmax, _shift, _one_hot, _cross_entropy, _bits, _squared_error, _gradient)
