"""SoftmaxClassifier: fit, predict and predict_proba, with scikit-learn's conventions.

It uses scikit-learn's base classes and checks if scikit-learn is installed, and otherwise the small
replacements below.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from inspect import signature
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from softmaxce.errors import InputError, first_and_more
from softmaxce.layers import Layer, forward
from softmaxce.numerics import log_softmax, refuse_masked
from softmaxce.training.fitting import (
    DEFAULT_TOLERANCE,
    fit,
)
from softmaxce.training.objective import Floats
from softmaxce.training.rows import Rows, block_rows
from softmaxce.training.sample_weights import balanced_sample_weight, check_sample_weight
from softmaxce.training.validation_split import distinct_rows, is_for_validation

# A float32 X of at most so many values is fitted in float64, which is quick enough: float32 sums
# depend on the order of the rows, so a row of weight 2 would not quite equal two rows.
_FEW_VALUES = 1 << 18
_KEPT_DTYPES = [np.float64, np.float32, np.uint8]  # any other becomes the first


class _PlainBase:
    """Replaces scikit-learn's base classes and checks if it is not installed."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's arguments."""
        return {name: getattr(self, name) for name in signature(type(self)).parameters}

    def set_params(self, **params: Any) -> Any:
        """Change some of the constructor's arguments, and return self."""
        for name, value in params.items():
            if name not in self.get_params():
                raise InputError(f"{name} is not a parameter of {type(self).__name__}")
            setattr(self, name, value)
        return self

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Accuracy, weighted by sample_weight."""
        predicted = np.asarray(self.predict(X))  # type: ignore[attr-defined]
        is_correct = predicted == _checked_targets(y, len(predicted))
        return float(np.average(is_correct, weights=sample_weight))  # type: ignore[arg-type]

    def _checked_training(self, X: ArrayLike, y: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
        """X and y as arrays."""
        if y is None:
            raise InputError(
                f"{type(self).__name__} requires y to be passed, but the target y is None"
            )
        values = _checked_matrix(X)
        return values, _checked_targets(y, len(values))

    def _checked(self, X: ArrayLike) -> NDArray[Any]:
        """X as an array, for a fitted model."""
        if not hasattr(self, "n_features_in_"):
            raise InputError("this SoftmaxClassifier is not fitted yet: call fit first")
        values = _checked_matrix(X)
        if values.shape[1] != self.n_features_in_:
            raise InputError(
                f"X has {values.shape[1]} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input"
            )
        return values


def _checked_matrix(X: ArrayLike) -> NDArray[Any]:
    if hasattr(X, "toarray"):
        raise InputError("X is sparse, but must be dense: give X.toarray()")
    values = np.asarray(X)
    if values.ndim != 2:
        raise InputError(f"X must be a matrix, not of shape {values.shape}: Reshape your data")
    if not values.size:
        what = "feature" if len(values) else "sample"
        raise InputError(f"0 {what}(s) (shape={values.shape}) while a minimum of 1 is required.")
    if np.iscomplexobj(values):
        raise InputError("X contains complex numbers: Complex data not supported")
    if values.dtype not in _KEPT_DTYPES:
        values = values.astype(np.float64)
    if not np.isfinite(values).all():
        raise InputError("X contains NaN or infinity: remove them")
    return values


def _checked_targets(y: ArrayLike, n: int) -> NDArray[Any]:
    """Labels (n,): strings, booleans or whole numbers, as scikit-learn demands."""
    targets = np.asarray(y)
    targets = targets[:, 0] if targets.shape[1:] == (1,) else targets
    if targets.shape != (n,):
        raise InputError(
            f"y must have one label for each of {n} rows, not the shape {targets.shape}"
        )
    if targets.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            is_whole = targets == targets.astype(np.int64)
        if not is_whole.all():
            raise InputError("y contains NaN or continuous values: Unknown label type: continuous")
    elif targets.dtype.kind not in "biuUM" and not all(isinstance(t, str) for t in targets):
        raise InputError(
            f"y contains {targets.dtype}s: Unknown label type: use strings or integers"
        )
    return targets


if TYPE_CHECKING:
    _Base = _PlainBase
    ConvergenceWarning = UserWarning
else:
    try:
        from sklearn.base import BaseEstimator, ClassifierMixin
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.utils.validation import check_is_fitted, validate_data

        class _Base(ClassifierMixin, BaseEstimator):
            """scikit-learn's bases and checks."""

            def _checked_training(self, X, y):
                values, targets = validate_data(self, X, y, dtype=_KEPT_DTYPES)
                return values, _checked_targets(targets, len(values))

            def _checked(self, X):
                check_is_fitted(self)
                return validate_data(self, X, dtype=_KEPT_DTYPES, reset=False)

    except ImportError:
        _Base = _PlainBase
        ConvergenceWarning = UserWarning


