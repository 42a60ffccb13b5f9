"""The objective against finite differences and SciPy, and its summation against itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import log_softmax

from softmaxce.row_threads import row_threads
from softmaxce.training.objective import Objective, tree_sum
from softmaxce.training.rows import LocalPixels, Rows, block_rows


def problem(seed=0, n=50, n_pixels=7, n_classes=4, dtype=np.float64):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (n, n_pixels)).astype(dtype)
    return pixels, rng.integers(n_classes, size=n), rng


def plain_value(parameters, pixels, labels, l2, scale, weights):
    log_p = log_softmax(pixels * scale @ parameters[:-1] + parameters[-1], axis=1)
    loss = np.average(-log_p[np.arange(len(labels)), labels], weights=weights)
    return loss + l2 / 2 * np.sum(parameters[:-1] ** 2)


@pytest.mark.parametrize("weighted", [False, True])
def test_value_and_gradient(weighted):
    pixels, labels, rng = problem()
    weights = rng.uniform(0, 3, len(labels)) if weighted else None
    objective = Objective(Rows(pixels, labels), 4, 0.3, 1 / 255, weights)
    parameters = rng.normal(size=objective.shape)
    value, gradient = objective(parameters)
    assert value == pytest.approx(
        plain_value(parameters, pixels, labels, 0.3, 1 / 255, weights), rel=1e-13
    )
    differences = np.empty(objective.shape)
    for position in np.ndindex(*objective.shape):
        step = np.zeros(objective.shape)
        step[position] = 1e-5
        differences[position] = (
            objective(parameters + step)[0] - objective(parameters - step)[0]
        ) / 2e-5
    np.testing.assert_allclose(gradient, differences, rtol=0, atol=1e-8)
    assert np.linalg.norm(gradient - differences) <= 1e-6 * np.linalg.norm(differences)


def test_uint8_is_the_scaled_floats_to_float32_accuracy():
    pixels, labels, rng = problem(dtype=np.uint8)
    parameters = rng.normal(size=(8, 4))
    value, gradient = Objective(Rows(pixels, labels), 4, 0.1, 1 / 255)(parameters)
    exact, exact_gradient = Objective(Rows(pixels / 255, labels), 4, 0.1)(parameters)
    assert value == pytest.approx(exact, rel=1e-6)
    np.testing.assert_allclose(gradient, exact_gradient, atol=1e-6)


@pytest.mark.parametrize("n", [50, 5000])
def test_index_chooses_rows_wherever_they_are(n):
    pixels, labels, rng = problem(n=n)
    index = np.sort(rng.permutation(n)[: n // 3])
    index = index[(index < 1024) | (index >= 3000)]  # whole blocks without a row
    weights = rng.uniform(0, 3, len(index))
    parameters = rng.normal(size=(8, 4))
    chosen = Objective(Rows(pixels, labels, index), 4, 0.1, 1 / 255, weights)
    copied = Objective(Rows(pixels[index], labels[index]), 4, 0.1, 1 / 255, weights)
    assert chosen(parameters)[0] == pytest.approx(copied(parameters)[0], rel=1e-14)
    np.testing.assert_allclose(chosen(parameters)[1], copied(parameters)[1], atol=1e-14)
    part = np.arange(0, len(index), 7)
    few = Rows(pixels[index[part]], labels[index[part]])
    again = Objective(few, 4, 0.1, 1 / 255, weights[part])
    assert chosen.on_copies(part)(parameters)[0] == again(parameters)[0]


@pytest.mark.parametrize("n", [1, 1023, 1024, 4097, 9001])
def test_number_of_threads_changes_no_bit(n):
    pixels, labels, rng = problem(n=n, dtype=np.uint8)
    objective = Objective(Rows(pixels, labels), 4, 0.1, 1 / 255)
    parameters = rng.normal(size=objective.shape)
    value, gradient = objective(parameters)
    for n_threads in (2, 3):
        with row_threads(n_threads) as run_tasks:
            same_value, same_gradient = replace(objective, run_tasks=run_tasks)(parameters)
        assert same_value == value
        assert same_gradient.tobytes() == gradient.tobytes()


def test_memory_mapped_file_gives_the_same_bits(tmp_path):
    pixels, labels, rng = problem(n=3000, dtype=np.uint8)
    np.save(tmp_path / "pixels.npy", pixels)
    mapped = np.load(tmp_path / "pixels.npy", mmap_mode="r")
    parameters = rng.normal(size=(8, 4))
    value, gradient = Objective(Rows(pixels, labels), 4, 0.1)(parameters)
    same_value, same_gradient = Objective(Rows(mapped, labels), 4, 0.1)(parameters)
    assert same_value == value
    assert same_gradient.tobytes() == gradient.tobytes()


class Shape:
    """A sum that remembers in which order it was taken."""

    def __init__(self, text):
        self.text = text

    def __add__(self, other):
        return Shape(f"({self.text}{other.text})")


@pytest.mark.parametrize(
    ("n", "shape"), [(1, "0"), (2, "(01)"), (3, "((01)2)"), (6, "(((01)(23))(45))")]
)
def test_shape_of_the_tree(n, shape):
    assert tree_sum(Shape(str(i)) for i in range(n)).text == shape


@pytest.mark.parametrize("n", [1, 4, 5, 11, 16, 23])
def test_aligned_subtrees_make_the_same_tree(n):
    items = [Shape(f"{i},") for i in range(n)]
    parts = [tree_sum(items[first : first + 4]) for first in range(0, n, 4)]
    assert tree_sum(parts).text == tree_sum(items).text


def test_blocks_get_smaller_for_longer_pixel_vectors():
    assert [block_rows(p) for p in (1, 784, 3072, 12_288, 150_528)] == [1024, 1024, 256, 64, 16]


def test_inputs_are_not_changed():
    pixels, labels, rng = problem(dtype=np.float32)
    parameters = rng.normal(size=(8, 4))
    before = pixels.copy(), parameters.copy()
    Objective(Rows(pixels, labels), 4, 0.1, 1 / 255)(parameters)
    np.testing.assert_array_equal(pixels, before[0])
    np.testing.assert_array_equal(parameters, before[1])


def test_a_local_matrix_maps_runs_of_rows_with_their_columns():
    pixels, labels, _ = problem(n=9000, dtype=np.uint8)
    rows = np.arange(0, 9000, 2)
    runs = list(LocalPixels(pixels).map(lambda *given: given, rows, labels[rows], "shared"))
    assert len(runs) == 2
    np.testing.assert_array_equal(np.concatenate([run[0] for run in runs]), pixels[rows])
    np.testing.assert_array_equal(np.concatenate([run[1] for run in runs]), labels[rows])
    assert {run[2] for run in runs} == {"shared"}
