"""Fitted layers against SciPy's and scikit-learn's optimum."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_sample_weight

from softmaxce.errors import InputError, TrainingError
from softmaxce.numerics import log_softmax
from softmaxce.training import preconditioner
from softmaxce.training.fit_progress import IterationInfo, progress_callback
from softmaxce.training.fitting import DEFAULT_L2, fit
from softmaxce.training.full_batch import StopReason, minimise
from softmaxce.training.network import Network
from softmaxce.training.objective import Objective
from softmaxce.training.rows import Rows
from softmaxce.training.sample_weights import balanced_sample_weight
from softmaxce.training.spread import spread_of


def small_problem(seed=0, n=200, n_pixels=12, n_classes=4):
    rng = np.random.default_rng(seed)
    labels = rng.integers(n_classes, size=n)
    means = rng.integers(60, 180, size=(n_classes, n_pixels))
    pixels = np.clip(means[labels] + rng.normal(0, 60, (n, n_pixels)), 0, 255).astype(np.uint8)
    return pixels, labels


def scipy_optimum(x, labels, n_classes, l2, weights=None):
    """The objective's smallest value, from SciPy, with numerical care of its own."""
    n, n_pixels = x.shape
    normalized = np.full(n, 1 / n) if weights is None else weights / weights.sum()

    def value_and_gradient(theta):
        theta = theta.reshape(n_pixels + 1, n_classes)
        z = x @ theta[:-1] + theta[-1]
        log_total = logsumexp(z, axis=1, keepdims=True)
        value = normalized @ (log_total[:, 0] - z[np.arange(n), labels])
        residuals = np.exp(z - log_total)
        residuals[np.arange(n), labels] -= 1
        residuals *= normalized[:, np.newaxis]
        gradient = np.vstack([x.T @ residuals + l2 * theta[:-1], residuals.sum(0)])
        return value + l2 / 2 * np.sum(theta[:-1] ** 2), gradient.ravel()

    start = np.zeros((n_pixels + 1) * n_classes)
    options = {"maxiter": 10_000, "ftol": 1e-15, "gtol": 1e-10}
    return minimize(value_and_gradient, start, jac=True, method="L-BFGS-B", options=options).fun


def problems():
    """(name, x, labels, n_classes, l2, weights) of small problems that go wrong easily."""
    rng = np.random.default_rng(1)
    pixels, labels = small_problem()
    x = pixels / 255
    yield "plain", x, labels, 4, 1e-2, None
    yield "strong penalty", x, labels, 4, 10.0, None
    yield "weak penalty", x, labels, 4, 1e-7, None
    yield "no penalty", x, rng.permutation(labels), 4, 0.0, None
    yield "collinear pixels", np.hstack([x, x, 2 * x[:, :3]]), labels, 4, 1e-3, None
    collinear = np.hstack([x, x])
    yield "collinear, no penalty", collinear, rng.permutation(labels), 4, 0.0, None
    constant = np.hstack([x, np.zeros((200, 2)), np.ones((200, 2))])
    yield "constant pixels", constant, labels, 4, 1e-3, None
    yield "one pixel", x[:, :1], labels, 4, 1e-3, None
    yield "one constant pixel", np.ones((200, 1)), labels, 4, 1e-3, None
    apart = x + 3 * np.eye(4, 12)[labels]
    yield "separable", apart, labels, 4, 1e-4, None
    yield "two classes", x, labels % 2, 2, 1e-2, None
    yield "unequal weights", x, labels, 4, 1e-2, rng.uniform(0, 5, 200)
    yield "weights of zero", x, labels, 4, 1e-2, rng.integers(0, 3, 200) * 1.0
    yield "fewer images than pixels", np.tile(x[:20], 8), labels[:20], 4, 1e-2, None
    yield "equal images", np.tile(x[:10], (2, 8)), np.tile(labels[:10], 2), 4, 1e-2, None
    yield "a class without images", x, labels, 5, 1e-2, None
    yield "pixels of unequal scale", x * np.logspace(-1, 1, 12), labels, 4, 1e-3, None


