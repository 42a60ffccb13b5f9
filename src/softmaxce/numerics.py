"""The functions of the lesson, on arrays: softmax, its logarithm, and the entropies.

Everything is computed from log-probabilities, without an epsilon inside a logarithm, so the
cross-entropy of a perfectly wrong prediction is exactly infinity. Entropies are in nats.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from softmaxce.class_names import closest, labels_of
from softmaxce.errors import InputError, first_and_more

if TYPE_CHECKING:  # numpy.typing takes a millisecond
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.floating[Any]]

Axis = int | tuple[int, ...] | None

_ROUNDING = 1e-6  # how far above 1 a probability of float32 arithmetic may be


def refuse_masked(*arrays: object) -> None:
    """Raise TypeError if one of these is a masked array, whose mask would be ignored."""
    masked = sys.modules.get("numpy.ma")  # importing it takes 15 ms; without it there are none
    if masked and any(isinstance(array, masked.MaskedArray) for array in arrays):
        raise TypeError("masked arrays are not supported: select the unmasked values first")


def _as_array(x: ArrayLike) -> NDArray[Any]:
    """x as an array of real numbers. Raises TypeError for anything else."""
    refuse_masked(x)
    array = np.asarray(x)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"an array of real numbers is needed, not of dtype {array.dtype}")
    return array


def _as_floats(x: ArrayLike) -> Floats:
    """x as a floating-point array: float32 and wider types are kept, float16 becomes float32 (in
    which sums of thousands of terms are accurate), and all others become float64."""
    array = _as_array(x)
    if array.dtype == np.float16:
        return array.astype(np.float32)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _shifted(x: Floats, axis: Axis) -> tuple[Floats, Floats]:
    """(x − m, m) with m the finite maximum along `axis` (0 where the maximum is infinite)."""
    maximum = np.max(x, axis=axis, keepdims=True)
    maximum = np.where(np.isfinite(maximum), maximum, 0.0).astype(x.dtype)
    with np.errstate(over="ignore"):  # −1e308 − 1e308 = −inf: its exponential is 0, as required
        return x - maximum, maximum


def _log_of_sum(shifted: Floats, axis: Axis) -> Floats:
    """log Σ exp(shifted), where the largest shifted value is 0.

    The maximal terms are factored out and log1p is applied to the rest, which keeps the relative
    accuracy when one term dominates (log(1 + 1e-20) is 1e-20, not 0).
    """
    top = np.max(shifted, axis=axis, keepdims=True)  # 0, or infinite where x is
    is_maximum = shifted == top
    n_maxima = np.sum(is_maximum, axis=axis, keepdims=True, dtype=shifted.dtype)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        rest = np.sum(np.exp(np.where(is_maximum, -np.inf, shifted)), axis=axis, keepdims=True)
        return np.asarray(top + np.log(n_maxima) + np.log1p(rest / n_maxima))


def logsumexp(x: ArrayLike, axis: Axis = None) -> Any:
    """log Σ exp(x) along `axis` (all of x if None), without overflow, for x of any shape.

    Agrees with `scipy.special.logsumexp`: the sum of no terms is 0, and its logarithm −∞.
    """
    x = _as_floats(x)
    if not x.size:
        return np.sum(x, axis=axis) - np.inf
    shifted, maximum = _shifted(x, axis)
    result = np.squeeze(_log_of_sum(shifted, axis) + maximum, axis=axis)
    return result[()]


def log_softmax(x: ArrayLike, axis: Axis = None) -> Any:
    """Logarithm of the softmax of logits x along `axis` (all of x if None). Same shape as x.

    Agrees with `scipy.special.log_softmax`, and stays accurate when one logit dominates.
    """
    x = _as_floats(x)
    shifted, _ = _shifted(x, axis)
    with np.errstate(invalid="ignore"):
        return (shifted - _log_of_sum(shifted, axis))[()]


def softmax(x: ArrayLike, axis: Axis = None) -> Any:
    """Probabilities e^x / Σ e^x along `axis` (all of x if None). Same shape as x.

    Agrees with `scipy.special.softmax`.
    """
    x = _as_floats(x)
    with np.errstate(over="ignore", invalid="ignore"):  # a logit of +∞ makes all of them nan
        exponentials = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return (exponentials / np.sum(exponentials, axis=axis, keepdims=True))[()]


def one_hot(labels: ArrayLike, n_classes: int) -> NDArray[np.float64]:
    """Labels 0 … n_classes − 1 of any shape as targets of shape (*labels.shape, n_classes).

    Raises InputError for a label that is not an integer or is out of range.
    """
    indices = _as_array(labels)
    if not indices.size:
        return np.zeros((*indices.shape, n_classes))
    if not np.issubdtype(indices.dtype, np.integer):
        raise InputError(f"labels must be integers, not {indices.dtype}")
    if not (indices.min() >= 0 and indices.max() < n_classes):
        raise InputError(
            f"labels must be in 0 … {n_classes - 1}, not {indices.min()} … {indices.max()}"
        )
    targets = np.zeros((*indices.shape, n_classes))
    np.put_along_axis(targets, indices[..., np.newaxis], 1.0, axis=-1)
    return targets


def label_index(label: int | str, class_names: Sequence[str]) -> int:
    """The class that `label` means: a name, else an index from 0. Raises InputError if neither."""
    (index,) = labels_of([str(label)], class_names) if isinstance(label, str) else (None,)
    if index is not None:
        return index
    try:
        index = int(label)
    except (TypeError, ValueError):
        index = -1
    if not 0 <= index < len(class_names):
        meant = closest(str(label), class_names, 1.0 if str(label).isdigit() else 0.7)
        hint = f"did you mean '{meant}'? Labels" if meant else "labels"
        has_names = [*class_names] != [*map(str, range(len(class_names)))]
        last, names = len(class_names) - 1, first_and_more(class_names)
        if has_names:
            raise InputError(f"no class '{label}': {hint} are 0 to {last}, or {names}")
        raise InputError(f"no class '{label}': {hint} are 0 to {last}")
    return index


def _products(weights: Floats, values: Floats) -> Floats:
    """weights · values, where 0 times infinity is 0."""
    return np.where(weights == 0, 0.0, weights * np.where(weights == 0, 0.0, values))


def _probabilities(x: ArrayLike) -> Floats:
    """x as floating-point numbers. Raises InputError unless they are between 0 and 1."""
    p = _as_floats(x)
    if ((p < 0) | (p > 1 + _ROUNDING)).any():
        raise InputError(f"probabilities must be between 0 and 1, not {np.min(p)} … {np.max(p)}")
    return p


def _targets(targets: ArrayLike, shape: tuple[int, ...], axis: int) -> Floats:
    """Targets of this shape, with the classes along `axis`, from themselves or from labels."""
    array = _as_array(targets)
    if array.shape != shape:
        are_labels = np.issubdtype(array.dtype, np.integer) or not array.size
        if not are_labels or array.shape != tuple(np.delete(shape, axis)):
            raise InputError(
                f"targets must have the shape {shape} of the log-probabilities, or be integer "
                f"labels, one for each prediction; they have shape {array.shape} and are "
                f"{array.dtype}"
            )
        array = np.moveaxis(one_hot(array, shape[axis]), -1, axis)
    return _probabilities(array)


def cross_entropy(log_probabilities: ArrayLike, targets: ArrayLike, axis: int = -1) -> Any:
    """−Σ targets · log-probabilities along `axis`, in nats: one number per image.

    log_probabilities: (..., n_classes); targets: integer labels (...), or distributions
    (..., n_classes) such as one-hot rows. Where the log-probability is −∞, a target of 0
    contributes 0, and a target above 0 makes the result ∞. Raises InputError for log-probabilities
    above 0, for labels out of range and for shapes that do not agree.
    """
    log_p = _as_floats(log_probabilities)
    if not -log_p.ndim <= axis < log_p.ndim:
        raise InputError(f"no axis {axis} of classes in the shape {log_p.shape}")
    if (log_p > _ROUNDING).any():
        raise InputError(
            f"log-probabilities cannot be above 0, and the largest is {log_p.max():.3g}: take the "
            "logarithm of probabilities, or the log_softmax of logits"
        )
    y = _targets(targets, log_p.shape, axis)
    return (0.0 - np.sum(_products(y, log_p), axis=axis))[()]


def entropy(probabilities: ArrayLike, axis: int = -1) -> Any:
    """−Σ p log p along `axis`, in nats; 0 log 0 counts as 0 (Shannon 1948)."""
    p = _probabilities(probabilities)
    with np.errstate(divide="ignore"):
        return cross_entropy(np.log(p), p, axis=axis)


def kl_divergence(
    p: ArrayLike, q: ArrayLike, axis: int = -1, *, logs: tuple[ArrayLike, ArrayLike] | None = None
) -> Any:
    """Σ p log(p / q) along `axis`, in nats; ∞ where p > 0 and q = 0 (Kullback, Leibler 1951).

    logs: (log p, log q) if they are known more precisely: a q that underflows to 0 has a finite
    logarithm. Raises InputError unless p and q are probabilities of the same number of classes.
    """
    p, q = _probabilities(p), _probabilities(q)
    if p.shape[axis] != q.shape[axis]:
        raise InputError(f"p and q must have the same classes, but the shapes {p.shape}, {q.shape}")
    with np.errstate(divide="ignore", invalid="ignore"):
        log_p, log_q = (np.log(p), np.log(q)) if logs is None else map(_as_floats, logs)
        return np.sum(_products(p, log_p - log_q), axis=axis)[()]