class SoftmaxClassifier(_Base):
    """Softmax regression, or a network of hidden ReLU layers, on rows of pixels or other numbers.

    l2: constant of mean cross-entropy + (l2/2)·‖W‖² (scikit-learn's C is 1/(n·l2)), where W applies
    to the scaled X, or with hidden layers to the standardized X; None chooses it on a validation
    set of a tenth of the rows. hidden: widths of hidden layers, or the width of one. class_weight:
    None, 'balanced' or a dict from class to weight. scale: multiplies X, so that uint8 pixels need
    no copy (1/255). tol: stop when the estimated distance to the optimum is at most this fraction
    of the objective. random_state: an integer, None for 0, or a NumPy Generator or RandomState.

    Fitted: classes_; coef_ (n_classes, n_features), for the scaled X, and intercept_
    (n_classes,), both only without hidden layers, and for two classes (1, n_features) and (1,), so
    that the decision function is scale·X @ coef_.T + intercept_; layers_; l2_; n_iter_;
    n_features_in_; fit_, the full result.
    """

    def __init__(
        self,
        l2: float | None = 1e-3,
        *,
        hidden: Sequence[int] | int = (),
        class_weight: str | dict[Any, float] | None = None,
        scale: float = 1.0,
        tol: float = DEFAULT_TOLERANCE,
        max_iter: int = 200,
        random_state: Any = None,
    ) -> None:
        self.l2 = l2
        self.hidden = hidden
        self.class_weight = class_weight
        self.scale = scale
        self.tol = tol
        self.max_iter = max_iter
        self.random_state = random_state

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> SoftmaxClassifier:
        """Fit to X (n, n_features) and labels y (n,). Returns self.

        sample_weight: (n,), or one number for all rows. A row of weight 0 counts as no row, and one
        of weight 2 as two. Raises InputError for invalid arguments, the constructor's included.
        """
        hidden, seed = self._checked_parameters()
        refuse_masked(X, y, sample_weight)
        values, targets = self._checked_training(X, y)
        if values.dtype == np.float32 and values.size <= _FEW_VALUES:
            values = values.astype(np.float64)
        self.classes_, labels = _classes_and_labels(targets)
        weights = np.array(1.0 if sample_weight is None else sample_weight, np.float64)
        weights = np.full(len(labels), weights) if weights.ndim == 0 else weights
        check_sample_weight(weights, len(labels))
        if self.l2 is None or hidden:
            subsets = self._subsets(values, labels, weights, seed, not hidden)
        else:
            is_weighted = sample_weight is not None or self.class_weight is not None
            subsets = {"sample_weight": self._times_class(weights, labels) if is_weighted else None}
        self.fit_ = fit(
            values,
            labels,
            len(self.classes_),
            scale=self.scale,
            l2=self.l2,
            hidden=hidden,
            tolerance=self.tol,
            max_iterations=self.max_iter,
            seed=seed,
            **subsets,
        )
        self.layers_ = self.fit_.layers
        self.l2_ = self.fit_.l2
        self.n_iter_ = max(self.fit_.n_iterations, 1)
        self.n_features_in_ = values.shape[1]
        vars(self).pop("coef_", None)  # from an earlier fit
        vars(self).pop("intercept_", None)
        if not hidden:
            weights, biases = self.layers_[0]
            if len(self.classes_) == 2:  # of the difference of the logits
                weights, biases = np.diff(weights), np.diff(biases)
            self.coef_, self.intercept_ = np.ascontiguousarray(weights.T), biases
        if not self.fit_.converged:
            warnings.warn(self.fit_.stop_message, ConvergenceWarning, stacklevel=2)
        return self

    def _checked_parameters(self) -> tuple[tuple[int, ...], int]:
        """The widths of the hidden layers, and the seed. Raises InputError for any parameter."""
        hidden = tuple(self.hidden) if np.iterable(self.hidden) else (self.hidden,)
        seed = 0 if self.random_state is None else self.random_state
        if isinstance(seed, np.random.Generator):
            seed = seed.integers(2**31 - 1)
        elif hasattr(seed, "randint"):  # a RandomState, as scikit-learn allows
            seed = seed.randint(2**31 - 1)
        is_scale = _is_number(self.scale) and 1e-100 <= self.scale <= 1e100
        is_seed = _is_integer(seed) and 0 <= seed < 2**32
        for name, is_valid, expected in (
            ("l2", self.l2 is None or _is_number(self.l2), "None or a finite number, at least 0"),
            ("hidden", all(map(_is_count, hidden)), "a positive integer or a sequence of them"),
            ("scale", is_scale, "a number from 1e-100 to 1e100"),
            ("tol", _is_number(self.tol) and self.tol > 0, "a positive, finite number"),
            ("max_iter", _is_count(self.max_iter), "a positive integer"),
            ("random_state", is_seed, "None, an integer from 0 to 2**32 - 1, or a NumPy generator"),
        ):
            if not is_valid:
                raise InputError(f"{name} must be {expected}, not {getattr(self, name)!r}")
        return tuple(map(int, hidden)), int(seed)

    def _subsets(
        self,
        values: NDArray[Any],
        labels: NDArray[np.intp],
        weights: Floats,
        seed: int,
        is_ascending: bool,
    ) -> dict[str, Any]:
        """The arguments of `fit` for training and validation rows. Sums need ascending rows, and
        mini-batches an order that does not depend on X's."""
        rows, weights = distinct_rows(values, labels, weights, seed)
        is_out = is_for_validation(labels[rows], weights)
        weights = self._times_class(weights, labels[rows])
        if is_ascending:
            order = np.argsort(rows)
            rows, weights, is_out = rows[order], weights[order], is_out[order]
        if not weights[is_out].any():
            return {"rows": rows, "sample_weight": weights}
        return {
            "rows": rows[~is_out],
            "sample_weight": weights[~is_out],
            "validation": Rows(values, labels, rows[is_out]),
            "validation_weight": weights[is_out],
        }

    def _times_class(self, weights: Floats, labels: NDArray[np.intp]) -> Floats:
        """The row weights times those of the rows' classes, from `class_weight`."""
        given, classes = self.class_weight, self.classes_.tolist()
        if given is None:
            return weights
        if isinstance(given, str) and given == "balanced":
            return balanced_sample_weight(labels, len(classes), weights)
        if not isinstance(given, dict) or not all(map(_is_number, given.values())):
            raise InputError(
                "class_weight must be None, 'balanced' or a dict from classes to numbers, at least "
                f"0, not {given!r}"
            )
        n_known = sum(name in given for name in classes)
        if n_known < min(len(given), len(classes)):  # as in scikit-learn
            unknown = [repr(name) for name in given if name not in classes]
            raise InputError(f"class_weight: y contains no class {first_and_more(unknown)}")
        return np.asarray(weights * np.array([given.get(name, 1.0) for name in classes])[labels])

    def _logits(self, X: ArrayLike) -> NDArray[np.float64]:
        refuse_masked(X)
        values = self._checked(X)
        first, *others = self.layers_
        layers = [Layer(first.weights * self.scale, first.biases), *others]
        logits = np.empty((len(values), len(self.classes_)))
        size = block_rows(values.shape[1])
        for start in range(0, len(values), size):  # not all of X is converted to float64 at once
            block = slice(start, start + size)
            logits[block] = forward(layers, values[block])
        return logits

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Logits (n, n_classes); for two classes the second logit minus the first, (n,)."""
        logits = self._logits(X)
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_log_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Log-probabilities (n, n_classes), in the order of classes_."""
        return np.asarray(log_softmax(self._logits(X), axis=1))

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Probabilities (n, n_classes), in the order of classes_."""
        return np.asarray(np.exp(self.predict_log_proba(X)))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The most probable class of each row, (n,)."""
        best = self._logits(X).argmax(axis=1)
        return np.asarray(self.classes_[best])


def _is_number(value: Any) -> bool:
    is_real = isinstance(value, Real) and not isinstance(value, bool)
    return is_real and 0 <= value < np.inf


def _is_integer(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_integer(value) and value > 0


def _classes_and_labels(targets: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    try:
        classes, labels = np.unique(targets, return_inverse=True)
    except TypeError as error:
        raise InputError(f"y contains labels of different types: {error}") from None
    if len(classes) < 2:
        raise InputError(f"y contains only one class ({classes[0]}): at least two are needed")
    return classes, labels
