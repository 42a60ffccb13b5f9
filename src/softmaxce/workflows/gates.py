"""Quality gates: bounds on scores, for scripts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from softmaxce.errors import GateFailed, InputError
from softmaxce.metrics.scores import LOSSES, PROPORTIONS, Scores
from softmaxce.typed_numbers import number


@dataclass(frozen=True)
class Gate:
    """The score `metric` must be at least `bound`, or at most `bound` if it is a loss."""

    metric: str
    bound: float


def parse_gate(text: str) -> Gate:
    """'accuracy=0.9', 'accuracy>=0.9' or 'cross_entropy<=0.3' as a Gate. Raises InputError."""
    match = re.fullmatch(r"\s*(\w+)\s*(=|>=|<=)\s*(\S.*)", text, re.ASCII)
    if match is None:
        raise InputError(f"'{text}' is not a gate; write accuracy=0.9 or cross_entropy<=0.3")
    metric, relation, bound_text = match.groups()
    if metric not in (*PROPORTIONS, *LOSSES):
        raise InputError(
            f"unknown score '{metric}'; the scores are {', '.join((*PROPORTIONS, *LOSSES))}"
        )
    if relation == (">=" if metric in LOSSES else "<="):
        advice = f"higher {metric} is better; use >="
        if metric in LOSSES:
            advice = f"lower {metric} is better; use <="
        raise InputError(f"'{text}' would accept the worst model: {advice}")
    try:
        bound = number(bound_text, percent=metric in PROPORTIONS)
    except ValueError as error:
        raise InputError(f"{metric}: {error}") from None
    if bound < 0:
        raise InputError(f"{metric} cannot have the bound {bound_text}")
    if metric in PROPORTIONS and bound > 1:
        raise InputError(f"{metric} is between 0 and 1 ({'90 %'} is 0.9), not {bound_text}")
    return Gate(metric, bound)


def check_gates(scores: Scores, gates: Sequence[Gate]) -> None:
    """Raise GateFailed, which says by how much, if a score is worse than its bound.

    Raises InputError for a score that does not exist with so few classes.
    """
    failed = []
    values = {metric.name: metric for metric in scores.metrics} if gates else {}
    for gate in gates:
        if gate.metric not in values:
            raise InputError(f"there is no {gate.metric} with {scores.n_classes} classes")
        metric = values[gate.metric]
        is_loss = gate.metric in LOSSES
        shortfall = metric.value - gate.bound if is_loss else gate.bound - metric.value
        if shortfall > 0:
            reached = f"{gate.metric} {metric.value:.4g}"
            below = f"{reached} is {shortfall:.2g} below {gate.bound:g}"
            above = f"{reached} is {shortfall:.2g} above {gate.bound:g}"
            failed.append(above if is_loss else below)
    if failed:
        raise GateFailed(f"gate failed: {'; '.join(failed)}")
