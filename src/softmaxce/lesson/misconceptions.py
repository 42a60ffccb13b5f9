"""Ten misconceptions: the text of each, and the numbers that refute it.

Among the numbers is `fit`: how well a misconception fits the example, 0 if it does not. Where the
reader's numbers cannot show the point, stock numbers are used and `is_stock` is true.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from softmaxce.lesson.example import Example, make_example
from softmaxce.lesson.numbers import exp, is_less, shares_of_total
from softmaxce.lesson.step import ALWAYS, Check, Column, Part, Step, StepTemplate, render
from softmaxce.lesson.templates import class_table, table
from softmaxce.numerics import log_softmax, softmax

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


def find_misconceptions(example: Example) -> tuple[Step, ...]:
    """All misconceptions, those that fit the example best first, equals in their order here."""
    steps = (render(template, numbers_of(example)) for template, numbers_of in MISCONCEPTIONS)
    return tuple(sorted(steps, key=lambda step: -step.numbers["fit"]))


def _or_stock(example: Example, own: bool, *stock: float) -> tuple[Example, dict[str, Any]]:
    """The example if `own`, else one of stock logits, and the numbers that say which."""
    used = example if own else make_example(stock, default_names=example.default_names)
    shown = ", ".join(f"{z:g}" for z in stock)
    return used, {**used.named("classes"), "is_stock": not own, "stock": shown}


def _has_clear_winner(example: Example) -> bool:
    """Whether one finite logit leads, but not so far that its probability rounds to 1."""
    second, first = sorted(example.scaled)[-2:]
    return example.has_finite_logits and 1e-6 < first - second <= 25.0


@_misconception(
    title="Many think that softmax exaggerates the winner.",
    claim="That is wrong: the scale of the logits decides.",
    sentences={
        STOCK: "is_stock",
        "The highest share is {top_share}; softmax's highest probability is {top_p}: "
        "flatter.": "flatter",
        "The highest share is {top_share}; softmax's highest probability is {top_p}.": "sharper",
    },
    checks=(Check("Softmax is flatter here", "top_p", "top_share", "<", when="flatter"),),
    more=Part(
        sentences={
            "Divide the same logits by a temperature, and the highest probability becomes:": ALWAYS
        },
        tables=(
            table(
                Column("temperature", "temperatures"),
                Column("highest probability", "top_at_temperatures"),
            ),
        ),
        checks=(
            Check("A high temperature is not sharper than a low one", "hottest", "coldest", "≤"),
        ),
    ),
)
def _exaggerates(example: Example) -> dict[str, Any]:
    """top_share, top_p: the highest share of the total and the highest probability."""
    own = example.has_finite_logits and min(example.logits) >= 0 and max(example.logits) > 0
    used, numbers = _or_stock(example, own, 0.2, 0.3)
    _, shares, _ = shares_of_total(used.logits)
    top_share, top_p = max(shares), float(softmax(used.logits).max())
    top = max(used.logits)
    tops = [float(softmax([(z - top) / t for z in used.logits]).max()) for t in TEMPERATURES]
    flatter = is_less(top_p, top_share)
    return numbers | {
        "fit": 8 if own and flatter and example.source != "probabilities" else 0,
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
    title="Many think that an output of [0, 1, 0] is perfect, so the loss is 0.",
    claim="That is wrong if these are logits: they still have to go through softmax.",
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
    title="Many think that applying softmax twice does no harm.",
    claim="That is wrong: the loss can then never come close to 0.",
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
    title="Many think that a loss above 1 is terrible.",
    claim="That is wrong: it depends on the number of classes K. A uniform prediction costs log K.",
    sentences={
        "Your loss is {loss}. A uniform prediction over {n_classes} classes costs "
        "{uniform_loss}, so yours is better.": "better",
        "Your loss is {loss}. A uniform prediction over {n_classes} classes costs "
        "{uniform_loss}, so yours is not better.": "not_better",
    },
    tables=(table(Column("classes", "counts"), Column("uniform prediction", "uniform_losses")),),
    checks=(
        Check("Yours is lower", "loss", "uniform_loss", "<", when="better"),
        Check("Yours is not lower", "uniform_loss", "loss", "≤", when="not_better"),
    ),
    more=Part(checks=(Check("Equal probabilities cost log K", "uniform", "uniform_loss"),)),
)
def _loss_above_1(example: Example) -> dict[str, Any]:
    """uniform_loss: that of a uniform prediction, log K; uniform: the same from K equal logits."""
    uniform_loss = math.log(example.n_classes)
    better = is_less(example.loss, uniform_loss)
    fit = 8 if better else 6
    return {
        "fit": fit if 1.0 < example.loss < math.inf else 0,
        **example.named("n_classes", "loss"),
        "uniform_loss": uniform_loss,
        "uniform": 0.0 - float(log_softmax([0.0] * example.n_classes)[0]),
        "better": better,
        "not_better": not better,
        "counts": CLASS_COUNTS,
        "uniform_losses": [math.log(count) for count in CLASS_COUNTS],
    }


@_misconception(
    title="Many think that a lower loss means a higher accuracy.",
    claim="That is wrong: accuracy depends only on which class comes first, the loss also on how "
    "clearly.",
    sentences={
        STOCK: "is_stock",
        "If class {winner} is the true one, the loss is {loss_now}. Double every logit: the "
        "predicted class, and so the accuracy, stays the same, but the loss is "
        "{loss_doubled}.": ALWAYS,
    },
    checks=(Check("The losses differ", "loss_doubled", "loss_now", "<"),),
    more=Part(
        checks=(Check("The predicted class stays the same", "winner_when_doubled", "winner_index"),)
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
    title="Many think that the wrong classes do not matter.",
    claim="That is wrong: the loss uses only p[true], but the gradient moves every logit.",
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
        Check("The even probabilities also sum to 1", "sum_of_even", 1.0, written="<<{even}| + >>"),
    ),
    more=Part(checks=(Check("p[true], and so the loss, is the same", "even_p_true", "p_true"),)),
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
        **used.named("true_class", "label", "loss", "probabilities", "p_true"),
        "gradient": [a - b for a, b in zip(p, y, strict=True)],
        "even": even,
        "even_gradient": [a - b for a, b in zip(even, y, strict=True)],
        "sum_of_even": math.fsum(even),
        "even_p_true": even[label],
    }


@_misconception(
    title="Many think that p − y is the derivative of softmax.",
    claim="That is wrong: it is the derivative of the loss through softmax. The derivative of "
    "softmax itself is a matrix.",
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
    checks=(Check("The product is p − y", "chain", "p_minus_y"),),
    more=Part(checks=(Check("The row of the matrix sums to 0", "sum_of_row", 0.0),)),
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
    title="Many think that a probability of 0.9 means right 90 times in 100.",
    claim="That is wrong unless the model is calibrated, which is measured on many images, not on "
    "one.",
    sentences={
        STOCK: "is_stock",
        "Class {winner} has p = {p_now}. Halve every logit, and it still has the highest "
        "probability, but now {p_softer}. The model with halved logits is right just as often, so "
        "the two probabilities cannot both be that frequency.": ALWAYS,
    },
    checks=(Check("Its probability falls", "p_softer", "p_now", "<"),),
    more=Part(
        checks=(Check("The predicted class stays the same", "softer_winner", "winner_index"),)
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
    title="Many think that a cat classifier knows when there is no cat.",
    claim="That is wrong: the probabilities of the classes it knows sum to 1, whatever the image.",
    sentences={
        STOCK: "is_stock",
        "Subtract 100 from every logit, so that nothing speaks for any class. The probabilities "
        "stay the same.": ALWAYS,
    },
    checks=(
        Check(
            "Subtracting 100 from every logit changes nothing",
            "lower",
            "probabilities",
            tolerance=1e-9,
        ),
    ),
    more=Part(checks=(Check("The probabilities sum to 1", "sum_of_probabilities", 1.0),)),
)
def _unknown_picture(example: Example) -> dict[str, Any]:
    """lower: the probabilities with 100 subtracted from every logit."""
    own = example.has_finite_logits and max(map(abs, example.scaled)) <= 1e5
    used, numbers = _or_stock(example, own, 2.0, 1.0)
    named = 3 if example.names_are_given else 0
    return numbers | {
        "fit": 6 if example.is_of_model else named,
        **used.named("n_classes", "probabilities"),
        "lower": softmax([z - 100.0 for z in used.scaled]).tolist(),
        "sum_of_probabilities": math.fsum(used.probabilities),
    }


@_misconception(
    title="Many think that softmax and sigmoid are different methods.",
    claim="That is wrong: for two classes, softmax is the sigmoid of the difference between the "
    "logits.",
    sentences={
        STOCK: "is_stock",
        "The logit of class {second} minus that of class {first} is {difference}. Its sigmoid, 1 / "
        "(1 + e^−difference), is the probability of class {second}.": ALWAYS,
    },
    checks=(
        Check(
            "Sigmoid and softmax agree",
            "sigmoid",
            "p_second",
            written="1 / (1 + e^(−({difference})))",
        ),
    ),
)
def _sigmoid(example: Example) -> dict[str, Any]:
    """difference: logit of the second class minus that of the first, over the temperature."""
    own = example.n_classes == 2
    used, numbers = _or_stock(example, own, 0.2, 0.3)
    difference = used.scaled[1] - used.scaled[0]
    return numbers | {
        "fit": 4 if own else 0,
        "first": used.class_names[0],
        "second": used.class_names[1],
        "difference": difference,
        "sigmoid": 1.0 / (1.0 + exp(-difference)),
        "p_second": used.probabilities[1],
    }