@pytest.mark.parametrize("case", list(problems()), ids=lambda case: case[0])
def test_agrees_with_scipys_optimum(case):
    _, x, labels, n_classes, l2, weights = case
    ours = fit(
        x, labels, n_classes, scale=1.0, l2=l2, sample_weight=weights, tolerance=1e-9,
        max_iterations=2000,
    )  # fmt: skip
    assert ours.converged, ours.stop_message
    assert ours.objective == pytest.approx(
        scipy_optimum(x, labels, n_classes, l2, weights), rel=1e-6
    )
    parameters = np.vstack(ours.layers[0])
    value, gradient = Objective(Rows(x, labels), n_classes, l2, 1.0, weights)(parameters)
    assert value == pytest.approx(ours.objective, rel=1e-9)
    assert np.linalg.norm(gradient) < 1e-3


def test_agrees_with_scikit_learn():
    pixels, labels = small_problem()
    x = pixels / 255
    theirs = LogisticRegression(C=1 / (len(x) * 1e-2), tol=1e-10, max_iter=10_000).fit(x, labels)
    weights, biases = fit(x, labels, 4, scale=1.0, l2=1e-2, tolerance=1e-14).layers[0]
    np.testing.assert_allclose(weights.T, theirs.coef_, atol=1e-5)
    np.testing.assert_allclose(biases - biases.mean(), theirs.intercept_, atol=1e-4)


def test_rows_are_the_rows_trained_on():
    pixels, labels = small_problem()
    chosen = np.arange(0, 200, 3)
    part = fit(pixels, labels, 4, rows=chosen, l2=1e-3)
    alone = fit(pixels[chosen], labels[chosen], 4, l2=1e-3)
    assert part.layers[0][0].tobytes() == alone.layers[0][0].tobytes()


def test_threads_do_not_change_a_bit():
    pixels, labels = small_problem(n=9000)
    one, two, three = (fit(pixels, labels, 4, l2=1e-3, n_threads=n) for n in (1, 2, 3))
    assert one.layers[0][0].tobytes() == two.layers[0][0].tobytes() == three.layers[0][0].tobytes()


def test_auto_l2_chooses_the_smallest_validation_cross_entropy():
    pixels, labels = small_problem(n=600)
    validation = Rows(pixels, labels, np.arange(400, 600))
    found = fit(pixels, labels, 4, rows=np.arange(400), validation=validation)
    assert len(found.l2_path) > 2
    best = min(found.l2_path, key=lambda candidate: candidate.validation_cross_entropy)
    assert found.l2 == best.l2


@pytest.mark.parametrize("is_weighted", [False, True])
def test_the_path_has_the_training_cross_entropy_without_the_penalty(is_weighted):
    """It is that of a fit to the end with the same l2, and a smaller l2 always lowers it."""
    pixels, labels = small_problem(n=600)
    rows = np.arange(400)
    weights = np.random.default_rng(1).uniform(0.5, 2, 400) if is_weighted else None
    found = fit(
        pixels,
        labels,
        4,
        rows=rows,
        sample_weight=weights,
        validation=Rows(pixels, labels, np.arange(400, 600)),
    )
    penalties = []
    for l2, _, training_loss in found.l2_path:
        whole = fit(pixels, labels, 4, rows=rows, sample_weight=weights, l2=l2)
        layer = whole.layers[0]
        log_p = log_softmax(pixels[rows] / 255 @ layer.weights + layer.biases, axis=1)
        expected = np.average(-log_p[rows, labels[rows]], weights=weights)
        assert training_loss == pytest.approx(expected, rel=0.1)
        penalties.append(whole.objective / expected - 1)
    assert max(penalties) > 0.2  # so the penalty is not included
    by_l2 = [c.training_cross_entropy for c in sorted(found.l2_path)]
    assert by_l2 == sorted(by_l2)


