"""The reader's example: logits (or probabilities), a true class, and what follows from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from softmaxce.errors import InputError
from softmaxce.numerics import log_softmax, softmax

MAX_CLASSES = 1000
TEMPERATURES = (0.001, 1000.0)
LEARNING_RATES = (1e-6, 1000.0)
SUM_TOLERANCE = 1e-6
MAX_ROWS = 12


@dataclass(frozen=True)
class Example:
    """Numbers of one image. logits, class_names: n_classes each; label: the true class, from 0."""

    logits: tuple[float, ...]
    class_names: tuple[str, ...]
    label: int
    label_is_given: bool = True
    names_are_given: bool = False
    temperature: float = 1.0
    learning_rate: float = 0.1
    source: str = "logits"  # or "probabilities", or "image"

    @property
    def n_classes(self) -> int:
        """How many classes there are."""
        return len(self.logits)

    @cached_property
    def scaled(self) -> tuple[float, ...]:
        """(z − max z) / temperature: what softmax sees, shifted so that the largest is 0."""
        top = max(self.logits)
        return tuple((z - top) / self.temperature for z in self.logits)

    @cached_property
    def probabilities(self) -> list[float]:
        """softmax(z / temperature)."""
        return as_list(softmax(self.scaled))

    @cached_property
    def log_probabilities(self) -> list[float]:
        """log softmax(z / temperature), in nats."""
        return as_list(log_softmax(self.scaled))

    @property
    def targets(self) -> list[float]:
        """The one-hot target."""
        return [1.0 if k == self.label else 0.0 for k in range(self.n_classes)]

    @property
    def loss(self) -> float:
        """−log p[label], in nats."""
        return 0.0 - self.log_probabilities[self.label]

    @property
    def winner(self) -> int:
        """The class with the highest logit, the first of equals."""
        return self.logits.index(max(self.logits))

    @property
    def has_finite_logits(self) -> bool:
        """False when a probability of exactly 0 was given: its logit would be −∞."""
        return all(map(math.isfinite, self.logits))

    def name(self, k: int) -> str:
        """The name of class k."""
        return self.class_names[k]

    @property
    def shown(self) -> list[int]:
        """The classes that a long table keeps: the ends, the true one and the most probable."""
        return shown_classes(self.logits, self.label)


def shown_classes(logits: Sequence[float], label: int) -> list[int]:
    """All classes up to MAX_ROWS; else the ends, the true class and the five most probable."""
    n_classes = len(logits)
    if n_classes <= MAX_ROWS:
        return list(range(n_classes))
    by_logit = sorted(range(n_classes), key=lambda k: -logits[k])
    return sorted({0, 1, n_classes - 2, n_classes - 1, label, *by_logit[:5]})


def as_list(values: object) -> list[float]:
    """An array as Python floats."""
    return [float(value) for value in np.asarray(values)]


def from_logits(
    logits: Sequence[float],
    *,
    label: int | str | None = None,
    classes: Sequence[str] | None = None,
    temperature: float = 1.0,
    learning_rate: float = 0.1,
    source: str = "logits",
) -> Example:
    """The checked example of `logits`. Without a label the first class is taken as the true one.

    Raises InputError for numbers, classes or a label that do not fit.
    """
    _check_numbers("logits", logits)
    return _checked(logits, label, classes, temperature, learning_rate, source)


def from_probabilities(
    probabilities: Sequence[float],
    *,
    label: int | str | None = None,
    classes: Sequence[str] | None = None,
    temperature: float = 1.0,
    learning_rate: float = 0.1,
) -> Example:
    """The checked example of predicted probabilities: its logits are log p, −∞ where p is 0.

    Probabilities that sum to 1 within 1e-6 are divided by their sum; others raise InputError.
    """
    _check_numbers("probabilities", probabilities)
    for p in probabilities:
        if not 0.0 <= p <= 1.0:
            raise InputError(f"a probability lies between 0 and 1, not at {p:g}")
    total = math.fsum(probabilities)
    if abs(total - 1.0) > SUM_TOLERANCE:
        raise InputError(
            f"the probabilities sum to {total:g}, not to 1: for raw outputs use --logits"
        )
    logits = [math.log(p / total) if p else -math.inf for p in probabilities]
    return _checked(logits, label, classes, temperature, learning_rate, "probabilities")


def _checked(
    logits: Sequence[float],
    label: int | str | None,
    classes: Sequence[str] | None,
    temperature: float,
    learning_rate: float,
    source: str,
) -> Example:
    _check_range("temperature", temperature, TEMPERATURES)
    _check_range("learning rate", learning_rate, LEARNING_RATES)
    names = _class_names(classes, len(logits))
    values = tuple(float(z) for z in logits)
    draft = Example(
        logits=values,
        class_names=names,
        label=0,
        label_is_given=label is not None,
        names_are_given=classes is not None,
        temperature=float(temperature),
        learning_rate=float(learning_rate),
        source=source,
    )
    position = _default_label(draft) if label is None else label_index(label, names)
    return replace(draft, label=position)


def _check_numbers(what: str, numbers: Sequence[float]) -> None:
    if not 2 <= len(numbers) <= MAX_CLASSES:
        raise InputError(
            f"{what}: give 2 to {MAX_CLASSES} numbers, one for each class, not {len(numbers)}"
        )
    for number in numbers:
        if not math.isfinite(number):
            raise InputError(f"{what}: every number must be finite, not {number}")


def _check_range(what: str, value: float, limits: tuple[float, float]) -> None:
    low, high = limits
    if not low <= value <= high:  # a nan fails too
        raise InputError(f"the {what} lies between {low:g} and {high:g}, not at {value:g}")


def _class_names(classes: Sequence[str] | None, n_classes: int) -> tuple[str, ...]:
    if classes is None:
        return tuple(str(k) for k in range(n_classes))
    if len(classes) != n_classes:
        raise InputError(f"there are {len(classes)} class names for {n_classes} numbers")
    for name in classes:
        if not name or classes.count(name) > 1:
            raise InputError(f"class names must be different and not empty: '{name}' is not")
    return tuple(classes)


def label_index(label: int | str, class_names: Sequence[str]) -> int:
    """The class that `label` means: a name, or an index from 0. Raises InputError if none."""
    if isinstance(label, str) and label in class_names:
        return list(class_names).index(label)
    try:
        index = int(label)
    except ValueError:
        index = -1
    if not 0 <= index < len(class_names):
        known = ", ".join(class_names[:10]) + (", …" if len(class_names) > 10 else "")
        raise InputError(f"no class '{label}': labels are 0 to {len(class_names) - 1}, or {known}")
    return index


def _default_label(draft: Example) -> int:
    """The first class whose cross-entropy a float can hold (nearly always class 0)."""
    return next(k for k, log_p in enumerate(draft.log_probabilities) if math.isfinite(log_p))
