"""SoftmaxClassifier inside scikit-learn, and without it."""

from __future__ import annotations

import pickle
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits, load_iris
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from softmaxce import SoftmaxClassifier
from softmaxce.errors import InputError
from softmaxce.estimator import _PlainBase
from softmaxce.training.full_batch import StopReason
from softmaxce.training.validation_split import distinct_rows, is_for_validation

OWN_HELPERS = ("_checked_training", "_checked", "score", "get_params", "set_params")
Plain = type("Plain", (SoftmaxClassifier,), {name: vars(_PlainBase)[name] for name in OWN_HELPERS})
# Checks that demand an exception or a warning of scikit-learn's own.
ONLY_WITH_SCIKIT_LEARN = {"check_estimators_unfitted", "check_supervised_y_2d"}


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    return x[:900], y[:900]


class Single(SoftmaxClassifier):
    """Every X becomes float32, as if the checks of scikit-learn used it."""

    def _checked_training(self, X, y):
        values, targets = super()._checked_training(X, y)
        return values.astype(np.float32), targets

    def _checked(self, X):
        return super()._checked(X).astype(np.float32)


@pytest.mark.parametrize("cls", [SoftmaxClassifier, Plain, Single])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"l2": None},
        {"class_weight": "balanced"},
        {"hidden": (8,), "max_iter": 8},
        pytest.param({"hidden": (8,), "class_weight": "balanced"}, marks=pytest.mark.slow),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:stopped after")
def test_check_estimator_has_no_failure(cls, parameters):
    results = check_estimator(cls(**parameters), on_fail=None, on_skip=None)
    failed = {r["check_name"] for r in results if r["status"] not in {"passed", "skipped"}}
    assert failed <= (ONLY_WITH_SCIKIT_LEARN if cls is Plain else set())


def test_agrees_with_scikit_learns_own(digits):
    x, y = digits
    ours = SoftmaxClassifier(l2=1e-2, scale=1 / 16, tol=1e-12).fit(x, y)
    theirs = LogisticRegression(C=100 / len(x), tol=1e-10, max_iter=5000).fit(x / 16, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)
    np.testing.assert_allclose(ours.predict_proba(x), theirs.predict_proba(x / 16), atol=1e-5)


@pytest.mark.parametrize("class_weight", ["balanced", {0: 3.0, 7: 0.2}])
def test_class_weights_are_scikit_learns(digits, class_weight):
    x, y = digits
    x, y = x[y % 3 < 2][:400], y[y % 3 < 2][:400]
    weights = np.array([class_weight.get(c, 1.0) for c in y]) if class_weight != "balanced" else 1.0
    total = np.sum(weights * np.ones(len(y)))
    ours = SoftmaxClassifier(l2=1e-2, scale=1 / 16, tol=1e-12, class_weight=class_weight).fit(x, y)
    theirs = LogisticRegression(
        C=100 / total, tol=1e-10, max_iter=5000, class_weight=class_weight
    ).fit(x / 16, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)


FITS = [{"l2": 1e-2}, {"l2": None}, {"hidden": (8,), "max_iter": 3}, {"class_weight": "balanced"}]


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8])
@pytest.mark.parametrize("parameters", FITS, ids=str)
@pytest.mark.filterwarnings("ignore:stopped after")
def test_weights_are_repetitions(digits, parameters, dtype):
    x, y = digits[0][:500].astype(dtype), digits[1][:500]
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 3, 500)
    repeated = rng.permutation(np.repeat(np.arange(500), counts))
    one = SoftmaxClassifier(scale=1 / 16, **parameters).fit(x, y, counts)
    other = SoftmaxClassifier(scale=1 / 16, **parameters).fit(x[repeated], y[repeated])
    tolerance = 1e-7 if dtype == np.float64 else 2e-3  # float32 sums depend on their order
    np.testing.assert_allclose(one.predict_proba(x), other.predict_proba(x), atol=tolerance)


