"""Sheets of exercises with small numbers and worked answers.

The same seed gives the same sheets. Each sheet leaves out one more of the last worked steps, which
the learner fills in: backward fading (Atkinson, Renkl and Merrill, 2003).
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Any

from softmaxce.errors import InputError
from softmaxce.lesson.numbers import shares_of_total

MAX_EXERCISES = 200
LAST_SHEET = 4  # no exercise has more steps


@dataclass(frozen=True)
class Exercise:
    """question, working (the steps): messages with {names} of `numbers`; answer: the result's."""

    kind: str
    question: str
    working: tuple[str, ...]
    answer: str
    numbers: dict[str, Any]


@dataclass(frozen=True)
class Sheet:
    """Exercises of which the last `number` steps are left out."""

    number: int
    seed: int
    exercises: tuple[Exercise, ...]

    def steps(self, exercise: Exercise) -> tuple[str, ...]:
        """The worked steps, then '' for each that is left out; none at all on the last sheet."""
        shown = exercise.working[: -self.number]
        left_out = ("",) * (len(exercise.working) - len(shown))
        return shown + left_out if self.number < LAST_SHEET else ()


def make(count: int, seed: int, number: int = LAST_SHEET) -> Sheet:
    """`count` exercises, the kinds in turn; with other numbers on each sheet.

    Raises InputError for a number out of range.
    """
    if not 1 <= count <= MAX_EXERCISES:
        raise InputError(f"the number of exercises must be between 1 and {MAX_EXERCISES}")
    if not 1 <= number <= LAST_SHEET:
        raise InputError(f"the number of the sheet must be between 1 and {LAST_SHEET}")
    made: list[list[Exercise]] = []
    for n in (LAST_SHEET, *range(1, LAST_SHEET))[: number % LAST_SHEET + 1]:
        chance = random.Random(f"{seed}, sheet {n}" if made else seed)
        made.append([])
        for place in range(count):
            kind = KINDS[place % len(KINDS)]
            exercise = kind(chance)
            while exercise in [sheet[place] for sheet in made[:-1]]:
                exercise = kind(chance)
            made[-1].append(exercise)
    return Sheet(number, seed, tuple(made[-1]))


def _shares(chance: random.Random) -> Exercise:
    z = [float(chance.randint(1, 4)), float(chance.randint(-3, 5)), float(chance.randint(5, 9))]
    total, shares, _ = shares_of_total(z)
    verdict = "None is below 0 and they sum to 1, so they are probabilities."
    if shares[1] < 0:
        verdict = "{share_b} is below 0, so the shares are not probabilities."
    return Exercise(
        "shares",
        "The logits are {a}, {b} and {c}. What is the share of each in the total? Are the shares "
        "probabilities?",
        (
            "The logits sum to {total}.",
            "Divide each logit by the sum: {a}/{total} = {share_a}, {b}/{total} = {share_b} and "
            "{c}/{total} = {share_c}.",
            verdict,
        ),
        "share_a",
        {**_lettered(z), "total": total, **_lettered(shares, "share_")},
    )


def _softmax(chance: random.Random) -> Exercise:
    a, b = chance.randint(1, 9), chance.randint(1, 9)
    return Exercise(
        "softmax",
        "The logits are ln {a} and ln {b}. What are the probabilities?",
        (
            "e^ln {a} = {a} and e^ln {b} = {b}.",
            "The powers sum to {total}.",
            "The probabilities are {a}/{total} = {p_a} and {b}/{total} = {p_b}.",
        ),
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
        (
            "Subtract the larger logit from both: 0 and −{difference}.",
            "e⁰ = 1 and e^−{difference} = {power}.",
            "The powers sum to 1 + e^−{difference} = {total}.",
            "The probabilities are 1/(1 + e^−{difference}) = {p} and 1 − {p} = {rest}.",
        ),
        "p",
        {"high": low + difference, "low": low, "difference": difference}
        | {"power": power, "total": 1.0 + power, "p": p, "rest": 1.0 - p},
    )


def _one_hot(chance: random.Random) -> Exercise:
    n_classes = chance.randint(3, 6)
    label = chance.randrange(n_classes)
    target = ", ".join("1" if k == label else "0" for k in range(n_classes))
    return Exercise(
        "one_hot",
        "Write label {label} as a one-hot target for {n_classes} classes.",
        ("Labels count from 0, so the 1 is at index {label}.", "The target is [{target}]."),
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
        (
            "Labels count from 0, so the true class has probability {p_true}.",
            "The wrong classes are multiplied by 0, so the loss is −ln {p_true}.",
            "−ln {p_true} = {loss} nats.",
        ),
        "loss",
        {**_lettered(p), "label": label, "p_true": p[label], "loss": -math.log(p[label])},
    )


def _bits(chance: random.Random) -> Exercise:
    bits = chance.randint(1, 6)
    return Exercise(
        "bits",
        "The true class has probability 1/{ways}. How many bits does the prediction cost, and "
        "what is its perplexity?",
        (
            "The cost in bits is −log₂ (1/{ways}) = log₂ {ways}.",
            "log₂ {ways} = {bits}.",
            "The perplexity is 2^{bits} = {ways}.",
        ),
        "bits",
        {"ways": 2**bits, "bits": bits},
    )


def _squared_error(chance: random.Random) -> Exercise:
    p = chance.randint(1, 9) / 10
    return Exercise(
        "squared_error",
        "There are two classes, and the true one has probability {p}. What are the squared error "
        "and the cross-entropy?",
        (
            "The other class has probability 1 − {p} = {rest}.",
            "The target is [1, 0], so the errors are {p} − 1 = {error} and {rest} − 0 = {rest}.",
            "The squared error is ({error})² + {rest}² = {squared}.",
            "The cross-entropy is −ln {p} = {loss} nats.",
        ),
        "squared",
        {"p": p, "rest": 1 - p, "error": p - 1}
        | {"squared": 2 * (1 - p) ** 2, "loss": -math.log(p)},
    )


def _gradient(chance: random.Random) -> Exercise:
    p = _probabilities(chance)
    label = chance.randrange(3)
    slopes = [q - (k == label) for k, q in enumerate(p)]
    target = ", ".join("1" if k == label else "0" for k in range(3))
    return Exercise(
        "gradient",
        "The probabilities are {a}, {b} and {c}, and the label is {label}. What is the gradient "
        "of the loss with respect to the logits?",
        (
            "Labels count from 0, so the target y is [{target}].",
            "The gradient is p − y: subtract the target from the probabilities.",
            "That is {slope_a}, {slope_b} and {slope_c}, which sum to 0.",
        ),
        "slope_a",
        {"label": label, "target": target, **_lettered(p), **_lettered(slopes, "slope_")},
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
