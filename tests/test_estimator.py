"""SoftmaxClassifier inside scikit-learn, and without it."""

from __future__ import annotations

import pickle
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from softmaxce import SoftmaxClassifier


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    return x[:900], y[:900]


def test_check_estimator_has_no_failure():
    results = check_estimator(SoftmaxClassifier(), on_fail=None, on_skip=None)
    assert [r["check_name"] for r in results if r["status"] not in {"passed", "skipped"}] == []


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


def test_works_inside_scikit_learns_tools(digits):
    x, y = digits
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
for bad in (lambda: SoftmaxClassifier().predict(x), lambda: model.predict(x[:, :2])):
    try:
        bad()
    except ValueError as error:
        print(error)
"""


def test_works_without_scikit_learn():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "not fitted yet" in done.stdout
    assert "X has 2 features, but the fit had 5" in done.stdout
