"""The numbers of each step, computed from an example. No words here: those are in `script`.

Each function returns what its step's script refers to by name. The lesson page computes the same
numbers under the same names in its own language; a test in a browser holds the two together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from softmaxce.lesson.example import Example, as_list
from softmaxce.numerics import cross_entropy, log_softmax, one_hot, softmax

STEP_OF_DIFFERENCE = 0.01
LARGEST_FOR_SHIFT = 1e5  # beyond, rounding z + 10 moves the probabilities visibly
P_TRUE_FALLS = [0.99, 0.9, 0.5, 0.1, 0.01, 0.001]


def logits(example: Example) -> dict[str, Any]:
    """Step 2: one number per class."""
    return {
        "classes": list(example.class_names),
        "n_classes": example.n_classes,
        "logits": list(example.logits),
        "binary": example.n_classes == 2,
        "multi_class": example.n_classes > 2,
    }


def shares_of_total(z: Sequence[float]) -> tuple[float, list[float], float]:
    """(total, shares, tolerance of their sum) of logits z; no shares where the logits cancel."""
    size = max(map(abs, z)) or 1.0  # dividing by it first keeps 1e308 + 1e308 from overflowing
    parts = [value / size for value in z]
    total = math.fsum(parts)
    magnitude = math.fsum(map(abs, parts))
    if abs(total) <= 1e-12 * magnitude:
        return 0.0, [], 0.0
    return total * size, [part / total for part in parts], 1e-12 * magnitude / abs(total)


def shares(example: Example) -> dict[str, Any]:
    """Step 3: z / Σz, and how it fails."""
    z = example.logits
    total, parts, tolerance = shares_of_total(z)
    falls, rises = any(value < 0 for value in z), any(value > 0 for value in z)
    return {
        "classes": list(example.class_names),
        "logits": list(z),
        "total": total,
        "shares": parts,
        "sum_of_shares": math.fsum(parts),
        "sum_tolerance": tolerance,
        "cancels": not parts,
        "divides": bool(parts),
        "mixed": bool(parts) and falls and rises,
        "upside_down": bool(parts) and falls and not rises,
        "fits": bool(parts) and not falls,
        "show_cancelling": bool(parts),
        "show_negative": not (parts and falls and rises),
    }


def exponentials(example: Example) -> dict[str, Any]:
    """Step 4: aᶻ for three bases; z is divided by the temperature first."""
    with np.errstate(over="ignore", under="ignore"):
        z = np.divide(example.logits, example.temperature)
        two, near_e, e = np.power(2.0, z), np.power(2.7, z), np.exp(z)
    powers = np.power(2.0, example.scaled)
    return {
        "classes": list(example.class_names),
        "logits": as_list(z),
        "powers_of_2": as_list(two),
        "powers_of_2_7": as_list(near_e),
        "powers_of_e": as_list(e),
        "first_power": float(e[0]),
        "temperature": example.temperature,
        "tempered": example.temperature != 1.0,
        "too_big": bool(np.isinf(e).any()),
        "vanishes": bool((e == 0).any()),
        "base_2": as_list(powers / powers.sum()),
        "softmax_ln_2": as_list(softmax(np.multiply(example.scaled, math.log(2.0)))),
    }


def softmax_step(example: Example) -> dict[str, Any]:
    """Step 5: the probabilities, by way of the largest logit."""
    shifted = example.scaled
    powers = as_list(np.exp(shifted))
    numbers = {
        "classes": list(example.class_names),
        "largest": max(example.logits) / example.temperature,
        "shifted": list(shifted),
        "powers": powers,
        "total": math.fsum(powers),
        "probabilities": example.probabilities,
        "sum_of_probabilities": math.fsum(example.probabilities),
        "winner": example.name(example.winner),
        "p_winner": example.probabilities[example.winner],
        "pairwise": _pairwise(example),
        "shiftable": max(map(abs, example.logits)) <= LARGEST_FOR_SHIFT * example.temperature,
    }
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        z = np.divide(example.logits, example.temperature)
        direct, plus_ten = np.exp(z), softmax(z + 10.0)
    numbers["shifted_by_10"] = as_list(plus_ten)
    numbers["direct_works"] = bool(np.isfinite(direct).all() and direct.sum() > 1e-300)
    numbers["direct_fails"] = not numbers["direct_works"]
    if numbers["direct_works"]:
        numbers["direct"] = as_list(direct / direct.sum())
    return numbers


def _pairwise(example: Example) -> list[float]:
    """pₖ = 1 / Σⱼ e^(zⱼ − zₖ): from the differences alone, so that no shift can matter."""
    z = np.asarray(example.logits)
    with np.errstate(over="ignore", invalid="ignore"):
        differences = (z[np.newaxis, :] - z[:, np.newaxis]) / example.temperature
        np.fill_diagonal(differences, 0.0)
        return as_list(1.0 / np.exp(differences).sum(axis=1))


def target(example: Example) -> dict[str, Any]:
    """Step 6: the one-hot target."""
    return {
        "classes": list(example.class_names),
        "n_classes": example.n_classes,
        "indices": list(range(example.n_classes)),
        "label": example.label,
        "true_class": example.name(example.label),
        "label_is_assumed": not example.label_is_given,
        "targets": as_list(one_hot(example.label, example.n_classes)),
        "sum_of_targets": math.fsum(example.targets),
        "place_of_1": example.targets.index(1.0),
    }


def squared_error(example: Example) -> dict[str, Any]:
    """Step 7: squared error (the rest on one wrong class) beside cross-entropy as p falls."""
    squared = [2.0 * (1.0 - p) ** 2 for p in P_TRUE_FALLS]
    losses = [-math.log(p) for p in P_TRUE_FALLS]
    own = math.fsum(
        (p - y) ** 2 for p, y in zip(example.probabilities, example.targets, strict=True)
    )
    return {
        "p_true_falls": P_TRUE_FALLS,
        "squared_errors": squared,
        "cross_entropies": losses,
        "p_true": example.probabilities[example.label],
        "squared_error": own,
        "loss": example.loss,
        "squared_growth": squared[-1] - squared[-2],
        "loss_growth": losses[-1] - losses[-2],
        "ln_10": math.log(10.0),
    }


def cross_entropy_step(example: Example) -> dict[str, Any]:
    """Step 8: −Σ yₖ log pₖ, term by term."""
    surprises = [0.0 - log_p for log_p in example.log_probabilities]
    loss = example.loss
    blind = math.log(example.n_classes)
    return {
        "classes": list(example.class_names),
        "n_classes": example.n_classes,
        "true_class": example.name(example.label),
        "targets": example.targets,
        "probabilities": example.probabilities,
        "surprises": surprises,
        "terms": [s if y else 0.0 for s, y in zip(surprises, example.targets, strict=True)],
        "loss": loss,
        "cross_entropy": float(cross_entropy(example.log_probabilities, example.targets)),
        "p_true": example.probabilities[example.label],
        "exp_minus_loss": math.exp(-loss),
        "bits": loss / math.log(2.0),
        "perplexity": exp(loss),
        "has_perplexity": math.isfinite(exp(loss)),
        "blind": blind,
        "better": loss < blind - 1e-12,
        "worse": loss > blind + 1e-12,
        "same": abs(loss - blind) <= 1e-12,
        "entropy": _mean_surprise(example.probabilities, surprises),
        "finite": math.isfinite(loss),
        "vanishes": math.isfinite(loss) and example.probabilities[example.label] == 0.0,
        "may_be_infinite": not example.has_finite_logits,
        "never_infinite": example.has_finite_logits,
        "exceeds_float": math.isinf(loss) and example.has_finite_logits,
    }


def exp(x: float) -> float:
    """eˣ, ∞ where a float cannot hold it."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def _mean_surprise(weights: Sequence[float], surprises: Sequence[float]) -> float:
    """Σ weights · surprises; a weight of 0 makes 0 of an infinite surprise too."""
    return math.fsum(w * s for w, s in zip(weights, surprises, strict=True) if w)


