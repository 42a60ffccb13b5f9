"""The numbers of each step, computed from an example. The messages are in `templates`.

Each function returns the numbers that its step's template refers to by name. The lesson page
computes the same numbers under the same names in JavaScript; a test compares the two.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from softmaxce.lesson.descent import descent
from softmaxce.lesson.example import Example
from softmaxce.lesson.step import LazyNumbers
from softmaxce.numerics import cross_entropy, kl_divergence, log_softmax, one_hot, softmax

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEP_OF_DIFFERENCE = 0.01
LARGEST_FOR_SHIFT = 1e5  # above, rounding z + 10 changes the probabilities visibly
ROUNDING = 1e-12  # relative: smaller differences are rounding errors
ROUNDING_OF_WEIGHTS = 1e-9  # relative: how far from 0 a trained linear model's logits may sum
SMALLEST_POWER = 1e-300  # below, a power has lost digits
NINE_TO_ONE, EVEN = [0.9, 0.1], [0.5, 0.5]
P_TRUE_FALLS = [0.99, 0.9, 0.5, 0.1, 0.01, 0.001]
ENDS = ["perfect", "this prediction", "perfectly wrong"]
Distribution = tuple[list[float], list[float]]  # probabilities and their logarithms


def logits(example: Example) -> dict[str, Any]:
    """One number per class. binary, multi_class: whether there are two classes, or more."""
    return example.named("classes", "n_classes", "logits", "targets", "label") | {
        "binary": example.n_classes == 2,
        "multi_class": example.n_classes > 2,
        "one": 1,
        "doubled": 2 * example.n_classes,
    }


def shares_of_total(
    z: Sequence[float], rounding: float = ROUNDING
) -> tuple[float, list[float], float]:
    """(total, shares, tolerance of their sum) of logits z; no shares if the logits cancel.

    They cancel if their sum is at most `rounding` times the sum of their absolute values.
    """
    size = max(map(abs, z)) or 1.0  # dividing by it first keeps 1e308 + 1e308 from overflowing
    parts = [value / size for value in z]
    total = math.fsum(parts)
    magnitude = math.fsum(map(abs, parts))
    if abs(total) <= rounding * magnitude:
        return 0.0, [], 0.0
    return total * size, [part / total for part in parts], ROUNDING * magnitude / abs(total)


def shares(example: Example) -> dict[str, Any]:
    """z / Σz, and how it fails.

    cancels: Σz is 0, so nothing can be divided (else `divides`). fits: every share is a
    probability; mixed: some logits are negative; upside_down: none is positive. show_negative,
    show_cancelling: which failure to show with other numbers. always_cancels: the logits are those
    of a linear model, which cancel but for the rounding of its weights.
    """
    of_model = example.is_of_model
    rounding = ROUNDING_OF_WEIGHTS if of_model else ROUNDING
    total, parts, tolerance = shares_of_total(example.logits, rounding)
    negative, positive = min(example.logits) < 0, max(example.logits) > 0
    divides = bool(parts)
    return example.named("classes", "logits", "label", "winner", "winner_logit") | {
        "total": total,
        "shares": parts,
        "winner_share": parts[example.winner] if divides else None,
        "equal_share": 1.0 / example.n_classes,
        "sum_of_shares": math.fsum(parts),
        "sum_tolerance": tolerance,
        "cancels": not divides,
        "always_cancels": of_model and not divides,
        "divides": divides,
        "mixed": divides and negative and positive,
        "upside_down": divides and negative and not positive,
        "fits": divides and not negative,
        "show_cancelling": divides,
        "show_negative": not (divides and negative and positive),
    }


def exponentials(example: Example) -> dict[str, Any]:
    """aᶻ for three bases, z being the logits divided by the temperature.

    too_big, vanishes: whether a power of e overflows to ∞, or underflows to 0. representable:
    whether that of the first class has all its digits. is_text: the page, which draws the curve,
    does not have it.
    """
    with np.errstate(over="ignore", under="ignore"):
        z = np.divide(example.logits, example.temperature)
        two, near_e, e = np.power(2.0, z), np.power(2.7, z), np.exp(z)
    powers, first = np.power(2.0, example.scaled), float(e[0])
    representable = SMALLEST_POWER < first < math.inf
    return example.named("classes", "temperature", "tempered") | {
        "logits": z.tolist(),
        "first_logit": float(z[0]),
        "powers_of_2": two.tolist(),
        "powers_of_2_7": near_e.tolist(),
        "powers_of_e": e.tolist(),
        "first_power": first,
        "first_power_of_2": float(two[0]),
        "e_times_first": math.e * float(z[0]),
        "log_of_first_power": math.log(first) if representable else None,
        "representable": representable,
        "is_text": True,
        "too_big": bool(np.isinf(e).any()),
        "vanishes": bool((e == 0).any()),
        "base_2": (powers / powers.sum()).tolist(),
        "softmax_ln_2": softmax(np.multiply(example.scaled, math.log(2.0))).tolist(),
    }


def softmax_step(example: Example) -> dict[str, Any]:
    """The probabilities, with the largest logit subtracted first.

    direct: the same without the subtraction, from powers_of_e, where it works. shifted_by_10: with
    10 added to each logit; shiftable: whether rounding lets that leave the probabilities the same.
    """
    powers = np.exp(example.scaled).tolist()
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        z = np.divide(example.logits, example.temperature)
        direct, plus_ten = np.exp(z), softmax(z + 10.0)
        total = direct.sum()
    direct_works = bool(SMALLEST_POWER < total < np.inf)
    shown = ("classes", "probabilities", "winner", "label")
    return example.named(*shown) | {
        "winner_share": shares(example)["winner_share"],
        "one": 1,
        "largest": max(example.logits) / example.temperature,
        "shifted": list(example.scaled),
        "powers": powers,
        "total": math.fsum(powers),
        "sum_of_probabilities": math.fsum(example.probabilities),
        "p_winner": example.probabilities[example.winner],
        "shiftable": max(map(abs, example.logits)) <= LARGEST_FOR_SHIFT * example.temperature,
        "shifted_by_10": plus_ten.tolist(),
        "direct_works": direct_works,
        "direct_fails": not direct_works,
        **(_direct(direct) if direct_works else {}),
    }


def _direct(powers: NDArray[np.float64]) -> dict[str, Any]:
    total = float(powers.sum())
    return {
        "powers_of_e": powers.tolist(),
        "sum_of_powers": total,
        "direct": (powers / total).tolist(),
    }


def target(example: Example) -> dict[str, Any]:
    """The one-hot target."""
    return example.named("classes", "n_classes", "label", "true_class", "targets") | {
        "indices": list(range(example.n_classes)),
        "label_is_given": example.label_is_given,
        "label_is_assumed": not example.label_is_given,
        "sum_of_targets": math.fsum(example.targets),
        "place_of_1": example.targets.index(1.0),
        "label_from_1": example.label + 1,
    }


def loss_table() -> dict[str, Any]:
    """Squared error (one wrong class having the rest) beside cross-entropy as p[true] falls.

    squared_growth, loss_growth: how much each grows between the last two rows.
    """
    squared = [2.0 * (1.0 - p) ** 2 for p in P_TRUE_FALLS]
    losses = [-math.log(p) for p in P_TRUE_FALLS]
    return {
        "p_true_falls": P_TRUE_FALLS,
        "squared_errors": squared,
        "cross_entropies": losses,
        "squared_growth": squared[-1] - squared[-2],
        "loss_growth": losses[-1] - losses[-2],
        "ln_10": math.log(10.0),
    }


def squared_error(example: Example) -> dict[str, Any]:
    """The table of both losses, and the example's own error, class by class.

    true_square: the square for the true class; error: the same before it is squared.
    """
    pairs = zip(example.probabilities, example.targets, strict=True)
    squares = [(p - y) ** 2 for p, y in pairs]
    shown = ("p_true", "loss", "probabilities", "targets", "true_class", "label")
    return {**loss_table(), **example.named(*shown)} | {
        "squares": squares,
        "squared_error": math.fsum(squares),
        "true_square": squares[example.label],
        "error": 1.0 - example.probabilities[example.label],
    }


def cross_entropy_step(example: Example) -> dict[str, Any]:
    """−Σ yₖ log pₖ, term by term, and the entropies behind it.

    better, worse, same: the example's loss beside uniform_loss, that of a uniform prediction.
    vanishes: p[true] is too small to be written; if not, written_out. may_be_infinite: an infinite
    term is the true value, because a probability of 0 was given; never_infinite: it only exceeds
    the largest float, and so does the loss if exceeds_float.
    """
    log_p, loss = example.log_probabilities, example.loss
    p_true = example.probabilities[example.label]
    surprises = [0.0 - value for value in log_p]
    uniform = math.log(example.n_classes)
    shown = ("classes", "n_classes", "targets", "probabilities", "loss", "p_true", "label")
    return {**example.named(*shown), **_entropies(example)} | {
        "surprises": surprises,
        "terms": [s if y else 0.0 for s, y in zip(surprises, example.targets, strict=True)],
        "cross_entropy": float(cross_entropy(log_p, example.targets)),
        "exp_minus_loss": math.exp(-loss),
        "error": 1.0 - p_true,
        "bits": loss / math.log(2.0),
        "perplexity": exp(loss),
        "has_perplexity": math.isfinite(exp(loss)),
        "uniform_loss": uniform,
        "better": is_less(loss, uniform),
        "worse": is_less(uniform, loss),
        "same": not is_less(loss, uniform) and not is_less(uniform, loss),
        "finite": math.isfinite(loss),
        "written_out": p_true > ROUNDING,
        "vanishes": math.isfinite(loss) and p_true <= ROUNDING,
        "may_be_infinite": not example.has_finite_logits,
        "never_infinite": example.has_finite_logits,
        "exceeds_float": math.isinf(loss) and example.has_finite_logits,
    }


def _entropies(example: Example) -> dict[str, Any]:
    """The entropy of the prediction p; the entropy of the target y plus the KL divergence.

    From log p, not p: a probability that underflows to 0 still has a finite logarithm.
    """
    y = example.targets, [0.0 if one else -math.inf for one in example.targets]
    p = example.probabilities, example.log_probabilities
    return {"entropy": _cross(p, p), "entropy_plus_kl": _cross(y, y) + _kl(y, p)}


def _cross(p: Distribution, q: Distribution) -> float:
    """The cross-entropy −Σ p log q, in nats."""
    return float(cross_entropy(q[1], p[0]))


def _kl(p: Distribution, q: Distribution) -> float:
    """The KL divergence in nats. It is never negative: rounding below 0 is cut off."""
    return max(0.0, float(kl_divergence(p[0], q[0], logs=(p[1], q[1]))))


def is_less(a: float, b: float) -> bool:
    """Whether a < b by more than rounding errors."""
    return a < b - ROUNDING * max(1.0, min(abs(a), abs(b)))


def exp(x: float) -> float:
    """eˣ; ∞ if it exceeds the largest float."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def two_ends(example: Example) -> dict[str, Any]:
    """The cost of a perfect prediction, of the example's, and of a perfectly wrong one."""
    with np.errstate(divide="ignore"):
        ends = cross_entropy(np.log(np.eye(2)), one_hot([0, 0], 2))
    perfect, wrong = map(float, ends)
    loss = example.loss
    logs = [list(map(math.log, p)) for p in (NINE_TO_ONE, EVEN)]
    return example.named("p_true", "loss") | {
        "one": 1,
        "two": 2,
        "there": _kl((NINE_TO_ONE, logs[0]), (EVEN, logs[1])),
        "back": _kl((EVEN, logs[1]), (NINE_TO_ONE, logs[0])),
        "ends": ENDS,
        "p_at_ends": [1.0, example.probabilities[example.label], 0.0],
        "loss_at_ends": [perfect, loss, wrong],
        "perfect": perfect,
        "wrong": wrong,
        "infinity": math.inf,
        "is_perfect": loss == 0.0,
        "is_infinite": math.isinf(loss) and not example.has_finite_logits,
        "is_between": 0.0 < loss < math.inf,
    }