def test_a_path_that_ends_far_from_its_start_reaches_the_optimum():
    """The Hessian at the start of the path is that of a penalty 30 times as large."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 2000)
    pixels = rng.standard_normal((2000, 50)) + rng.standard_normal((3, 50))[labels]
    pixels = (pixels / np.arange(1, 51)).astype(np.float32)
    rows, validation = np.arange(200, 2000), Rows(pixels, labels, np.arange(200))
    found = fit(pixels, labels, 3, rows=rows, validation=validation, scale=1.0)
    assert max(c.l2 for c in found.l2_path) > 30 * found.l2
    doubles, few = pixels.astype(np.float64), {"rows": rows, "scale": 1.0, "l2": found.l2}
    optimum = fit(doubles, labels, 3, tolerance=1e-10, max_iterations=1000, **few)
    assert optimum.objective <= found.objective <= 1.001 * optimum.objective


def test_without_validation_rows_a_default_l2_is_used():
    pixels, labels = small_problem()
    found = fit(pixels, labels, 4)
    assert found.l2 == pytest.approx(DEFAULT_L2 * np.median((pixels / 255).std(axis=0)) ** 2)
    assert found.l2_path == ()


def test_iterations_are_reported():
    pixels, labels = small_problem()
    reported: list[IterationInfo] = []
    found = fit(pixels, labels, 4, l2=1e-3, on_iteration=reported.append)
    assert tuple(info.objective for info in reported) == found.history
    assert reported[0].progress == 0
    assert reported[-1].progress == 1
    assert all(0 <= info.progress <= 1 for info in reported)


def test_progress_is_a_number_even_where_rounding_spoils_the_curvature():
    reported: list[float] = []

    def upwards(*_):
        return lambda gradient: -gradient

    minimise(
        lambda x: (1 + float(x @ x), 2 * x),
        np.ones(3),
        upwards,
        tolerance=1e-6,
        max_iterations=3,
        on_iteration=progress_callback(lambda info: reported.append(info.progress), "fit", 1e-6),
    )
    assert reported[0] == 0
    assert all(0 <= progress <= 1 for progress in reported)


class Remote:
    """A matrix that is not local; whoever fetches rows fails."""

    shape, dtype = (200, 12), np.dtype(np.uint8)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, where):
        raise AssertionError("rows were fetched")


def test_hidden_layers_refuse_remote_pixels_before_anything_is_fetched():
    _, labels = small_problem()
    with pytest.raises(InputError, match="mini-batches"):
        fit(Remote(), labels, 4, hidden=(8,))


def test_balanced_sample_weight_agrees_with_scikit_learns():
    labels = np.array([0, 0, 0, 2, 2, 1])
    np.testing.assert_allclose(
        balanced_sample_weight(labels, 3), compute_sample_weight("balanced", labels)
    )


def test_separable_classes_without_penalty_have_no_optimum():
    pixels, labels = small_problem()
    x = pixels / 255 + 3 * np.eye(4, 12)[labels]
    found = fit(x, labels, 4, scale=1.0, l2=0.0, max_iterations=15)
    assert not found.converged
    assert found.stop_reason == StopReason.ITERATION_LIMIT


def test_unusable_input_is_refused():
    pixels, labels = small_problem()
    x = pixels / 255
    with pytest.raises(TrainingError, match="no rows"):
        fit(x, labels, 4, rows=np.arange(0))
    for bad in (
        np.ones(3),
        -np.ones(200),
        np.full(200, np.nan),
        np.zeros(200),
        np.full(200, 1e308),
    ):
        with pytest.raises(InputError, match="sample_weight"):
            fit(x, labels, 4, sample_weight=bad)
    x[3, 4] = np.nan
    for wide in (x, np.tile(x, 40)):
        with pytest.raises(TrainingError, match="nan or infinite"):
            fit(wide, labels, 4, l2=1e-2)


def test_a_network_that_blows_up_names_the_epoch():
    pixels, labels = small_problem()
    x = pixels.astype(np.float32)
    x[5, 5] = np.inf
    validation = Rows(x, labels, np.arange(10))
    with pytest.raises(TrainingError, match="epoch 1: the loss"):
        fit(
            x, labels, 4, rows=np.arange(10, 200), validation=validation, hidden=(8,),
            max_iterations=3,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("n", "n_pixels", "n_classes"),
    [(400, 1, 2), (3000, 30, 1000), (12, 150_528, 3), (600, 900, 300)],
)
def test_few_and_many_pixels_and_classes(n, n_pixels, n_classes):
    rng = np.random.default_rng(0)
    labels = np.arange(n) % n_classes
    pixels = rng.integers(0, 256, (n, n_pixels), dtype=np.uint8)
    found = fit(pixels, labels, n_classes, l2=1e-2)
    assert found.converged
    assert found.objective < np.log(n_classes)
    assert found.layers[0][0].shape == (n_pixels, n_classes)


@pytest.mark.parametrize("hidden", [(), (16,), (16, 8)])
def test_the_same_seed_gives_the_same_bytes(hidden):
    pixels, labels = small_problem(n=700)
    one, two, other = (
        fit(pixels, labels, 4, l2=1e-4, hidden=hidden, seed=seed, n_threads=n, max_iterations=5)
        for seed, n in ((0, 1), (0, 2), (1, 1))
    )
    for (weights, biases), (same_weights, same_biases) in zip(one.layers, two.layers, strict=True):
        assert weights.tobytes() == same_weights.tobytes()
        assert biases.tobytes() == same_biases.tobytes()
    if hidden:
        assert one.layers[0][0].tobytes() != other.layers[0][0].tobytes()


def test_a_subspace_and_a_sample_reach_the_optimum_of_all_rows(monkeypatch):
    limits = {"SAMPLE_ROWS": 300, "FULL_USE_ROWS": 100, "WHOLE_PIXELS": 20, "DIMENSIONS": 10}
    for name, value in limits.items():
        monkeypatch.setattr(preconditioner, f"_{name}", value)
    pixels, labels = small_problem(n=2000, n_pixels=40)
    x = pixels / 255
    found = fit(x, labels, 4, scale=1.0, l2=1e-3, tolerance=1e-9)
    assert found.converged
    assert found.objective == pytest.approx(scipy_optimum(x, labels, 4, 1e-3), rel=1e-6)


@pytest.mark.parametrize("l2", [1e-7, 1e-8])
def test_values_of_very_different_spread_reach_the_optimum(l2):
    """All tell the classes apart equally well, but the subspace contains only the first ones."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 2000)
    x = rng.standard_normal((2000, 300)) + rng.standard_normal((4, 300))[labels] / 4
    x *= np.arange(1, 301) ** -1.5
    rough = fit(x.astype(np.float32), labels, 4, scale=1.0, l2=l2)
    best = fit(x, labels, 4, scale=1.0, l2=l2, tolerance=1e-9, max_iterations=1000)
    assert best.converged
    assert best.objective <= rough.objective <= 1.001 * best.objective