ENDS = ["perfect", "this prediction", "perfectly wrong"]


def two_ends(example: Example) -> dict[str, Any]:
    """Step 9: the cost of a perfect and of a perfectly wrong prediction."""
    with np.errstate(divide="ignore"):
        perfect, wrong = cross_entropy(np.log(np.eye(2)), one_hot([0, 0], 2))
    loss = example.loss
    return {
        "p_true": example.probabilities[example.label],
        "loss": loss,
        "ends": list(ENDS),
        "p_at_ends": [1.0, example.probabilities[example.label], 0.0],
        "loss_at_ends": [float(perfect), loss, float(wrong)],
        "perfect": float(perfect),
        "wrong": float(wrong),
        "infinity": math.inf,
        "is_perfect": loss == 0.0,
        "is_infinite": math.isinf(loss) and not example.has_finite_logits,
    }


QUANTITIES = [
    "cross-entropy (target, prediction)",
    "cross-entropy (prediction, target)",
    "entropy of the target",
    "entropy of the prediction",
    "KL (target ‖ prediction)",
    "cross-entropy (prediction, blind guess)",
    "KL (prediction ‖ blind guess)",
    "KL (blind guess ‖ prediction)",
]


def no_distance(example: Example) -> dict[str, Any]:
    """Step 10: entropies and divergences of target y, prediction p and blind guess u."""
    n = example.n_classes
    y, p, u = example.targets, example.probabilities, [1.0 / n] * n
    log_p, log_u = example.log_probabilities, [-math.log(n)] * n
    log_y = [0.0 if one else -math.inf for one in y]
    numbers = {
        "target_prediction": _cross(y, log_p),
        "prediction_target": _cross(p, log_y),
        "entropy_target": _cross(y, log_y),
        "entropy_prediction": _cross(p, log_p),
        "kl_target_prediction": _kl(y, log_y, log_p),
        "prediction_blind": _cross(p, log_u),
        "kl_prediction_blind": _kl(p, log_p, log_u),
        "kl_blind_prediction": _kl(u, log_u, log_p),
    }
    return {
        "quantities": list(QUANTITIES),
        "values": list(numbers.values()),
        **numbers,
        "entropy_plus_kl": numbers["entropy_target"] + numbers["kl_target_prediction"],
        "entropy_plus_kl_blind": numbers["entropy_prediction"] + numbers["kl_prediction_blind"],
        "same_both_ways": numbers["target_prediction"] == numbers["prediction_target"],
        "differs": numbers["target_prediction"] != numbers["prediction_target"],
    }


