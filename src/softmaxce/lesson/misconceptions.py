"""Which misconceptions the reader's numbers call for, and the numbers that refute each.

Among the numbers is `fit`: how well a misconception fits the example, 0 if it does not. Where the
reader's numbers cannot show the point, stock numbers are used and `is_stock` is true.
"""

from __future__ import annotations

import math
from typing import Any

from softmaxce.lesson import misconception_templates as templates
from softmaxce.lesson.example import Example, as_list, make_example
from softmaxce.lesson.numbers import ROUNDING, exp, shares_of_total
from softmaxce.lesson.step import Step, render
from softmaxce.numerics import log_softmax, softmax

MAX_FITTING = 3
TEMPERATURE_ROWS = [0.1, 0.5, 1.0, 2.0, 10.0]
CLASS_COUNTS = [2, 10, 100, 1000]


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


def _exaggerates(example: Example) -> dict[str, Any]:
    """top_share, top_p: the highest share of the total and the highest probability."""
    own = example.has_finite_logits and min(example.logits) >= 0 and max(example.logits) > 0
    used, numbers = _or_stock(example, own, 0.2, 0.3)
    _, shares, _ = shares_of_total(used.logits)
    top_share, top_p = max(shares), max(as_list(softmax(used.logits)))
    top_logit = max(used.logits)
    at_temperatures = [
        max(as_list(softmax([(z - top_logit) / t for z in used.logits]))) for t in TEMPERATURE_ROWS
    ]
    flatter = top_p < top_share - ROUNDING
    return numbers | {
        "fit": 5 if own and flatter and example.source != "probabilities" else 0,
        "top_share": top_share,
        "top_p": top_p,
        "flatter": flatter,
        "sharper": not flatter,
        "temperatures": TEMPERATURE_ROWS,
        "top_at_temperatures": at_temperatures,
        "coldest": at_temperatures[0],
        "hottest": at_temperatures[-1],
    }


def _are_like_probabilities(example: Example) -> bool:
    """Whether the logits are all in 0 … 1 and sum to 1."""
    z = example.logits
    return (
        example.source != "probabilities"
        and all(0.0 <= value <= 1.0 for value in z)
        and abs(math.fsum(z) - 1.0) <= 1e-6
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
        "as_logits": 0.0 - float(max(as_list(log_softmax(used.logits)))),
        "zero": 0.0,
    }


def _softmax_twice(example: Example) -> dict[str, Any]:
    """once, twice: the loss after one softmax and after two; floor: the lowest loss after two."""

    def floor(n_classes: int) -> float:
        return math.log(math.e + n_classes - 1.0) - 1.0

    many = 2 if example.n_classes >= 10 else 0
    return {
        "fit": 9 if _are_like_probabilities(example) else many,
        "n_classes": example.n_classes,
        "once": example.loss,
        "twice": 0.0 - as_list(log_softmax(example.probabilities))[example.label],
        "floor": floor(example.n_classes),
        "counts": CLASS_COUNTS,
        "floors": [floor(n) for n in CLASS_COUNTS],
    }


def _loss_above_1(example: Example) -> dict[str, Any]:
    """blind: the loss of a uniform prediction, ln K; uniform: the same from K equal logits."""
    blind = math.log(example.n_classes)
    better = example.loss < blind - ROUNDING
    fit = 8 if better else 6
    return {
        "fit": fit if 1.0 < example.loss < math.inf else 0,
        **example.named("n_classes", "loss"),
        "blind": blind,
        "uniform": 0.0 - as_list(log_softmax([0.0] * example.n_classes))[0],
        "better": better,
        "not_better": not better,
        "counts": CLASS_COUNTS,
        "blind_losses": [math.log(count) for count in CLASS_COUNTS],
    }


def _loss_and_accuracy(example: Example) -> dict[str, Any]:
    """The winner and its loss, as they are and with every logit doubled."""
    own = _has_clear_winner(example)
    used, numbers = _or_stock(example, own, 2.0, 1.0)
    doubled = as_list(log_softmax([2.0 * z for z in used.scaled]))
    fits = own and example.winner == example.label and max(example.probabilities) < 0.9
    return numbers | {
        "fit": 4 if fits else 0,
        "winner": used.name(used.winner),
        "winner_index": used.winner,
        "winner_when_doubled": doubled.index(max(doubled)),
        "loss_now": 0.0 - max(used.log_probabilities),
        "loss_doubled": 0.0 - max(doubled),
    }


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


def _derivative(example: Example) -> dict[str, Any]:
    """jacobian_row: ∂p[true]/∂z; chain: the row times −1/p[true], the derivative of −log p."""
    own = example.probabilities[example.label] > 1e-100
    used, numbers = _or_stock(example, own, 0.2, 0.3)
    p, y, label = used.probabilities, used.targets, used.label
    row = [p[label] * (one - q) for one, q in zip(y, p, strict=True)]
    factor = -1.0 / p[label]
    return numbers | {
        "fit": 1,
        "true_class": used.name(label),
        "jacobian_row": row,
        "factor": factor,
        "chain": [factor * value for value in row],
        "p_minus_y": [q - one for q, one in zip(p, y, strict=True)],
        "sum_of_row": math.fsum(row),
    }


def _calibration(example: Example) -> dict[str, Any]:
    """The winner and its probability, as they are and with every logit halved ("softer")."""
    own = _has_clear_winner(example)
    used, numbers = _or_stock(example, own, 3.0, 0.0)
    softer = as_list(softmax([z / 2.0 for z in used.scaled]))
    return numbers | {
        "fit": 5 if own and max(example.probabilities) >= 0.9 else 0,
        "winner": used.name(used.winner),
        "p_now": max(used.probabilities),
        "p_softer": max(softer),
        "winner_index": used.winner,
        "softer_winner": softer.index(max(softer)),
    }


def _unknown_picture(example: Example) -> dict[str, Any]:
    """lower: the probabilities with 100 subtracted from every logit."""
    own = example.has_finite_logits and max(map(abs, example.scaled)) <= 1e5
    used, numbers = _or_stock(example, own, 2.0, 1.0)
    named = 3 if example.names_are_given else 0
    return numbers | {
        "fit": 6 if example.source == "image" else named,
        **used.named("n_classes", "probabilities"),
        "lower": as_list(softmax([z - 100.0 for z in used.scaled])),
        "sum_of_probabilities": math.fsum(used.probabilities),
    }


def _sigmoid(example: Example) -> dict[str, Any]:
    """difference: logit of the second class minus that of the first, over the temperature."""
    own = example.n_classes == 2
    used, numbers = _or_stock(example, own, 0.2, 0.3)
    difference = used.scaled[1] - used.scaled[0]
    return numbers | {
        "fit": 7 if own else 0,
        "first": used.name(0),
        "second": used.name(1),
        "difference": difference,
        "sigmoid": 1.0 / (1.0 + exp(-difference)),
        "p_second": used.probabilities[1],
    }


# The template of each, and the function that gives its numbers.
MISCONCEPTIONS = (
    (templates.EXAGGERATES, _exaggerates),
    (templates.LOOKS_LIKE_PROBABILITIES, _looks_like_probabilities),
    (templates.SOFTMAX_TWICE, _softmax_twice),
    (templates.LOSS_ABOVE_1, _loss_above_1),
    (templates.LOSS_AND_ACCURACY, _loss_and_accuracy),
    (templates.WRONG_CLASSES, _wrong_classes),
    (templates.DERIVATIVE, _derivative),
    (templates.CALIBRATION, _calibration),
    (templates.UNKNOWN_PICTURE, _unknown_picture),
    (templates.SIGMOID, _sigmoid),
)