@pytest.mark.parametrize(
    ("n_pixels", "share", "width"),
    [(256, 1, 256), (784, 60_000 / 12_000, 395), (1280, 1, 226), (3072, 50_000 / 12_000, 640)],
)
def test_the_subspace_is_as_wide_as_its_inverses_may_cost(n_pixels, share, width):
    assert preconditioner._width(n_pixels, share) == width


def test_default_tolerance_ends_within_a_thousandth_of_the_optimum():
    pixels, labels = small_problem(n=2000, n_pixels=100, n_classes=6)
    rough = fit(pixels, labels, 6, l2=1e-4)
    best = fit(pixels / 255, labels, 6, scale=1.0, l2=1e-4, tolerance=1e-10)
    assert rough.converged
    assert best.objective <= rough.objective <= 1.001 * best.objective


def many_classes(n=3000, n_inputs=24, n_classes=50):
    """Features of classes of which the rarest has a fiftieth of the rows of the most frequent."""
    rng = np.random.default_rng(5)
    frequency = 1 / np.arange(1, n_classes + 1)
    labels = np.append(
        np.arange(n_classes), rng.choice(n_classes, n - n_classes, p=frequency / frequency.sum())
    )
    means = rng.normal(size=(n_classes, n_inputs))
    return (rng.normal(size=(n, n_inputs)) + means[labels]) / np.arange(1, n_inputs + 1), labels


@pytest.mark.parametrize(("l2", "width"), [(1e-2, 100), (1e-4, 100), (1e-5, 100), (1e-4, 10)])
def test_many_classes_share_one_inverse_and_reach_scipys_optimum(monkeypatch, l2, width):
    monkeypatch.setattr(preconditioner, "_DIMENSIONS_SHARED", width)
    x, labels = many_classes()
    optimum = scipy_optimum(x, labels, 50, l2)
    found = fit(x, labels, 50, scale=1.0, l2=l2, tolerance=1e-9, max_iterations=1000)
    assert found.converged
    assert found.objective == pytest.approx(optimum, rel=1e-6)
    rough = fit(x.astype(np.float32), labels, 50, scale=1.0, l2=l2)
    assert rough.converged
    assert rough.objective <= 1.001 * optimum


