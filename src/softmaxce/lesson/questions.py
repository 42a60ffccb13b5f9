"""What the reader is asked before each step shows its result.

Every answer, right or wrong, is a number of the step: a wrong one is what a typical error gives.
"""

from __future__ import annotations

from typing import NamedTuple

from softmaxce.lesson.step import ALWAYS


class WrongAnswer(NamedTuple):
    """The name of a number that a typical error gives, and what the error is."""

    answer: str
    why: str


class Question(NamedTuple):
    """message, hint: sentences with {names}; answer: the name of the number that is right."""

    message: str
    answer: str
    hint: str
    wrong: tuple[WrongAnswer, ...]
    when: str = ALWAYS


ONE_NODE = WrongAnswer(
    "one", "One number is what a regression model gives, such as the price of a house."
)
TWO_NODES_EACH = WrongAnswer("doubled", "One node per class is enough.")
QUESTIONS = {
    "image": Question(
        "How many values does the vector hold?",
        "n_pixels",
        "Multiply: {height} rows, {width} columns, and the values of a pixel: {channels}.",
        (
            WrongAnswer(
                "n_places",
                "That is the number of pixels; each has a red, a green and a blue value.",
            ),
            WrongAnswer(
                "height_and_width",
                "That is height + width. The rows are laid end to end: {height} rows of {width} "
                "pixels.",
            ),
        ),
    ),
    "patches": Question(
        "How many features does the model compute?",
        "n_features",
        "Multiply: {n_patches} patches, 3 thresholds, r and −r, {n_points} points.",
        (
            WrongAnswer("n_patches", "That is the number of patches; each gives several features."),
            WrongAnswer(
                "n_places",
                "That is the number of places. The excess is summed over the places, so they do "
                "not count.",
            ),
        ),
    ),
    "logits": Question(
        "How many numbers does the last layer give?",
        "n_classes",
        "It has one node per class, and each node gives one number.",
        (ONE_NODE, TWO_NODES_EACH),
    ),
    "shares": Question(
        "What is the share of class {winner}?",
        "winner_share",
        "Divide its logit, {winner_logit}, by the sum of the logits, {total}.",
        (
            WrongAnswer("winner_logit", "That is its logit, not yet divided by the sum, {total}."),
            WrongAnswer("equal_share", "That would be its share if all logits were equal."),
        ),
        when="divides",
    ),
    "exponentials": Question(
        "What is e raised to {first_logit}?",
        "first_power",
        "e is 2.718… The power e⁰ is 1, and a larger exponent gives a larger power.",
        (
            WrongAnswer("e_times_first", "That is e times {first_logit}, not e raised to it."),
            WrongAnswer("first_power_of_2", "That is a power of 2. The base here is e = 2.718…"),
        ),
        when="representable",
    ),
    "softmax": Question(
        "What is the probability of class {winner}?",
        "p_winner",
        "Divide its power of e by the sum of all powers.",
        (
            WrongAnswer(
                "winner_share",
                "That is its share of the logits. Softmax divides the powers, not the logits.",
            ),
            WrongAnswer("one", "Softmax does not give everything to the winner."),
        ),
    ),
    "target": Question(
        "What is the label of class {true_class}?",
        "label",
        "Labels are integers, counted from 0 in the order of the classes.",
        (
            WrongAnswer("label_from_1", "Labels are counted from 0, not from 1."),
            WrongAnswer("n_classes", "That is the number of classes."),
        ),
    ),
    "squared_error": Question(
        "What is the squared error of this prediction?",
        "squared_error",
        "Square the difference p − y for every class, and add the squares.",
        (
            WrongAnswer(
                "true_square", "That is the square for class {true_class} alone. Add the others."
            ),
            WrongAnswer("error", "That is the error of class {true_class}, not yet squared."),
        ),
    ),
    "cross_entropy": Question(
        "What is the cross-entropy, in nats?",
        "loss",
        "Only the true class counts: −log {p_true}, with the natural logarithm.",
        (
            WrongAnswer(
                "error", "That is 1 − {p_true}. Cross-entropy is the logarithm, −log {p_true}."
            ),
            WrongAnswer("bits", "That is −log₂ {p_true}, in bits. Nats have the base e."),
        ),
    ),
    "two_ends": Question(
        "What does a perfectly wrong prediction cost?",
        "wrong",
        "Its true class has probability 0, and −log p grows without bound as p falls to 0.",
        (
            WrongAnswer("two", "2 is the largest squared error. Cross-entropy has no bound."),
            WrongAnswer("one", "1 is the largest probability. The loss has no such bound."),
        ),
    ),
    "gradient": Question(
        "What is the gradient with respect to the logit of class {true_class}?",
        "true_slope",
        "Subtract the target from the probability: p − y.",
        (
            WrongAnswer("minus_true_slope", "The sign is wrong: that is y − p, the way down."),
            WrongAnswer("p_true", "That is p alone. The target, 1, is subtracted from it."),
        ),
    ),
}