def _cross(weights: Sequence[float], log_q: Sequence[float]) -> float:
    """−Σ weights · log q, in nats."""
    return 0.0 + _mean_surprise(weights, [0.0 - value for value in log_q])


def _kl(p: Sequence[float], log_p: Sequence[float], log_q: Sequence[float]) -> float:
    """Σ p (log p − log q), in nats. It is never negative: rounding below 0 is cut off."""
    terms = zip(p, log_p, log_q, strict=True)
    return max(0.0, math.fsum(w * (a - b) for w, a, b in terms if w))


def gradient(example: Example) -> dict[str, Any]:
    """Step 11: (p − y) / temperature, its finite difference, and one step of gradient descent."""
    t = example.temperature
    slopes = [(p - y) / t for p, y in zip(example.probabilities, example.targets, strict=True)]
    new = [z - example.learning_rate * g for z, g in zip(example.logits, slopes, strict=True)]
    top = max(new)
    after = 0.0 - as_list(log_softmax([(z - top) / t for z in new]))[example.label]
    size = max(1.0, *(abs(z) for z in example.logits if math.isfinite(z)))
    visible = example.learning_rate * max(map(abs, slopes)) > 1e-12 * size
    moves = visible and math.isfinite(example.loss)
    return {
        "classes": list(example.class_names),
        "true_class": example.name(example.label),
        "probabilities": example.probabilities,
        "targets": example.targets,
        "gradient": slopes,
        "finite_differences": finite_differences(example),
        "sum_of_gradient": math.fsum(slopes),
        "learning_rate": example.learning_rate,
        "temperature": t,
        "tempered": t != 1.0,
        "new_logits": new,
        "loss": example.loss,
        "loss_after": after,
        "moves": moves,
        "too_small_to_move": not visible,
        "infinite": visible and not moves,
        "from_image": example.source == "image",
    }


def finite_differences(example: Example) -> list[float]:
    """The loss's slope along each logit, from the loss at four nearby points.

    Central difference of fourth order (Abramowitz and Stegun 1964, 25.3.6). The loss is
    log Σ e^(z/T) − z_true/T; its second part is a straight line, whose difference is exact.
    """
    h = STEP_OF_DIFFERENCE
    powers = as_list(np.exp(example.scaled))
    total = math.fsum(powers)

    def log_sum(power: float, move: float) -> float:
        return math.log(total - power + power * math.exp(move))

    def slope(power: float) -> float:
        near = log_sum(power, h) - log_sum(power, -h)
        far = log_sum(power, 2 * h) - log_sum(power, -2 * h)
        return (8.0 * near - far) / (12.0 * h)

    return [
        (slope(power) - y) / example.temperature
        for power, y in zip(powers, example.targets, strict=True)
    ]