@pytest.mark.parametrize("parameters", FITS, ids=str)
@pytest.mark.filterwarnings("ignore:stopped after")
def test_rows_of_weight_zero_are_not_there(parameters):
    x, y = load_iris(return_X_y=True)
    rng = np.random.default_rng(0)
    garbage = np.vstack([rng.normal(0, 100, (150, 4)), x]), np.r_[rng.integers(3, size=150), y]
    model = SoftmaxClassifier(**parameters).fit(*garbage, np.repeat([0.0, 1.0], 150))
    alone = SoftmaxClassifier(**parameters).fit(x, y)
    np.testing.assert_allclose(model.predict_proba(x), alone.predict_proba(x), rtol=1e-6)


@pytest.mark.parametrize("parameters", FITS[1:3], ids=str)
@pytest.mark.filterwarnings("ignore:stopped after")
def test_the_scale_and_type_of_the_rows_do_not_choose_the_validation_rows(digits, parameters):
    x, y = digits
    models = [
        SoftmaxClassifier(**parameters).fit(values, y)
        for values in (x, x * 1e140, (x / 1000).astype(np.float32), x.astype(np.uint8))
    ]
    expected = models[0].predict_proba(x)
    for model, values in zip(models[1:], (x * 1e140, x / 1000, x), strict=True):
        np.testing.assert_allclose(model.predict_proba(values), expected, atol=0.01)


def test_copies_of_a_row_are_all_for_training_or_all_for_validation():
    x, y = load_iris(return_X_y=True)
    x, y = np.repeat(x, 4, axis=0), np.repeat(y, 4)
    rows, weights = distinct_rows(x, y, np.ones(600), 0)
    assert len(np.unique(np.column_stack([x, y])[rows], axis=0)) == len(rows) < 150
    assert weights.sum() == 600
    is_validation = is_for_validation(y[rows], weights)
    for label in range(3):
        share = weights[is_validation & (y[rows] == label)].sum() / 200
        assert 0.05 < share <= 0.1


def test_a_heavy_row_is_for_training():
    weights = np.array([50.0, *np.ones(30)])
    chosen = is_for_validation(np.zeros(31, int), weights)
    assert chosen.tolist() == [False] + [True] * 8 + [False] * 22


@pytest.mark.parametrize("values", [1e160, 1e300, 1e-160, 1e-310], ids=str)
@pytest.mark.parametrize("parameters", FITS[:3], ids=str)
def test_values_beyond_the_range_of_the_arithmetic_are_refused(values, parameters):
    x, y = load_iris(return_X_y=True)
    with pytest.raises(InputError, match="multiply them by a constant, so"):
        SoftmaxClassifier(**parameters).fit(x * values, y)


def test_large_values_get_the_right_answer():
    x, y = load_iris(return_X_y=True)
    for values in (x * 1e140, (x * 1e20).astype(np.float32)):
        for l2 in (1e-3, None):
            assert SoftmaxClassifier(l2=l2).fit(values, y).score(values, y) > 0.95


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("l2", [-1, "auto", np.nan, np.inf, True, [0.1], 1j]),
        ("hidden", [(0,), (8, -1), "128", 8.0, None, (True,), ((8,),), np.nan]),
        ("scale", [0, -1, None, np.nan, np.inf, "1", 1e200, True]),
        ("tol", [0, -1e-4, np.nan, None, "small", np.inf]),
        ("max_iter", [0, -1, 2.5, None, "many", True]),
        ("random_state", [-1, 2**32, 0.5, "seed", True, np.nan]),
        ("class_weight", ["even", [1, 2], {0: -1.0}, {0: np.nan}, {0: "a"}, {0: None}, 2]),
    ],
)
@pytest.mark.parametrize("cls", [SoftmaxClassifier, Plain])
def test_an_invalid_parameter_is_named(cls, name, values):
    x, y = load_iris(return_X_y=True)
    for value in values:
        with pytest.raises(InputError, match=f"^{name} must be .*not "):
            cls(**{name: value}).fit(x, y)


