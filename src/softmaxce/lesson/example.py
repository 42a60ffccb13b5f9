"""The reader's example: logits (or probabilities), a true class, and what follows from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Real
from typing import Any

from softmaxce.errors import InputError, first_and_more
from softmaxce.numerics import label_index, log_softmax, softmax

MAX_CLASSES = 1000
TEMPERATURES = (0.001, 1000.0)
LEARNING_RATES = (1e-6, 1000.0)
SUM_TOLERANCE = 1e-6
MAX_ROWS = 12
DEFAULT_NAMES = "cat, dog, person"  # for up to three classes; more are called by index


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
    source: str = "logits"  # or "probabilities"; or of a model, "image" or "features"
    default_names: str = DEFAULT_NAMES

    @property
    def is_of_model(self) -> bool:
        """Whether a model computed the logits."""
        return self.source in ("image", "features")

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.logits)

    @cached_property
    def scaled(self) -> tuple[float, ...]:
        """(z − max z) / temperature: the input of softmax, shifted so that the largest is 0."""
        top = max(self.logits)
        return tuple((z - top) / self.temperature for z in self.logits)

    @cached_property
    def probabilities(self) -> list[float]:
        """softmax(z / temperature)."""
        return list(map(float, softmax(self.scaled)))

    @cached_property
    def log_probabilities(self) -> list[float]:
        """log softmax(z / temperature), in nats."""
        return list(map(float, log_softmax(self.scaled)))

    @property
    def targets(self) -> list[float]:
        """The one-hot target."""
        return [float(k == self.label) for k in range(self.n_classes)]

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
        """False if a probability of exactly 0 was given: its logit is −∞."""
        return all(map(math.isfinite, self.logits))

    def named(self, *names: str) -> dict[str, Any]:
        """Numbers that several steps show, under the names that their templates use."""
        known = {
            "classes": list(self.class_names),
            "n_classes": self.n_classes,
            "logits": list(self.logits),
            "temperature": self.temperature,
            "tempered": self.temperature != 1.0,
            "not_tempered": self.temperature == 1.0,
            "probabilities": self.probabilities,
            "targets": self.targets,
            "label": self.label,
            "true_class": self.class_names[self.label],
            "p_true": self.probabilities[self.label],
            "loss": self.loss,
            "winner": self.class_names[self.winner],
            "winner_logit": self.logits[self.winner],
        }
        return {name: known[name] for name in names}

    @property
    def shown(self) -> list[int]:
        """The classes in a table: all up to MAX_ROWS; else both ends, the true class, the top 5."""
        n_classes = self.n_classes
        if n_classes <= MAX_ROWS:
            return list(range(n_classes))
        by_logit = sorted(range(n_classes), key=lambda k: -self.logits[k])
        return sorted({0, 1, n_classes - 2, n_classes - 1, self.label, *by_logit[:5]})


def make_example(
    numbers: Sequence[float],
    source: str = "logits",
    *,
    label: int | str | None = None,
    classes: Sequence[str] | None = None,
    temperature: float = 1.0,
    learning_rate: float = 0.1,
    default_names: str = DEFAULT_NAMES,
) -> Example:
    """The checked example of `numbers`, which are logits unless `source` is "probabilities".

    Probabilities must sum to 1 within 1e-6 and are divided by their sum; their logits are log p.
    default_names: DEFAULT_NAMES, or their translation, for examples without classes. Without a
    label, the first class whose cross-entropy is finite counts as the true one (nearly
    always class 0). Raises InputError for numbers, classes or a label that do not fit.
    """
    is_probabilities = source == "probabilities"
    _check_numbers("probabilities" if is_probabilities else "logits", numbers)
    _check_range("temperature", temperature, TEMPERATURES)
    _check_range("learning rate", learning_rate, LEARNING_RATES)
    names = _class_names(classes, len(numbers), default_names)
    draft = Example(
        logits=_log_probabilities(numbers) if is_probabilities else tuple(map(float, numbers)),
        class_names=names,
        label=0,
        label_is_given=label is not None,
        names_are_given=classes is not None,
        temperature=float(temperature),
        learning_rate=float(learning_rate),
        source=source,
        default_names=default_names,
    )
    if label is not None:
        return replace(draft, label=label_index(label, names))
    finite = (k for k, log_p in enumerate(draft.log_probabilities) if math.isfinite(log_p))
    return replace(draft, label=next(finite))


def _log_probabilities(probabilities: Sequence[float]) -> tuple[float, ...]:
    total = math.fsum(probabilities)
    for p in probabilities:
        if not 0.0 <= p <= 1.0:
            scaled = first_and_more([f"{q / total:.4g}" for q in probabilities], separator=" ")
            meant = f"; did you mean {scaled}?" if min(probabilities) >= 0 else ""
            raise InputError(f"probabilities must be between 0 and 1, got {p:g}{meant}")
    if abs(total - 1.0) > SUM_TOLERANCE:
        raise InputError(
            f"the probabilities sum to {total:g}, not to 1: for raw outputs use --logits"
        )
    return tuple(math.log(p / total) if p else -math.inf for p in probabilities)


def _check_numbers(what: str, numbers: Sequence[float]) -> None:
    if not 2 <= len(numbers) <= MAX_CLASSES:
        raise InputError(
            f"{what}: give 2 to {MAX_CLASSES} numbers, one per class; got {len(numbers)}"
        )
    for number in numbers:
        if not (isinstance(number, Real) and math.isfinite(number)):
            raise InputError(f"{what}: every number must be finite, got {number}")


def _check_range(what: str, value: float, limits: tuple[float, float]) -> None:
    low, high = limits
    if not low <= value <= high:  # NaN fails too
        raise InputError(f"the {what} must be between {low:g} and {high:g}, got {value:g}")


def _class_names(
    classes: Sequence[str] | None, n_classes: int, default_names: str
) -> tuple[str, ...]:
    if classes is None:
        names = default_names.split(", ")
        if n_classes <= len(names):
            return tuple(names[:n_classes])
        return tuple(str(k) for k in range(n_classes))
    classes = [*map(str, classes)]
    if len(classes) != n_classes:
        raise InputError(f"classes: give {n_classes} names, one per number; got {len(classes)}")
    for name in classes:
        if not name or classes.count(name) > 1:
            raise InputError(f"class names must be different and not empty: '{name}' is not")
    return tuple(classes)
