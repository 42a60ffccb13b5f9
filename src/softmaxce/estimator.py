"""SoftmaxClassifier: fit, predict and predict_proba, with scikit-learn's conventions.

It uses scikit-learn's base classes and checks if scikit-learn is installed, and otherwise the small
replacements below.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from softmaxce.errors import InputError
from softmaxce.layers import Layer, forward
from softmaxce.numerics import log_softmax
from softmaxce.training.fitting import DEFAULT_TOLERANCE, balanced_sample_weight, fit
from softmaxce.training.rows import Rows, block_rows

_KEPT_DTYPES = [np.float64, np.float32, np.uint8]  # any other becomes the first
_VALIDATION = 0.1  # fraction of the rows that choose l2, or the epoch of hidden layers


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
        is_correct = np.asarray(self.predict(X)) == np.asarray(y)  # type: ignore[attr-defined]
        return float(np.average(is_correct, weights=sample_weight))  # type: ignore[arg-type]

    def _checked_training(self, X: ArrayLike, y: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
        """X and y as arrays."""
        values, targets = np.asarray(X), np.asarray(y)
        if values.dtype not in _KEPT_DTYPES:
            values = values.astype(np.float64)
        if values.ndim != 2 or not values.size:
            raise InputError(f"X must be a non-empty matrix, not of shape {values.shape}")
        if not np.isfinite(values).all():
            raise InputError("X contains nan or infinite values: remove them")
        if targets.shape != (len(values),):
            raise InputError(f"y must have one label for each of {len(values)} rows")
        return values, targets

    def _checked(self, X: ArrayLike) -> NDArray[Any]:
        """X as an array, for a fitted model."""
        if not hasattr(self, "n_features_in_"):
            raise InputError("this SoftmaxClassifier is not fitted yet: call fit first")
        values, _ = self._checked_training(X, np.zeros(np.shape(X)[:1]))
        if values.shape[1] != self.n_features_in_:
            raise InputError(
                f"X has {values.shape[1]} features, but the fit had {self.n_features_in_}"
            )
        return values


if TYPE_CHECKING:
    _Base = _PlainBase
    ConvergenceWarning = UserWarning
else:
    try:
        from sklearn.base import BaseEstimator, ClassifierMixin
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.utils.multiclass import check_classification_targets
        from sklearn.utils.validation import check_is_fitted, validate_data

        class _Base(ClassifierMixin, BaseEstimator):
            """scikit-learn's bases and checks."""

            def _checked_training(self, X, y):
                values, targets = validate_data(self, X, y, dtype=_KEPT_DTYPES)
                check_classification_targets(targets)
                return values, targets

            def _checked(self, X):
                check_is_fitted(self)
                return validate_data(self, X, dtype=_KEPT_DTYPES, reset=False)

    except ImportError:
        _Base = _PlainBase
        ConvergenceWarning = UserWarning


class SoftmaxClassifier(_Base):
    """Softmax regression, or a network of hidden ReLU layers, on rows of pixels or other numbers.

    l2: constant of mean cross-entropy + (l2/2)·‖W‖² (scikit-learn's C is 1/(n·l2)); None chooses
    it on a validation set of a tenth of the rows. hidden: widths of hidden layers. class_weight:
    None, 'balanced' or a dict from class to weight. scale: multiplies X, so that uint8 pixels need
    no copy (1/255). tol: stop when the estimated distance to the optimum is at most this fraction
    of the objective. random_state: an integer, or None for 0.

    Fitted: classes_; coef_ (n_classes, n_features), for the scaled X, and intercept_
    (n_classes,), both only without hidden layers; layers_; l2_; n_iter_; n_features_in_; fit_,
    the full result.
    """

    def __init__(
        self,
        l2: float | None = 1e-3,
        *,
        hidden: Sequence[int] = (),
        class_weight: str | dict[Any, float] | None = None,
        scale: float = 1.0,
        tol: float = DEFAULT_TOLERANCE,
        max_iter: int = 200,
        random_state: int | None = None,
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
        """Fit to X (n, n_features) and labels y (n,). Returns self."""
        values, targets = self._checked_training(X, y)
        self.classes_, labels = np.unique(targets, return_inverse=True)
        if len(self.classes_) < 2:
            raise InputError(
                f"y contains only one class ({self.classes_[0]}): at least two are needed"
            )
        weights = self._row_weights(labels, sample_weight)
        seed = self._seed()
        rows, validation = None, None
        if self.l2 is None or len(self.hidden):
            rows, others = _stratified_split(labels, seed)
            validation = Rows(values, labels, others)
            weights = None if weights is None else weights[rows]
        self.fit_ = fit(
            values,
            labels,
            len(self.classes_),
            rows=rows,
            validation=validation,
            scale=self.scale,
            l2=self.l2,
            hidden=tuple(self.hidden),
            sample_weight=weights,
            tolerance=self.tol,
            max_iterations=self.max_iter,
            seed=seed,
        )
        self.layers_ = self.fit_.layers
        self.l2_ = self.fit_.l2
        self.n_iter_ = max(self.fit_.n_iterations, 1)
        self.n_features_in_ = values.shape[1]
        if len(self.layers_) == 1:
            self.coef_ = np.ascontiguousarray(self.layers_[0].weights.T)
            self.intercept_ = self.layers_[0].biases
        if not self.fit_.converged:
            warnings.warn(self.fit_.stop_message, ConvergenceWarning, stacklevel=2)
        return self

    def _seed(self) -> int:
        state: Any = self.random_state or 0
        if hasattr(state, "randint"):  # a RandomState, as scikit-learn allows
            state = state.randint(2**31 - 1)
        return int(state)

    def _row_weights(
        self, labels: NDArray[np.intp], sample_weight: ArrayLike | None
    ) -> NDArray[np.float64] | None:
        """One weight per row, from class_weight and sample_weight; None if neither is given."""
        if self.class_weight is None and sample_weight is None:
            return None
        weights = np.ones(len(labels)) if sample_weight is None else np.array(sample_weight, float)
        if weights.ndim == 0:
            weights = np.full(len(labels), weights)
        if weights.shape != (len(labels),):
            raise InputError(f"sample_weight must be 1D with {len(labels)} values")
        if self.class_weight == "balanced":
            weights *= balanced_sample_weight(labels, len(self.classes_))
        elif isinstance(self.class_weight, dict):
            of_class = [self.class_weight.get(c, 1.0) for c in self.classes_.tolist()]
            weights *= np.asarray(of_class)[labels]
        elif self.class_weight is not None:
            raise InputError(
                f"class_weight must be None, 'balanced' or a dict, not {self.class_weight!r}"
            )
        return weights

    def _logits(self, X: ArrayLike) -> NDArray[np.float64]:
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


def _stratified_split(
    labels: NDArray[np.intp], seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(training rows, validation rows): a tenth of each class, rounded down, is for validation."""
    rng = np.random.default_rng(seed)
    is_validation = np.zeros(len(labels), bool)
    for label in range(int(labels.max()) + 1):
        members = rng.permutation(np.flatnonzero(labels == label))
        is_validation[members[: int(len(members) * _VALIDATION)]] = True
    return np.flatnonzero(~is_validation), np.flatnonzero(is_validation)