@pytest.mark.filterwarnings("ignore:stopped after")
@pytest.mark.filterwarnings("ignore:stopped after")
def test_one_hidden_layer_may_be_a_number(digits):
    one, other = (
        SoftmaxClassifier(hidden=hidden, scale=1 / 16, max_iter=5).fit(*digits)
        for hidden in (8, np.array([8]))
    )
    assert one.layers_[0].weights.tobytes() == other.layers_[0].weights.tobytes()


@pytest.mark.filterwarnings("ignore:stopped after")
def test_another_fit_leaves_no_coefficients(digits):
    model = SoftmaxClassifier().fit(*digits).set_params(hidden=4, max_iter=2).fit(*digits)
    assert not hasattr(model, "coef_")
    assert not hasattr(model, "intercept_")


@pytest.mark.parametrize("make", [np.random.default_rng, np.random.RandomState])
@pytest.mark.filterwarnings("ignore:stopped after")
def test_generators_are_random_states(digits, make):
    def first_weights(state):
        model = SoftmaxClassifier(hidden=4, max_iter=2, random_state=state).fit(*digits)
        return model.layers_[0].weights.tobytes()

    assert first_weights(make(3)) == first_weights(make(3))
    assert first_weights(make(3)) != first_weights(make(4))


@pytest.mark.parametrize(
    "class_weight", [{"versicolour": 50.0}, {0: 2.0}, {"setosa": 1.0, "virginia": 2.0}]
)
@pytest.mark.parametrize("cls", [SoftmaxClassifier, LogisticRegression])
def test_the_weight_of_an_unknown_class_is_refused(cls, class_weight):
    iris = load_iris()
    with pytest.raises(ValueError, match="class"):
        cls(class_weight=class_weight).fit(iris.data, iris.target_names[iris.target])


def test_weights_of_all_classes_and_one_more_are_accepted():
    x, y = load_iris(return_X_y=True)  # a fold may lack a class
    more, exact = (
        SoftmaxClassifier(class_weight=dict(enumerate(weights))).fit(x, y).coef_
        for weights in ([1, 2, 3, 4], [1, 2, 3])
    )
    np.testing.assert_array_equal(more, exact)


def test_balanced_classes_count_the_row_weights(digits):
    x, y = digits
    weights = np.random.default_rng(0).integers(1, 5, len(y)) * 1.0
    both = SoftmaxClassifier(class_weight="balanced", scale=1 / 16, tol=1e-12)
    totals = np.bincount(y, weights)
    direct = SoftmaxClassifier(scale=1 / 16, tol=1e-12).fit(x, y, weights / totals[y])
    np.testing.assert_allclose(both.fit(x, y, weights).coef_, direct.coef_, atol=1e-4)


LABELS = np.arange(30) % 3
BAD_LABELS = {
    "none": None,
    "nan": np.where(LABELS == 0, np.nan, LABELS),
    "continuous": LABELS + 0.5,
    "some continuous": np.linspace(0, 1, 30),
    "huge": LABELS * 1e300,
    "infinite": np.where(LABELS == 0, np.inf, LABELS),
    "some None": [None, "a", "b"] * 10,
    "all None": [None] * 30,
    "mixed": np.array([1, "a", 2], object)[LABELS],
    "mixed, a string first": np.array(["a", 1, "b"], object)[LABELS],
    "nan among strings": np.array(["a", np.nan, "b"], object)[LABELS],
    "complex": LABELS + 1j,
    "one-hot": np.eye(3)[LABELS],
    "too few": LABELS[1:],
    "one number": 3,
    "one class": np.zeros(30),
}


@pytest.mark.parametrize("cls", [SoftmaxClassifier, Plain])
@pytest.mark.parametrize("labels", BAD_LABELS.values(), ids=BAD_LABELS)
def test_labels_that_are_no_classes_are_refused(cls, labels):
    x = np.random.default_rng(0).normal(size=(30, 2))
    with pytest.raises(ValueError, match=r"y|label|class|NaN|Complex|samples"):
        cls().fit(x, labels)


