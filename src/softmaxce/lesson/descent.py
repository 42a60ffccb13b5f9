"""Gradient descent on the logits themselves, under cross-entropy and under squared error."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from softmaxce.lesson.example import Example

N_STEPS = 100
SURE_AND_WRONG = [8.0, 0.0], 1  # logits and label of a confident mistake

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def descent(example: Example) -> dict[str, Any]:
    """p[true] before and after each of N_STEPS steps, under either loss: p_….

    slope_…: |gradient| on the true logit at the start; sure_…: on the first logit of
    SURE_AND_WRONG; last_p_…: the last p[true].
    """
    logits, label = SURE_AND_WRONG
    found: dict[str, Any] = {"n_steps": N_STEPS}
    losses = {"cross_entropy": _cross_entropy_slopes, "squared_error": _squared_error_slopes}
    for name, slopes_of in losses.items():
        with np.errstate(over="ignore", under="ignore"):
            course, slope = _course(example, slopes_of)
        sure = slopes_of(_softmax(np.array(logits)), label)
        found |= {
            f"p_{name}": course,
            f"last_p_{name}": course[-1],
            f"slope_{name}": slope,
            f"sure_{name}": float(sure[0]),
        }
    return found


def _course(
    example: Example, slopes_of: Callable[[Floats, int], Floats]
) -> tuple[list[float], float]:
    """p[true] before each step and after the last, and the first |gradient| on its logit."""
    t = example.temperature
    z = np.array(example.scaled) * t  # the same differences
    course, first = [], None
    for _ in range(N_STEPS + 1):
        p = _softmax(z / t)
        course.append(float(p[example.label]))
        slopes = slopes_of(p, example.label) / t
        first = abs(float(slopes[example.label])) if first is None else first
        z = z - example.learning_rate * slopes
    assert first is not None
    return course, first


def _softmax(z: Floats) -> Floats:
    powers = np.exp(z - z.max())
    return np.asarray(powers / powers.sum())


def _cross_entropy_slopes(p: Floats, label: int) -> Floats:
    """p − y: the gradient of −log p[label] with respect to the logits."""
    slopes = p.copy()
    slopes[label] -= 1.0
    return slopes


def _squared_error_slopes(p: Floats, label: int) -> Floats:
    """The gradient of Σ (p − y)² with respect to the logits, by the chain rule through softmax."""
    error = _cross_entropy_slopes(p, label)
    return np.asarray(2.0 * p * (error - p @ error))
