"""Ten misconceptions: the text of each, and the numbers that refute it.

Among the numbers is `fit`: how well a misconception fits the example, 0 if it does not. Where the
reader's numbers cannot show the point, stock numbers are used and `is_stock` is true.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from softmaxce.lesson.example import Example, make_example
from softmaxce.lesson.numbers import ROUNDING, exp, shares_of_total
from softmaxce.lesson.step import ALWAYS, Check, Column, Step, StepTemplate, render
from softmaxce.lesson.templates import class_table, table
from softmaxce.numerics import log_softmax, softmax

MAX_FITTING = 3
TEMPERATURES = [0.1, 0.5, 1.0, 2.0, 10.0]
CLASS_COUNTS = [2, 10, 100, 1000]
STOCK = "For the logits {stock}:"

NumbersOf = Callable[[Example], dict[str, Any]]
MISCONCEPTIONS: list[tuple[StepTemplate, NumbersOf]] = []


def _misconception(**text: Any) -> Callable[[NumbersOf], NumbersOf]:
    """Add a misconception with this text, named and given its numbers by the decorated function."""

    def add(numbers_of: NumbersOf) -> NumbersOf:
        template = StepTemplate(name=numbers_of.__name__.removeprefix("_"), **text)
        MISCONCEPTIONS.append((template, numbers_of))
        return numbers_of

    return add


def find_misconceptions(example: Example) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """The misconceptions that the example calls for, at most three, and the others.

    The most fitting come first, equals in the order of MISCONCEPTIONS.
    """
    steps = [render(template, numbers_of(example)) for template, numbers_of in MISCONCEPTIONS]
    steps.sort(key=lambda step: -step.numbers["fit"])
    n_fitting = sum(step.numbers["fit"] > 0 for step in steps[:MAX_FITTING])
    return tuple(steps[:n_fitting]), tuple(steps[n_fitting:])


def _or_stock(example: Example, own: bool, *stock: float) -> tuple[Example, dict[str, Any]]:
    """The example if `own`, else one of stock logits, and the numbers that say which."""
    used = example if own else make_example(stock)
    shown = ", ".join(f"{z:g}" for z in stock)
    return used, {**used.named("classes"), "is_stock": not own, "stock": shown}


def _has_clear_winner(example: Example) -> bool:
    """Whether one finite logit leads, but not so far that its probability rounds to 1."""
    second, first = sorted(example.scaled)[-2:]
    return example.has_finite_logits and 1e-6 < first - second <= 30.0


@_misconception(
    title="“Softmax exaggerates the winner.”",
    claim="Not by itself: the scale of the logits decides.",
    sentences={
        STOCK: "is_stock",
        "The highest share of the total is {top_share}; softmax's highest probability is {top_p}, "
        "which is flatter.": "flatter",
        "The highest share of the total is {top_share}; softmax's highest probability is "
        "{top_p}.": "sharper",
        "Divide the same logits by a temperature, and the highest probability becomes:": ALWAYS,
    },
    tables=(
        table(
            Column("temperature", "temperatures"),
            Column("highest probability", "top_at_temperatures"),
        ),
    ),
    checks=(Check("A high temperature is not sharper than a low one", "hottest", "coldest", "≤"),),
)
def _exaggerates(example: Example) -> dict[str, Any]:
    """top_share, top_p: the highest share of the total and the highest probability."""
    own = example.has_finite_logits and min(example.logits) >= 0 and max(example.logits) > 0
    used, numbers = _or_stock(example, own, 0.2, 0.3)
    _, shares, _ = shares_of_total(used.logits)
    top_share, top_p = max(shares), float(softmax(used.logits).max())
    top = max(used.logits)
    tops = [float(softmax([(z - top) / t for z in used.logits]).max()) for t in TEMPERATURES]
    flatter = top_p < top_share - ROUNDING
    return numbers | {
        "fit": 5 if own and flatter and example.source != "probabilities" else 0,
        "top_share": top_share,
        "top_p": top_p,
        "flatter": flatter,
        "sharper": not flatter,
        "temperatures": TEMPERATURES,
        "top_at_temperatures": tops,
        "coldest": tops[0],
        "hottest": tops[-1],
    }


def _are_like_probabilities(example: Example) -> bool:
    """Whether the logits are all in 0 … 1 and sum to 1."""
    z = example.logits
    return (
        example.source != "probabilities"
        and all(0.0 <= value <= 1.0 for value in z)
        and abs(math.fsum(z) - 1.0) <= 1e-6
    )


@_misconception(
    title="“The output is [0, 1, 0], so the loss is 0.”",
    claim="Only if these are probabilities. Logits still have to go through softmax.",
    sentences={
        STOCK: "is_stock",
        "Careful: your logits are between 0 and 1 and sum to 1, so they look like probabilities. "
        "If they are, do not apply softmax to them again.": "is_own",
        "If class {winner} is the true one, they cost {as_logits} as logits and {as_probabilities} "
        "as probabilities.": ALWAYS,
    },
    checks=(Check("As logits they cost more than 0", "zero", "as_logits", "<"),),
)
def _looks_like_probabilities(example: Example) -> dict[str, Any]:
    """as_logits, as_probabilities: the loss of the winner, taken as the true class."""
    own = _are_like_probabilities(example)
    used, numbers = _or_stock(example, own, 0.0, 1.0, 0.0)
    return numbers | {
        "fit": 10 if own else 0,
        "is_own": own,
        **used.named("logits", "winner"),
        "as_probabilities": 0.0 - math.log(max(used.logits)),
        "as_logits": 0.0 - float(log_softmax(used.logits).max()),
        "zero": 0.0,
    }


@_misconception(
    title="“Applying softmax twice does no harm.”",
    claim="It does: the loss can then never come close to 0.",
    sentences={
        "Probabilities are between 0 and 1, so as logits they differ by at most 1. With "
        "{n_classes} classes the loss is then at least {floor}.": ALWAYS,
        "Your loss: {once} with one softmax, {twice} with two.": ALWAYS,
    },
    tables=(table(Column("classes", "counts"), Column("lowest loss", "floors")),),
    checks=(Check("With two, the loss is at least the lowest loss", "floor", "twice", "≤"),),
)
def _softmax_twice(example: Example) -> dict[str, Any]:
    """once, twice: the loss after one softmax and after two; floor: the lowest loss after two."""

    def floor(n_classes: int) -> float:
        return math.log(math.e + n_classes - 1.0) - 1.0

    many = 2 if example.n_classes >= 10 else 0
    return {
        "fit": 9 if _are_like_probabilities(example) else many,
        "n_classes": example.n_classes,
        "once": example.loss,
        "twice": 0.0 - float(log_softmax(example.probabilities)[example.label]),
        "floor": floor(example.n_classes),
        "counts": CLASS_COUNTS,
        "floors": [floor(n) for n in CLASS_COUNTS],
    }


@_misconception(
    title="“A loss above 1 is terrible.”",
    claim="That depends on the number of classes: a uniform prediction costs ln K.",
    sentences={
        "Your loss is {loss}. A uniform prediction over {n_classes} classes costs {blind}, so "
        "yours is better.": "better",
        "Your loss is {loss}. A uniform prediction over {n_classes} classes costs {blind}, so "
        "yours is not better.": "not_better",
    },
    tables=(table(Column("classes", "counts"), Column("uniform prediction", "blind_losses")),),
    checks=(Check("Equal probabilities cost ln K", "uniform", "blind"),),
)
def _loss_above_1(example: Example) -> dict[str, Any]:
    """`blind`: the loss of a uniform prediction, ln K; uniform: the same from K equal logits."""
    blind = math.log(example.n_classes)
    better = example.loss < blind - ROUNDING
    fit = 8 if better else 6
    return {
        "fit": fit if 1.0 < example.loss < math.inf else 0,
        **example.named("n_classes", "loss"),
        "blind": blind,
        "uniform": 0.0 - float(log_softmax([0.0] * example.n_classes)[0]),
        "better": better,
        "not_better": not better,
        "counts": CLASS_COUNTS,
        "blind_losses": [math.log(count) for count in CLASS_COUNTS],
    }


@_misconception(
    title="“A lower loss means a higher accuracy.”",
    claim="Accuracy depends only on which class comes first. The loss also depends on how clearly.",
    sentences={
        STOCK: "is_stock",
        "If class {winner} is the true one, the loss is {loss_now}. Double every logit: the "
        "predicted class, and so the accuracy, stays the same, but the loss is "
        "{loss_doubled}.": ALWAYS,
    },
    checks=(
        Check("The predicted class stays the same", "winner_when_doubled", "winner_index"),
        Check("The losses differ", "loss_doubled", "loss_now", "<"),
    ),
)
def _loss_and_accuracy(example: Example) -> dict[str, Any]:
    """The winner and its loss, as they are and with every logit doubled."""
    own = _has_clear_winner(example)
    used, numbers = _or_stock(example, own, 2.0, 1.0)
    doubled = log_softmax([2.0 * z for z in used.scaled]).tolist()
    fits = own and example.winner == example.label and max(example.probabilities) < 0.9
    return numbers | {
        "fit": 4 if fits else 0,
        **used.named("winner"),
        "winner_index": used.winner,
        "winner_when_doubled": doubled.index(max(doubled)),
        "loss_now": 0.0 - max(used.log_probabilities),
        "loss_doubled": 0.0 - max(doubled),
    }


@_misconception(
    title="“The wrong classes do not matter.”",
    claim="The loss uses only p[true], but the gradient moves every logit.",
    sentences={
        STOCK: "is_stock",
        "Spread the probability of the wrong classes evenly among them: the loss stays {loss}, but "
        "each wrong logit is pushed down by its own p.": ALWAYS,
    },
    tables=(
        class_table(
            Column("p", "probabilities"),
            Column("gradient", "gradient"),
            Column("p, even", "even"),
            Column("gradient", "even_gradient"),
        ),
    ),
    checks=(
        Check("The even probabilities also sum to 1", "sum_of_even", 1.0),
        Check("p[true], and so the loss, is the same", "even_p_true", "p_true"),
    ),
)
def _wrong_classes(example: Example) -> dict[str, Any]:
    """even: the probabilities with those of the wrong classes spread evenly among them."""
    used, numbers = _or_stock(example, example.n_classes >= 3, 2.0, 1.0, 0.0)
    p, y, label = used.probabilities, used.targets, used.label
    wrong = [value for k, value in enumerate(p) if k != label]
    even = [math.fsum(wrong) / len(wrong)] * len(p)
    even[label] = p[label]
    return numbers | {
        "fit": 3 if example.n_classes >= 3 and max(wrong) >= 0.2 else 0,
        **used.named("true_class", "loss", "probabilities", "p_true"),
        "gradient": [a - b for a, b in zip(p, y, strict=True)],
        "even": even,
        "even_gradient": [a - b for a, b in zip(even, y, strict=True)],
        "sum_of_even": math.fsum(even),
        "even_p_true": even[label],
    }


@_misconception(
    title="“p − y is the derivative of softmax.”",
    claim="It is the derivative of the loss through softmax. The derivative of softmax itself is a "
    "matrix.",
    sentences={
        STOCK: "is_stock",
        "Row {true_class} of this matrix says how p[true] changes with each logit. The logarithm "
        "multiplies it by −1 / p[true] = {factor}, and the product is p − y.": ALWAYS,
    },
    tables=(
        class_table(
            Column("∂p[true]/∂z", "jacobian_row"),
            Column("times −1/p[true]", "chain"),
            Column("p − y", "p_minus_y"),
        ),
    ),
    checks=(
        Check("The product is p − y", "chain", "p_minus_y"),
        Check("The row of the matrix sums to 0", "sum_of_row", 0.0),
    ),
)
def _derivative(example: Example) -> dict[str, Any]:
    """jacobian_row: ∂p[true]/∂z; chain: the row times −1/p[true], the derivative of −log p."""
    own = example.probabilities[example.label] > 1e-100
    used, numbers = _or_stock(example, own, 0.2, 0.3)
    p, y, label = used.probabilities, used.targets, used.label
    row = [p[label] * (one - q) for one, q in zip(y, p, strict=True)]
    factor = -1.0 / p[label]
    return numbers | {
        "fit": 1,
        **used.named("true_class"),
        "jacobian_row": row,
        "factor": factor,
        "chain": [factor * value for value in row],
        "p_minus_y": [q - one for q, one in zip(p, y, strict=True)],
        "sum_of_row": math.fsum(row),
    }


@_misconception(
    title="“A probability of 0.9 means right 90 times in 100.”",
    claim="Only for a calibrated model, and calibration is measured on many images, not on one.",
    sentences={
        STOCK: "is_stock",
        "Class {winner} has p = {p_now}. Halve every logit, and it still has the highest "
        "probability, but now {p_softer}. The model with halved logits is right just as often, so "
        "the two probabilities cannot both be that frequency.": ALWAYS,
    },
    checks=(
        Check("The predicted class stays the same", "softer_winner", "winner_index"),
        Check("Its probability falls", "p_softer", "p_now", "<"),
    ),
)
def _calibration(example: Example) -> dict[str, Any]:
    """The winner and its probability, as they are and with every logit halved ("softer")."""
    own = _has_clear_winner(example)
    used, numbers = _or_stock(example, own, 3.0, 0.0)
    softer = softmax([z / 2.0 for z in used.scaled]).tolist()
    return numbers | {
        "fit": 5 if own and max(example.probabilities) >= 0.9 else 0,
        **used.named("winner"),
        "p_now": max(used.probabilities),
        "p_softer": max(softer),
        "winner_index": used.winner,
        "softer_winner": softer.index(max(softer)),
    }


@_misconception(
    title="“A cat classifier knows when there is no cat.”",
    claim="It does not: the probabilities of the classes it knows sum to 1, whatever the image.",
    sentences={
        STOCK: "is_stock",
        "Subtract 100 from every logit, so that nothing speaks for any class. The probabilities "
        "stay the same.": ALWAYS,
    },
    checks=(
        Check("The probabilities sum to 1", "sum_of_probabilities", 1.0),
        Check(
            "Subtracting 100 from every logit changes nothing",
            "lower",
            "probabilities",
            tolerance=1e-9,
        ),
    ),
)
def _unknown_picture(example: Example) -> dict[str, Any]:
    """lower: the probabilities with 100 subtracted from every logit."""
    own = example.has_finite_logits and max(map(abs, example.scaled)) <= 1e5
    used, numbers = _or_stock(example, own, 2.0, 1.0)
    named = 3 if example.names_are_given else 0
    return numbers | {
        "fit": 6 if example.source == "image" else named,
        **used.named("n_classes", "probabilities"),
        "lower": softmax([z - 100.0 for z in used.scaled]).tolist(),
        "sum_of_probabilities": math.fsum(used.probabilities),
    }


@_misconception(
    title="“Softmax and sigmoid are different methods.”",
    claim="For two classes, softmax is the sigmoid of the difference between the logits.",
    sentences={
        STOCK: "is_stock",
        "The logit of class {second} minus that of class {first} is {difference}, and 1 / (1 + "
        "e^−difference) = {sigmoid}.": ALWAYS,
    },
    checks=(Check("Sigmoid and softmax agree", "sigmoid", "p_second"),),
)
def _sigmoid(example: Example) -> dict[str, Any]:
    """difference: logit of the second class minus that of the first, over the temperature."""
    own = example.n_classes == 2
    used, numbers = _or_stock(example, own, 0.2, 0.3)
    difference = used.scaled[1] - used.scaled[0]
    return numbers | {
        "fit": 7 if own else 0,
        "first": used.class_names[0],
        "second": used.class_names[1],
        "difference": difference,
        "sigmoid": 1.0 / (1.0 + exp(-difference)),
        "p_second": used.probabilities[1],
    }