@pytest.mark.parametrize("cls", [SoftmaxClassifier, Plain])
@pytest.mark.filterwarnings("ignore:A column-vector y was passed")
@pytest.mark.parametrize(
    "labels",
    [
        *(LABELS, LABELS * 1.0, LABELS.astype("f2"), LABELS > 0, -LABELS, LABELS[:, None]),
        *(LABELS.astype(str).tolist(), np.array(list("abc"), object)[LABELS]),
        LABELS.astype("M8[D]"),
    ],
    ids=lambda labels: f"{np.asarray(labels).dtype}{np.shape(labels)}",
)
def test_labels_are_classes(cls, labels):
    x = np.eye(3)[LABELS] + np.random.default_rng(0).normal(0, 0.1, (30, 3))
    model = cls().fit(x, labels)
    assert model.score(x, labels) == 1.0
    assert model.classes_.tolist() == np.unique(labels).tolist()


def test_masked_arrays_are_refused():
    x, y = load_iris(return_X_y=True)
    model = SoftmaxClassifier().fit(x, y)
    masked = np.ma.array(x, mask=x > 5)
    for call in (
        lambda: model.predict(masked),
        lambda: SoftmaxClassifier().fit(masked, y),
        lambda: SoftmaxClassifier().fit(x, np.ma.array(y, mask=y == 0)),
    ):
        with pytest.raises(TypeError, match="masked"):
            call()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
@pytest.mark.parametrize("parameters", FITS[:3], ids=str)
def test_row_weights_are_finite_and_not_negative(bad, parameters):
    x, y = load_iris(return_X_y=True)
    for weights in (np.r_[bad, np.ones(149)], np.zeros(150)):
        with pytest.raises(InputError, match="sample_weight"):
            SoftmaxClassifier(**parameters).fit(x, y, weights)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("scale", [1.0, 0.1])
def test_two_classes_have_scikit_learns_coefficients(dtype, scale):
    x, y = load_iris(return_X_y=True)
    x, y = x[50:].astype(dtype), y[50:]
    ours = SoftmaxClassifier(l2=0.02, scale=scale, tol=1e-12).fit(x, y)
    # The penalty on the difference of two opposite weights is half as large.
    theirs = LogisticRegression(C=1 / (len(x) * 0.01), tol=1e-10, max_iter=5000).fit(x * scale, y)
    assert ours.coef_.shape == (1, 4)
    assert ours.intercept_.shape == (1,)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-3)
    np.testing.assert_allclose(
        ours.decision_function(x), (scale * x @ ours.coef_.T + ours.intercept_)[:, 0], atol=1e-4
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8])
def test_separable_classes_without_penalty_are_no_failure(digits, dtype):
    for (x, y), scale in ((digits, 1 / 16), ((np.eye(3)[LABELS], LABELS), 1.0)):
        model = SoftmaxClassifier(l2=0, scale=scale).fit(x.astype(dtype), y)  # no warning
        assert model.score(x.astype(dtype), y) == 1.0


@pytest.mark.parametrize("load", [load_iris, load_digits])
def test_hidden_layers_of_small_sets_stop_by_themselves(load):
    x, y = load(return_X_y=True)
    model = SoftmaxClassifier(hidden=(16,)).fit(x, y)  # no warning
    assert model.fit_.stop_reason == StopReason.NO_GAIN
    assert model.n_iter_ < 150
    assert cross_val_score(SoftmaxClassifier(hidden=(16,)), x, y, cv=3).mean() > 0.9


def test_works_inside_scikit_learns_tools(digits):
    x, y = digits
    fast = SoftmaxClassifier(l2=1e-2, scale=1 / 16)
    bagging = BaggingClassifier(fast, n_estimators=3, max_samples=0.7, random_state=0)
    voting = VotingClassifier([("l2", fast), ("theirs", GaussianNB())], voting="soft")
    for model in (
        bagging,
        voting,
        OneVsRestClassifier(fast),
        AdaBoostClassifier(fast, n_estimators=2),
    ):
        assert model.fit(x, y).score(x, y) > 0.8
        again = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(again.predict(x), model.predict(x))
    assert clone(fast).get_params() == fast.get_params()
    pipeline = make_pipeline(StandardScaler(), SoftmaxClassifier(l2=1e-2))
    assert cross_val_score(pipeline, x, y, cv=3).mean() > 0.85
    search = GridSearchCV(SoftmaxClassifier(scale=1 / 16), {"l2": [1e-3, 1.0]}, cv=3).fit(x, y)
    assert search.best_params_ == {"l2": 1e-3}
    calibrated = CalibratedClassifierCV(SoftmaxClassifier(scale=1 / 16), cv=3).fit(x, y)
    np.testing.assert_allclose(calibrated.predict_proba(x).sum(axis=1), 1)


