"""When the reader's numbers call for one of the beliefs to be corrected, and with which numbers.

Among the numbers of an answer is `fit`: how well it fits the example,
0 where it does not. Where the reader's numbers cannot show the point, stock numbers do.
"""

from __future__ import annotations

import math
from typing import Any

from softmaxce.lesson import beliefs
from softmaxce.lesson.example import Example, as_list, from_logits
from softmaxce.lesson.numbers import exp, shares_of_total
from softmaxce.lesson.step import Step, play
from softmaxce.numerics import log_softmax, softmax

MOST = 3
TEMPERATURE_ROWS = [0.1, 0.5, 1.0, 2.0, 10.0]
CLASS_COUNTS = [2, 10, 100, 1000]


def answer(example: Example, *, every: bool = False) -> tuple[Step, ...]:
    """The corrections that the example calls for, the most fitting first: at most three, or all."""
    steps = [play(script, numbers_of(example)) for script, numbers_of in CORRECTIONS]
    steps.sort(key=lambda step: -step.numbers["fit"])  # stable: equals keep the table's order
    return tuple(steps) if every else tuple(s for s in steps[:MOST] if s.numbers["fit"])


def _or_stock(example: Example, *stock: float, own: bool) -> tuple[Example, dict[str, Any]]:
    """The example if its own numbers will do, else one of stock logits, and how to say so."""
    shown = ", ".join(f"{z:g}" for z in stock)
    used = example if own else from_logits(stock)
    return used, {"classes": list(used.class_names), "is_stock": not own, "stock": shown}


def _has_clear_winner(example: Example) -> bool:
    """Whether one logit leads, by less than what would round its probability to 1."""
    second, first = sorted(example.scaled)[-2:]
    return 1e-6 < first - second <= 30.0


def _exaggerates(example: Example) -> dict[str, Any]:
    own = example.has_finite_logits and min(example.logits) >= 0 and max(example.logits) > 0
    used, numbers = _or_stock(example, 0.2, 0.3, own=own)
    _, shares, _ = shares_of_total(used.logits)
    probabilities = as_list(softmax(used.logits))
    at_temperatures = [
        max(as_list(softmax([(z - max(used.logits)) / t for z in used.logits])))
        for t in TEMPERATURE_ROWS
    ]
    top_share, top_p = max(shares), max(probabilities)
    flatter = top_p < top_share - 1e-12
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


def _looks_like_probabilities(example: Example) -> bool:
    z = example.logits
    return (
        example.source != "probabilities"
        and all(0.0 <= value <= 1.0 for value in z)
        and abs(math.fsum(z) - 1.0) <= 1e-6
    )


def _looks_perfect(example: Example) -> dict[str, Any]:
    own = _looks_like_probabilities(example)
    used, numbers = _or_stock(example, 0.0, 1.0, 0.0, own=own)
    best = max(used.logits)
    return numbers | {
        "fit": 10 if own else 0,
        "is_own": own,
        "logits": list(used.logits),
        "winner": used.name(used.winner),
        "as_probabilities": 0.0 - math.log(best),
        "as_logits": 0.0 - float(max(as_list(log_softmax(used.logits)))),
        "zero": 0.0,
    }


def _twice(example: Example) -> dict[str, Any]:
    twice = as_list(log_softmax(example.probabilities))
    counts = CLASS_COUNTS
    floors = [math.log(math.e + n - 1.0) - 1.0 for n in counts]
    looks_alike, many = _looks_like_probabilities(example), example.n_classes >= 10
    return {
        "fit": 9 if looks_alike else 2 if many else 0,
        "n_classes": example.n_classes,
        "once": example.loss,
        "twice": 0.0 - twice[example.label],
        "floor": math.log(math.e + example.n_classes - 1.0) - 1.0,
        "counts": counts,
        "floors": floors,
    }


def _above_one(example: Example) -> dict[str, Any]:
    n, loss, blind = example.n_classes, example.loss, math.log(example.n_classes)
    above = 1.0 < loss < math.inf
    return {
        "fit": (8 if loss < blind - 1e-12 else 6) if above else 0,
        "n_classes": n,
        "loss": loss,
        "blind": blind,
        "uniform": 0.0 - as_list(log_softmax([0.0] * n))[0],
        "better": loss < blind - 1e-12,
        "not_better": loss >= blind - 1e-12,
        "counts": CLASS_COUNTS,
        "blind_losses": [math.log(count) for count in CLASS_COUNTS],
    }