def gradient(example: Example) -> LazyNumbers:
    """(p − y) / temperature, its finite difference, and gradient descent.

    moves: a step lowers the loss by more than rounding errors; else too_small_to_move, or infinite
    if the loss is infinite before and after.
    """
    t = example.temperature
    slopes = [(p - y) / t for p, y in zip(example.probabilities, example.targets, strict=True)]
    new = [z - example.learning_rate * g for z, g in zip(example.logits, slopes, strict=True)]
    top = max(new)
    after = 0.0 - float(log_softmax([(z - top) / t for z in new])[example.label])
    falls = math.isfinite(example.loss) and example.loss - after > ROUNDING * example.loss
    moves = falls and example.loss > ROUNDING
    shown = ("classes", "true_class", "p_true", "probabilities", "targets", "label", "loss")
    known = example.named(*shown, "temperature", "tempered", "not_tempered") | {
        "gradient": slopes,
        "true_slope": slopes[example.label],
        "minus_true_slope": -slopes[example.label],
        "finite_differences": _finite_differences(example),
        "sum_of_gradient": math.fsum(slopes),
        "learning_rate": example.learning_rate,
        "new_logits": new,
        "loss_after": after,
        "moves": moves,
        "too_small_to_move": math.isfinite(example.loss) and not moves,
        "infinite": math.isinf(example.loss),
    }
    return LazyNumbers(known, partial(descent, example))  # 200 steps, which few readers ask for


def _finite_differences(example: Example) -> list[float]:
    """The derivative of the loss with respect to each logit, from the loss at four nearby points.

    Central difference of fourth order (Abramowitz and Stegun 1964, 25.3.6). The loss is
    log Σ e^(z/T) − z_true/T; its second term is linear, and its difference is exact.
    """
    h = STEP_OF_DIFFERENCE
    powers = np.exp(example.scaled).tolist()
    total = math.fsum(powers)

    def change(power: float, move: float) -> float:
        """The change of log Σ e^(z/T) from `move` below this class's z/T to `move` above it."""
        above, below = (total - power + power * math.exp(m) for m in (move, -move))
        return math.log(above) - math.log(below)

    return [
        ((8.0 * change(power, h) - change(power, 2 * h)) / (12.0 * h) - y) / example.temperature
        for power, y in zip(powers, example.targets, strict=True)
    ]