def test_uint8_pixels_and_scale_are_the_scaled_floats(digits):
    x, y = digits
    pixels = (x * 15).astype(np.uint8)
    ours = SoftmaxClassifier(l2=1e-2, scale=1 / 255, tol=1e-9).fit(pixels, y)
    same = SoftmaxClassifier(l2=1e-2, tol=1e-9).fit(pixels / 255, y)
    np.testing.assert_allclose(ours.coef_, same.coef_, atol=1e-3)
    np.testing.assert_allclose(
        ours.decision_function(pixels), same.decision_function(pixels / 255), atol=1e-3
    )


def test_predicting_makes_no_float_copy_of_all_uint8_pixels(digits):
    x, y = digits
    pixels = np.tile((x * 15).astype(np.uint8), (200, 1))
    model = SoftmaxClassifier(scale=1 / 255).fit(pixels[:900], y)
    tracemalloc.start()
    logits = model.decision_function(pixels)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * pixels.size / 2 + logits.nbytes
    np.testing.assert_allclose(logits[-900:], model.decision_function(pixels[-900:]), rtol=1e-12)


def test_labels_may_be_anything_and_two_classes_have_one_decision(digits):
    x, y = digits
    names = np.where(y % 2, "odd", "even")
    model = SoftmaxClassifier(scale=1 / 16).fit(x, names)
    assert model.classes_.tolist() == ["even", "odd"]
    decision = model.decision_function(x)
    assert decision.shape == (len(x),)
    assert (model.predict(x) == np.where(decision > 0, "odd", "even")).all()


def test_l2_none_chooses_on_validation_rows(digits):
    x, y = digits
    model = SoftmaxClassifier(l2=None, scale=1 / 16).fit(x, y)
    best = min(model.fit_.l2_path, key=lambda candidate: candidate.validation_cross_entropy)
    assert model.l2_ == best.l2


def test_a_fit_that_does_not_converge_says_so(digits):
    x, y = digits
    with pytest.warns(UserWarning, match=r"stopped after 2 iterations, gradient \d"):
        SoftmaxClassifier(l2=0, max_iter=2, scale=1 / 16).fit(x, y)


def test_the_same_bytes_again(digits):
    x, y = digits
    one, two = (pickle.dumps(SoftmaxClassifier(scale=1 / 16).fit(x, y).coef_) for _ in range(2))
    assert one == two


WITHOUT = """
import sys
sys.modules["sklearn"] = None
import numpy as np
from softmaxce import SoftmaxClassifier
rng = np.random.default_rng(0)
y = rng.integers(3, size=300)
x = rng.normal(size=(300, 5)) + 4 * np.eye(3, 5)[y]
model = SoftmaxClassifier().set_params(l2=1e-2).fit(x, y)
assert model.score(x, y) > 0.9, model.score(x, y)
assert model.get_params()["l2"] == 1e-2
assert model.predict_proba(x).shape == (300, 3)
for bad in (
    lambda: SoftmaxClassifier().predict(x),
    lambda: model.predict(x[:, :2]),
    lambda: model.fit(x, np.where(y == 0, np.nan, y)),
    lambda: model.fit(x, x[:, 0]),
    lambda: model.fit(x, [None] * 300),
    lambda: model.score(x, np.eye(3)[y]),
):
    try:
        bad()
    except ValueError as error:
        print(error)
"""


def test_works_without_scikit_learn():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "not fitted yet" in done.stdout
    assert "X has 2 features, but SoftmaxClassifier is expecting 5" in done.stdout
    assert len(done.stdout.splitlines()) == 6