def _same_winner(example: Example) -> dict[str, Any]:
    own = example.has_finite_logits and _has_clear_winner(example)
    used, numbers = _or_stock(example, 2.0, 1.0, own=own)
    sharp = as_list(log_softmax([2.0 * z for z in used.scaled]))
    fits = own and example.winner == example.label and max(example.probabilities) < 0.9
    return numbers | {
        "fit": 4 if fits else 0,
        "winner": used.name(used.winner),
        "winner_index": used.winner,
        "winner_when_doubled": sharp.index(max(sharp)),
        "loss_now": 0.0 - max(used.log_probabilities),
        "loss_doubled": 0.0 - max(sharp),
    }


def _wrong_classes(example: Example) -> dict[str, Any]:
    used, numbers = _or_stock(example, 2.0, 1.0, 0.0, own=example.n_classes >= 3)
    p, y, label = used.probabilities, used.targets, used.label
    rest = math.fsum(p[k] for k in range(used.n_classes) if k != label) / (used.n_classes - 1)
    even = [p[k] if k == label else rest for k in range(used.n_classes)]
    wrong = max(p[k] for k in range(used.n_classes) if k != label)
    return numbers | {
        "fit": 3 if example.n_classes >= 3 and wrong >= 0.2 else 0,
        "true_class": used.name(label),
        "loss": used.loss,
        "probabilities": p,
        "gradient": [a - b for a, b in zip(p, y, strict=True)],
        "even": even,
        "even_gradient": [a - b for a, b in zip(even, y, strict=True)],
        "sum_of_even": math.fsum(even),
        "p_true": p[label],
        "even_p_true": even[label],
    }


def _derivative(example: Example) -> dict[str, Any]:
    own = example.probabilities[example.label] > 1e-100
    used, numbers = _or_stock(example, 0.2, 0.3, own=own)
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


def _calibrated(example: Example) -> dict[str, Any]:
    own = example.has_finite_logits and _has_clear_winner(example)
    used, numbers = _or_stock(example, 3.0, 0.0, own=own)
    soft = as_list(softmax([z / 2.0 for z in used.scaled]))
    return numbers | {
        "fit": 5 if own and max(example.probabilities) >= 0.9 else 0,
        "winner": used.name(used.winner),
        "p_now": max(used.probabilities),
        "p_softer": max(soft),
        "winner_index": used.winner,
        "softer_winner": soft.index(max(soft)),
    }


def _no_cat(example: Example) -> dict[str, Any]:
    own = example.has_finite_logits and max(map(abs, example.scaled)) <= 1e5
    used, numbers = _or_stock(example, 2.0, 1.0, own=own)
    lower = as_list(softmax([z - 100.0 for z in used.scaled]))
    fits = 6 if example.source == "image" else 3 if example.names_are_given else 0
    return numbers | {
        "fit": fits,
        "n_classes": used.n_classes,
        "probabilities": used.probabilities,
        "lower": lower,
        "sum_of_probabilities": math.fsum(used.probabilities),
    }


def _sigmoid(example: Example) -> dict[str, Any]:
    own = example.n_classes == 2
    used, numbers = _or_stock(example, 0.2, 0.3, own=own)
    difference = used.scaled[1] - used.scaled[0]
    return numbers | {
        "fit": 7 if own else 0,
        "first": used.name(0),
        "second": used.name(1),
        "difference": difference,
        "sigmoid": 1.0 / (1.0 + exp(-difference)),
        "p_second": used.probabilities[1],
    }


# In the order of the table of beliefs.
CORRECTIONS = (
    (beliefs.EXAGGERATES, _exaggerates),
    (beliefs.LOOKS_PERFECT, _looks_perfect),
    (beliefs.TWICE, _twice),
    (beliefs.ABOVE_ONE, _above_one),
    (beliefs.SAME_WINNER, _same_winner),
    (beliefs.WRONG_CLASSES, _wrong_classes),
    (beliefs.DERIVATIVE, _derivative),
    (beliefs.CALIBRATED, _calibrated),
    (beliefs.NO_CAT, _no_cat),
    (beliefs.SIGMOID, _sigmoid),
)
