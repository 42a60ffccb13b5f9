"""Each solver and its parts, on functions whose minimum is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der

from softmaxce.errors import TrainingError
from softmaxce.training.full_batch import LBFGS, Point, StopReason, backtrack, minimise
from softmaxce.training.mini_batch import Adam, batches_of, minimise_by_epochs

RNG = np.random.default_rng(0)
ROOT = RNG.normal(size=(6, 6))
HESSIAN = ROOT @ ROOT.T + 0.1 * np.eye(6)
SOLUTION = RNG.normal(size=6)


def quadratic(x):
    away = x - SOLUTION
    return 1.0 + 0.5 * away @ HESSIAN @ away, HESSIAN @ away


def identity(*_):
    return lambda gradient: gradient.copy()


def exact(*_):
    return lambda gradient: np.linalg.solve(HESSIAN, gradient)


def test_newtons_direction_takes_one_step():
    found = minimise(quadratic, np.zeros(6), exact, tolerance=1e-12, max_iterations=9)
    assert found.stop_reason == StopReason.CONVERGED
    assert len(found.history) == 2
    np.testing.assert_allclose(found.point.parameters, SOLUTION, atol=1e-9)


def test_lbfgs_needs_no_curvature_to_get_there():
    found = minimise(quadratic, np.zeros(6), identity, tolerance=1e-14, max_iterations=99)
    assert found.stop_reason == StopReason.CONVERGED
    assert found.point.value == pytest.approx(1.0, abs=1e-12)


def test_rosenbrocks_valley():
    def function(x):
        return rosen(x) + 1.0, rosen_der(x)

    start = np.array([-1.2, 1.0])
    found = minimise(
        function,
        start,
        identity,
        tolerance=1e-14,
        max_iterations=300,
        relative_rounding_error=1e-15,
    )
    assert found.stop_reason == StopReason.CONVERGED
    np.testing.assert_allclose(found.point.parameters, 1.0, atol=1e-4)


def test_suboptimality_is_the_distance_to_the_optimum():
    estimates = []
    minimise(
        quadratic,
        np.zeros(6),
        exact,
        tolerance=1e-12,
        max_iterations=9,
        on_iteration=lambda point, estimate: estimates.append((estimate, point.value - 1.0)),
    )
    assert estimates[0][0] == pytest.approx(estimates[0][1])


def test_the_limit_of_iterations_is_a_stop_reason():
    found = minimise(quadratic, np.zeros(6), identity, tolerance=1e-14, max_iterations=2)
    assert found.stop_reason == StopReason.ITERATION_LIMIT
    assert found.message == f"stopped after 2 iterations, gradient {found.point.gradient_norm:.1e}"
    assert len(found.history) == 3


def test_a_start_that_is_not_finite_is_refused():
    with pytest.raises(TrainingError, match="not finite"):
        minimise(lambda x: (np.nan, x), np.zeros(2), identity, tolerance=1, max_iterations=1)


def test_lbfgs_satisfies_the_secant_equation():
    lbfgs = LBFGS(lambda g: g.copy())
    for _ in range(3):
        step = RNG.normal(size=6)
        lbfgs.learn(step, HESSIAN @ step)
    np.testing.assert_allclose(lbfgs.direction(HESSIAN @ step)[0], -step, rtol=1e-10)


def test_an_inverse_that_is_too_large_is_rescaled():
    evaluations = []

    def counted(x):
        evaluations.append(x)
        return quadratic(x)

    def too_large(*_):
        return lambda gradient: 10 * np.linalg.solve(HESSIAN, gradient)

    limits = {"tolerance": 1e-9, "max_iterations": 9, "largest_factor": np.inf}
    found = minimise(counted, np.zeros(6), too_large, **limits)
    assert found.stop_reason == StopReason.CONVERGED
    assert found.point.value == pytest.approx(1.0, rel=1e-8)
    assert len(evaluations) <= 5


def test_lbfgs_ignores_steps_without_curvature():
    lbfgs = LBFGS(lambda g: g.copy())
    lbfgs.learn(np.ones(6), -np.ones(6))
    np.testing.assert_array_equal(lbfgs.direction(np.ones(6))[0], -np.ones(6))


def test_backtracking_shortens_a_step_that_is_too_long():
    start = Point(np.zeros(6), *quadratic(np.zeros(6)))
    found = backtrack(quadratic, start, -10 * start.gradient, relative_rounding_error=0)
    assert found is not None
    assert found.value < start.value


def test_backtracking_comes_back_from_infinity():
    def function(x):
        return (np.inf if x[0] > 1 else -x[0] + x[0] ** 2), np.array([-1 + 2 * x[0]])

    found = backtrack(function, Point(np.zeros(1), *function(np.zeros(1))), np.array([50.0]), 0)
    assert found is not None
    assert np.isfinite(found.value)


def test_backtracking_gives_up_uphill():
    def uphill(x):  # its increase is never rounded to 0, however short the step
        return 2 * float(x.sum()), np.ones(6)

    start = Point(np.zeros(6), *uphill(np.zeros(6)))
    assert backtrack(uphill, start, start.gradient, relative_rounding_error=0) is None


def test_adams_first_steps_worked_by_hand():
    adam, parameters = Adam(1), np.zeros(1, np.float32)
    adam.n_steps += 1
    adam.move(parameters, slice(0, 1), np.array([2.0], np.float32))
    assert parameters[0] == pytest.approx(-1e-3, rel=1e-5)  # the first step is the rate itself
    adam.n_steps += 1
    adam.move(parameters, slice(0, 1), np.array([1.0], np.float32))
    mean = (0.9 * 0.2 + 0.1 * 1) / (1 - 0.9**2)
    square = (0.999 * 0.004 + 0.001 * 1) / (1 - 0.999**2)
    assert parameters[0] == pytest.approx(-1e-3 - 1e-3 * mean / square**0.5, rel=1e-5)


def test_adams_steps_are_as_long_as_the_learning_rate():
    adam, parameters = Adam(1, learning_rate=0.02), np.zeros(1, np.float32)
    adam.n_steps += 1
    adam.move(parameters, slice(0, 1), np.array([2.0], np.float32))
    assert parameters[0] == pytest.approx(-0.02, rel=1e-5)


def regression(parameters, batch, apply_update):
    away = parameters - np.float32(3)
    apply_update(slice(0, 2), 2 * away)
    return float(away @ away)


def test_epochs_find_the_minimum_and_keep_the_best():
    found = minimise_by_epochs(
        regression,
        np.full(2, 2.9, np.float32),
        2560,
        lambda parameters, _: float(np.sum((parameters - 3) ** 2)),
        np.random.default_rng(0),
        max_epochs=200,
    )
    np.testing.assert_allclose(found.parameters, 3, atol=1e-3)
    assert found.best_epoch <= len(found.history)


def test_epochs_stop_early_if_the_validation_loss_rises():
    losses = iter([3.0, 2.0, 2.5, 2.6, 2.7, 2.8, 2.9, 1.0])
    found = minimise_by_epochs(
        regression,
        np.zeros(2, np.float32),
        256 * 40,  # 40 batches an epoch: the patience is 5 epochs
        lambda *_: next(losses),
        np.random.default_rng(0),
        max_epochs=50,
    )
    assert (found.best_epoch, len(found.history)) == (2, 7)
    assert found.stop_reason == StopReason.NO_GAIN
    assert found.message == "stopped after 7 epochs, 5 without gain; epoch 2 kept"


def test_epochs_stop_at_their_limit():
    found = minimise_by_epochs(
        regression,
        np.zeros(2, np.float32),
        2560,
        lambda _, loss: loss,
        np.random.default_rng(0),
        max_epochs=3,
    )
    assert found.stop_reason == StopReason.EPOCH_LIMIT
    assert found.message == "stopped after 3 epochs, still gaining; epoch 3 kept"


@pytest.mark.parametrize(
    ("n_rows", "expected"),
    [(48_000, (256, 5)), (4096, (256, 13)), (209, (13, 12)), (5, (1, 40)), (1, (1, 200))],
)
def test_few_rows_make_small_batches_and_more_patience(n_rows, expected):
    assert batches_of(n_rows) == expected


def test_a_loss_that_stops_being_finite_names_the_epoch():
    calls = []

    def breaks(parameters, batch, apply_update):
        calls.append(len(batch))
        loss = regression(parameters, batch, apply_update)
        return np.nan if len(calls) > 2 * 5 else loss  # 5 rows: 5 batches an epoch

    with pytest.raises(TrainingError, match=r"epoch 3.*scale the pixels"):
        minimise_by_epochs(
            breaks,
            np.zeros(2, np.float32),
            5,
            lambda _, loss: loss,
            np.random.default_rng(0),
            max_epochs=9,
        )
