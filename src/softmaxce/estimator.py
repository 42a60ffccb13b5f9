"""SoftmaxClassifier: fit, predict and predict_proba, with scikit-learn's conventions.

scikit-learn's base classes and checks are used where it is installed. Without it, the small
stand-ins below do, and the class works by itself on arrays.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from softmaxce.errors import InputError
from softmaxce.numerics import log_softmax
from softmaxce.training.fitting import DEFAULT_TOLERANCE, Rows, balanced_sample_weight, fit

_KEPT_DTYPES = [np.float64, np.float32, np.uint8]  # all else becomes the first
_HELD_OUT = 0.1  # share of the rows that choose l2, or the epoch of hidden layers


class _Plain:
    """What BaseEstimator and ClassifierMixin give, for where scikit-learn is not installed."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's arguments."""
        return {name: getattr(self, name) for name in signature(type(self)).parameters}

    def set_params(self, **params: Any) -> Any:
        """Change some of the constructor's arguments, and return self."""
        for name, value in params.items():
            if name not in self.get_params():
                raise InputError(f"{name} is no parameter of {type(self).__name__}")
            setattr(self, name, value)
        return self

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Share of the rows whose label is predicted, weighted by sample_weight."""
        right = np.asarray(self.predict(X)) == np.asarray(y)  # type: ignore[attr-defined]
        weights = np.ones(len(right)) if sample_weight is None else np.asarray(sample_weight)
        return float(np.average(right, weights=weights))


if TYPE_CHECKING:
    _Base = _Plain
    ConvergenceWarning = UserWarning
else:
    try:
        from sklearn.base import BaseEstimator, ClassifierMixin
        from sklearn.exceptions import ConvergenceWarning

        class _Base(ClassifierMixin, BaseEstimator):
            """scikit-learn's bases."""

    except ImportError:
        _Base = _Plain
        ConvergenceWarning = UserWarning


class SoftmaxClassifier(_Base):
    """Softmax regression, or a network of hidden ReLU layers, on rows of pixels or other numbers.

    l2: constant of mean cross-entropy + (l2/2)·‖W‖² (scikit-learn's C is 1/(n·l2)); None chooses
    it on a held-out tenth of the rows. hidden: widths of hidden layers. class_weight: None,
    'balanced' or a dict from class to weight. scale: multiplies X, so that uint8 pixels need no
    copy (1/255). tol: stop when the gradient says that at most this share of the objective is
    left to gain. random_state: an integer, or None for 0.

    Fitted: classes_; coef_ (n_classes, n_features), for the scaled X, and intercept_
    (n_classes,), both without hidden layers only; layers_; l2_; n_iter_; n_features_in_; fit_,
    the whole record.
    """

    def __init__(
        self,
        l2: float | None = 1e-3,
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
        values, targets = _checked_training(self, X, y)
        self.classes_, labels = np.unique(targets, return_inverse=True)
        if len(self.classes_) < 2:
            raise InputError(
                f"y holds one class only ({self.classes_[0]}): SoftmaxClassifier needs two classes"
            )
        weights = self._row_weights(values, labels, sample_weight)
        seed = self._seed()
        rows, held_out = None, None
        if self.l2 is None or len(self.hidden):
            rows, held_out = _split(labels, seed)
        self.fit_ = fit(
            values,
            labels,
            len(self.classes_),
            rows=rows,
            validation=None if held_out is None else Rows(values, labels, held_out),
            scale=self.scale,
            l2=self.l2,
            hidden=tuple(self.hidden),
            sample_weight=weights if weights is None or rows is None else weights[rows],
            tolerance=self.tol,
            max_iterations=self.max_iter,
            seed=seed,
        )
        self._keep(values.shape[1])
        return self

    def _keep(self, n_features: int) -> None:
        self.layers_ = self.fit_.layers
        self.l2_ = self.fit_.l2
        self.n_iter_ = max(self.fit_.n_iterations, 1)
        self.n_features_in_ = n_features
        if len(self.layers_) == 1:
            self.coef_ = np.ascontiguousarray(self.layers_[0][0].T)
            self.intercept_ = self.layers_[0][1]
        if not self.fit_.converged:
            warnings.warn(self.fit_.stop_reason, ConvergenceWarning, stacklevel=3)

    def _seed(self) -> int:
        state = self.random_state
        if state is None:
            return 0
        if isinstance(state, (int, np.integer)):
            return int(state)
        return int(state.randint(2**31 - 1))  # a RandomState, as scikit-learn allows

    def _row_weights(
        self, X: NDArray[Any], labels: NDArray[np.intp], sample_weight: ArrayLike | None
    ) -> NDArray[np.float64] | None:
        """One weight per row, from class_weight and sample_weight; None where all are 1."""
        if self.class_weight is None and sample_weight is None:
            return None
        weights = np.ones(len(labels)) if sample_weight is None else np.array(sample_weight, float)
        if weights.ndim == 0:
            weights = np.full(len(labels), float(weights))
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
        values = _checked(self, X)
        first, biases = self.layers_[0]
        logits = values @ (first * self.scale) + biases
        for weights, biases in self.layers_[1:]:
            logits = np.maximum(logits, 0.0) @ weights + biases
        return np.asarray(logits, dtype=np.float64)

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Logits (n, n_classes); for two classes the second's minus the first's, (n,)."""
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


def _split(labels: NDArray[np.intp], seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(training rows, held-out rows): of each class a tenth is held out, rounded down."""
    rng = np.random.default_rng(seed)
    held_out = np.zeros(len(labels), bool)
    for label in range(int(labels.max()) + 1):
        members = rng.permutation(np.flatnonzero(labels == label))
        held_out[members[: int(len(members) * _HELD_OUT)]] = True
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def _checked_training(
    estimator: SoftmaxClassifier, X: ArrayLike, y: ArrayLike
) -> tuple[NDArray[Any], NDArray[Any]]:
    """X and y as arrays, checked by scikit-learn where it is installed."""
    try:
        from sklearn.utils.multiclass import (  # type: ignore[import-untyped,unused-ignore]
            check_classification_targets,
        )
        from sklearn.utils.validation import (  # type: ignore[import-untyped,unused-ignore]
            validate_data,
        )
    except ImportError:
        values, targets = _as_matrix(X), np.asarray(y)
        if targets.shape != (len(values),):
            raise InputError(f"y must hold one label for each of {len(values)} rows") from None
        return values, targets
    values, targets = validate_data(estimator, X, y, dtype=_KEPT_DTYPES)
    check_classification_targets(targets)
    return values, targets


def _checked(estimator: SoftmaxClassifier, X: ArrayLike) -> NDArray[Any]:
    try:
        from sklearn.utils.validation import check_is_fitted, validate_data
    except ImportError:
        if not hasattr(estimator, "layers_"):
            raise InputError("this SoftmaxClassifier is not fitted yet: call fit first") from None
        values = _as_matrix(X)
        if values.shape[1] != estimator.n_features_in_:
            raise InputError(
                f"X has {values.shape[1]} features, but the fit had {estimator.n_features_in_}"
            ) from None
        return values
    check_is_fitted(estimator)
    return np.asarray(validate_data(estimator, X, dtype=_KEPT_DTYPES, reset=False))


def _as_matrix(X: ArrayLike) -> NDArray[Any]:
    values = np.asarray(X)
    if values.dtype not in _KEPT_DTYPES:
        values = values.astype(np.float64)
    if values.ndim != 2 or not values.size:
        raise InputError(f"X must be a matrix with rows and columns, not of shape {values.shape}")
    if not np.isfinite(values).all():
        raise InputError("X holds nan or infinite values: remove them")
    return values