@pytest.mark.parametrize("l2", [1e-300, 0.0])
def test_many_classes_with_hardly_any_penalty_are_approached_in_few_steps(l2):
    x, labels = many_classes(n=1000)
    labels = np.random.default_rng(0).permutation(labels)  # so that there is an optimum
    stages = []
    found = fit(
        x, labels, 50, scale=1.0, l2=l2, on_iteration=lambda info: stages.append(info.stage)
    )
    assert np.isfinite(found.objective)
    assert len({*stages}) <= 8


def test_half_precision_rows_are_fitted_like_the_same_numbers_in_single_precision():
    x, labels = many_classes(n=1000)
    half = x.astype(np.float16)
    found, expected = (fit(rows, labels, 50, scale=1.0) for rows in (half, half.astype("f4")))
    np.testing.assert_array_equal(found.layers[0].weights, expected.layers[0].weights)


def forward(layers, pixels):
    values = pixels / 255
    for position, (weights, biases) in enumerate(layers):
        values = (np.maximum(values, 0) if position else values) @ weights + biases
    return values


def test_hidden_layers_learn_what_no_single_layer_can():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (3000, 2), dtype=np.uint8)
    labels = ((pixels[:, 0] > 127) ^ (pixels[:, 1] > 127)).astype(int)
    validation = Rows(pixels, labels, np.arange(2500, 3000))
    found = fit(pixels, labels, 2, rows=np.arange(2500), validation=validation, hidden=(16, 8))
    is_correct = forward(found.layers, pixels[2500:]).argmax(axis=1) == labels[2500:]
    assert is_correct.mean() > 0.95
    assert [weights.shape for weights, _ in found.layers] == [(2, 16), (16, 8), (8, 2)]


@pytest.mark.parametrize(
    ("n", "n_pixels", "rate"),
    [(150, 4, 0.02), (1000, 64, 0.2 / 64), (90, 784, 1e-3), (5000, 4, 1e-3)],
)
def test_few_rows_of_few_pixels_are_fitted_in_larger_steps(n, n_pixels, rate):
    rows = Rows(np.zeros((n, n_pixels), np.uint8), np.zeros(n, int))
    assert Network(
        Objective(rows, 2, 0.0), (8,), spread_of(rows, None)
    ).learning_rate == pytest.approx(rate)


def test_gradient_of_hidden_layers_by_finite_differences():
    pixels, labels = small_problem(n=30)
    weights = np.random.default_rng(1).uniform(0, 2, 30)
    rows = Rows(pixels, labels)
    spread = spread_of(rows, weights)
    network = Network(Objective(rows, 4, 0.1, 1.0, weights), (6, 5), spread)
    assert spread.deviations.max() < 4 * spread.typical  # so that all pixels have one factor
    standardized = (pixels - spread.centre) / (4 * spread.overall)
    flat = network.start(np.random.default_rng(0))
    # With biases, so that no unit is exactly at the kink of its ReLU.
    flat += np.random.default_rng(3).normal(0, 0.1, flat.size).astype(np.float32)
    batch = np.arange(30)

    def objective(parameters):
        values = [(w.astype(float), b.astype(float)) for w, b in network.layers(parameters)]
        logits = forward(values, 255 * standardized)
        losses = logsumexp(logits, axis=1) - logits[batch, labels]
        penalty = sum(np.sum(w**2) for w, _ in values)
        return np.average(losses, weights=weights) + 0.05 * penalty

    _, gradient = network.full_loss_and_gradient(flat)
    rng = np.random.default_rng(2)
    for _ in range(20):
        direction = rng.normal(size=flat.size)
        step = 1e-6 * direction
        ahead, behind = flat.astype(float) + step, flat.astype(float) - step
        derivative = (objective(ahead) - objective(behind)) / 2e-6
        assert gradient @ direction == pytest.approx(derivative, rel=1e-3, abs=1e-3)


def test_the_gradient_of_a_batch_outlives_later_updates():
    pixels, labels = small_problem(n=30)
    rows = Rows(pixels, labels)
    network = Network(Objective(rows, 4, 0.1), (6,), spread_of(rows, None))
    flat, batch = network.start(np.random.default_rng(0)), np.arange(30)
    loss, gradient = network.full_loss_and_gradient(flat)
    parts = np.zeros_like(flat)

    def consume(part, part_gradient):
        parts[part] += part_gradient
        part_gradient[:] = np.nan  # as Adam does, which works in place

    assert network.batch_loss(flat, batch, consume) == pytest.approx(loss, rel=1e-15)
    np.testing.assert_array_equal(gradient, parts)
