"""Patch features against brute force, and whitening against SciPy."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from helpers import PETS
from scipy.linalg import sqrtm
from scipy.special import log_softmax

from softmaxce.images.reading import read_pixels
from softmaxce.patches import CONTRAST, SIDE, THRESHOLDS, PatchFeatures, mirrored, normalised
from softmaxce.preprocessing import Preprocessing
from softmaxce.training import patch_learning
from softmaxce.training.fitting import fit
from softmaxce.training.patch_learning import grid_of, learn_patches, scales_for

N_FILTERS = 2 * 6


def pictures(shape=(13, 16, 3), n=40, seed=0):
    """Smooth random pictures (n, n_pixels), in which neighbouring pixels are similar."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(n, *shape))
    smooth = noise + np.roll(noise, 1, axis=1) + np.roll(noise, 1, axis=2)
    return np.clip(128 + 40 * smooth, 0, 255).astype(np.uint8).reshape(n, -1)


def features_of(shape=(13, 16, 3), *, is_symmetric=True, grid=3, pixels=None):
    pixels = pictures(shape) if pixels is None else pixels
    found = learn_patches(pixels, np.arange(len(pixels)), shape, n_pairs=N_FILTERS // 2, seed=3)
    found = replace(found, is_symmetric=is_symmetric, grid=grid)
    sums = np.stack([found.sums(picture) for picture in pixels])
    return replace(found, scales=scales_for(sums))


def mirror_images(pixels, shape):
    return pixels.reshape(-1, *shape)[:, :, ::-1].reshape(len(pixels), -1)


def responses_by_brute_force(features: PatchFeatures, picture):
    """(rows, columns, n_filters), in float64, patch by patch."""
    image = picture.reshape(features.shape)
    height, width, _ = features.shape
    bank = features.bank.astype(np.float64)
    responses = np.empty((*features.n_places, bank.shape[1]))
    for row in range(height - SIDE + 1):
        for column in range(width - SIDE + 1):
            values = image[row : row + SIDE, column : column + SIDE].reshape(-1).astype(np.float64)
            scale = np.float32(16 / np.sqrt(values.var() + CONTRAST))
            rounded = np.rint(np.float32(values) * scale).astype(np.float64) / 16
            responses[row, column] = (rounded - rounded.mean()) @ bank[:-1] + bank[-1]
    return responses


def sums_by_brute_force(features: PatchFeatures, picture):
    """The sums, place by place, with the weights as the distance from the points gives them, in
    quarters."""
    responses = responses_by_brute_force(features, picture)
    n_rows, n_columns, n_filters = responses.shape
    grid = features.grid
    sums = np.zeros((2 * len(THRESHOLDS), grid, grid, n_filters))
    for row in range(n_rows):
        for column in range(n_columns):
            y, x = (
                min(max(round((Fraction(2 * i + 1, n) * grid - 1) * 2) / 4, 0), grid - 1)
                for i, n in ((row, n_rows), (column, n_columns))
            )
            for i in range(grid):
                for j in range(grid):
                    weight = max(0, 1 - abs(y - i)) * max(0, 1 - abs(x - j))
                    r = responses[row, column]
                    for k, t in enumerate(THRESHOLDS):
                        sums[2 * k, i, j] += weight * np.maximum(0, r - t)
                        sums[2 * k + 1, i, j] += weight * np.maximum(0, -r - t)
    if features.is_symmetric:
        half = n_filters // 2
        sums = sums[..., :half] + sums[:, :, ::-1, half:]
    return sums.reshape(-1)


@pytest.mark.parametrize("shape", [(13, 16, 3), (9, 8, 1), (6, 7, 3)])
def test_responses_are_products_with_contrast_normalised_patches(shape):
    features = features_of(shape)
    for picture in pictures(shape, n=3, seed=1):
        found = np.concatenate([p @ features.bank for _, p in features._strips(picture)])
        expected = responses_by_brute_force(features, picture).reshape(found.shape)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("grid", [1, 3, 4])
@pytest.mark.parametrize("is_symmetric", [True, False])
def test_sums_are_those_of_brute_force(is_symmetric, grid):
    features = features_of(is_symmetric=is_symmetric, grid=grid)
    for picture in pictures(n=2, seed=2):
        expected = sums_by_brute_force(features, picture)
        np.testing.assert_allclose(features.sums(picture), expected, rtol=0, atol=1e-9)


def test_large_pictures_are_summed_in_strips_to_the_same_numbers():
    shape = (40, 50, 1)  # 35 × 45 places, more than one strip
    features = features_of(shape, grid=5, pixels=pictures(shape, n=3))
    picture = pictures(shape, n=1, seed=4)[0]
    assert len(list(features._strips(picture))) > 1
    expected = sums_by_brute_force(features, picture)
    np.testing.assert_allclose(features.sums(picture), expected, rtol=0, atol=1e-9)


def test_whitening_is_the_inverse_square_root_of_the_covariance():
    patches = normalised(pictures((6, 6, 1), n=500), channels=1)[:, :-1]
    patches -= patches.mean(axis=0)
    twin = mirrored(1)[:-1]
    both = np.concatenate([patches, patches[:, twin]]).astype(np.float64)
    covariance = both.T @ both / len(both) + patch_learning._RIDGE * np.eye(36)
    expected = np.linalg.inv(sqrtm(covariance))
    found = patch_learning._whitening(patches, twin)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_flat_patch_has_the_response_of_no_contrast():
    shape = (12, 12, 3)
    features = features_of(shape)
    flat = [np.full(shape, value, np.uint8).reshape(-1) for value in (0, 200, 255)]
    responses = [next(features._strips(picture))[1] @ features.bank for picture in flat]
    for found in responses:
        assert (found == features.bank[-1]).all()


@pytest.mark.parametrize("shape", [(13, 16, 3), (16, 13, 1)])
def test_a_picture_and_its_mirror_image_have_the_same_features(shape):
    features = features_of(shape)
    pixels = pictures(shape, seed=5)
    assert (features.of(pixels) == features.of(mirror_images(pixels, shape))).all()
    without = replace(features, is_symmetric=False, scales=np.tile(features.scales, 2))
    assert (without.of(pixels) != without.of(mirror_images(pixels, shape))).mean() > 0.1


def test_symmetric_features_are_training_on_all_pictures_and_their_mirror_images():
    shape = (13, 16, 1)
    pixels, others = pictures(shape, n=60), pictures(shape, n=9, seed=7)
    labels = (pixels.reshape(-1, *shape)[:, :6].mean(axis=(1, 2, 3)) > 128).astype(int)
    symmetric = features_of(shape, pixels=pixels)
    general = replace(symmetric, is_symmetric=False)

    def log_p(features, training, labels, l2):
        values, new = (
            np.stack([features.sums(picture) for picture in group]).astype(np.float64)
            for group in (training, others)
        )
        (layer,) = fit(values, labels, 2, scale=1.0, l2=l2, tolerance=1e-12).layers
        return log_softmax(new @ layer.weights + layer.biases, axis=1)

    both = np.concatenate([pixels, mirror_images(pixels, shape)])
    # Each of the two equal halves of the general weights has half of the symmetric ones' penalty.
    found = log_p(symmetric, pixels, labels, l2=0.5)
    expected = log_p(general, both, np.tile(labels, 2), l2=0.25)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_every_picture_is_computed_by_itself():
    features, pixels = features_of(), pictures()
    together = features.of(pixels)
    assert together.dtype == np.uint8
    assert 0.1 < together.mean() / 255 < 0.5
    for position in (0, 17, 39):
        assert (features.of(pixels[position : position + 1])[0] == together[position]).all()


def extreme_pictures(shape, n=4):
    """Flat pictures, finest checkers and stripes, and random pixels (n of each kind)."""
    rng = np.random.default_rng(9)
    rows, columns, channels = np.indices(shape)
    regular = [0 * rows, 0 * rows + 1, rows + columns, rows + columns + channels, rows, columns]
    noise = rng.integers(0, 2, (n, *shape))
    fine = 255 * (np.stack([*regular, *noise]) % 2)
    return np.concatenate([fine, rng.integers(0, 256, (n, *shape))]).astype(np.uint8)


def sums_in_another_order(features: PatchFeatures, picture, rng):
    """The sums of a picture, computed in float64, with the terms of each sum in random order."""
    grid, n_pairs = features.grid, features.n_pairs
    patches = np.concatenate([patches for _, patches in features._strips(picture)])
    places, values = rng.permutation(len(patches)), rng.permutation(patches.shape[1])
    bank = features.bank[values].astype(np.float64)
    responses = patches[places][:, values].astype(np.float64) @ bank
    beyond = [np.maximum(s * responses - t, 0) for t in THRESHOLDS for s in (1, -1)]
    sums = features.pooling[:, places] @ np.stack(beyond)
    if features.is_symmetric:
        twins = sums.reshape(-1, grid, grid, 2, n_pairs)[:, :, ::-1, 1]
        sums = sums[..., :n_pairs] + twins.reshape(-1, grid**2, n_pairs)
    return sums.reshape(-1).astype(np.float32)


@pytest.mark.parametrize("source", ["random", "extreme", "pets"])
@pytest.mark.parametrize("is_symmetric", [True, False])
def test_sums_do_not_depend_on_the_order_of_summation(source, is_symmetric):
    shape, rng = (32, 32, 3), np.random.default_rng(4)
    form = Preprocessing(*shape)
    files = sorted((PETS / "train").glob("*/*"))[::4]
    pets = np.stack([read_pixels(file, form) for file in files])
    features = features_of(shape, is_symmetric=is_symmetric, pixels=pets)
    random = rng.integers(0, 256, (10, *shape)), pictures(shape, 10, 3).reshape(10, *shape)
    found = {"random": np.concatenate(random), "extreme": extreme_pictures(shape), "pets": pets}
    pixels = found[source].astype(np.uint8).reshape(-1, 32 * 32 * 3)
    expected = np.stack([sums_in_another_order(features, picture, rng) for picture in pixels])
    np.testing.assert_array_equal([features.sums(picture) for picture in pixels], expected)
    np.testing.assert_array_equal(features.of(pixels), features.rounded(expected))


@pytest.mark.parametrize(("strip", "block"), [(100, 128), (1024, 5), (7, 1)])
def test_features_do_not_depend_on_blocks_and_threads(strip, block, monkeypatch):
    features, pixels = features_of(), pictures()
    expected, sums = features.of(pixels), features.sums(pixels[0])
    monkeypatch.setattr("softmaxce.patches._STRIP_PLACES", strip)
    monkeypatch.setattr("softmaxce.patches._BLOCK_FILTERS", block)
    monkeypatch.setattr("softmaxce.patches._TASK_PICTURES", block)
    found = replace(features)  # without what it computed before
    assert (found.sums(pixels[0]) == sums).all()
    assert (found.of(pixels) == expected).all()


def test_learned_filters_are_multiples_that_sum_to_zero():
    filters = features_of().filters.astype(np.float64)
    assert (filters[:-1] * 64 % 1 == 0).all()
    assert (filters[-1] * 1024 % 1 == 0).all()
    assert (filters[:-1].sum(axis=0) == 0).all()
    exact = np.random.default_rng(0).normal(0, 0.2, (36, 9))
    exact -= exact.mean(axis=0)
    assert np.abs(patch_learning._in_steps(exact) - exact).max() < 1 / 64


@pytest.mark.parametrize("is_symmetric", [True, False])
def test_contributions_of_the_places_add_up_and_are_those_of_brute_force(is_symmetric):
    features = features_of(is_symmetric=is_symmetric)
    picture = pictures(n=1, seed=6)[0]
    rng = np.random.default_rng(0)
    inputs = features.of(picture[np.newaxis])[0]
    of_features = rng.normal(size=features.n_features) * inputs
    found = features.contributions(picture, of_features)
    assert found.shape == features.n_places
    assert found.sum() == pytest.approx(of_features.sum(), abs=1e-8)
    # Without the place's responses, its share of every sum is gone.
    with_all = sums_by_brute_force(features, picture)
    row, column = 3, 5
    responses = responses_by_brute_force(features, picture)
    responses[row, column] = 0
    features_without = replace(features)
    original = responses_by_brute_force
    try:
        globals()["responses_by_brute_force"] = lambda *_: responses
        rest = sums_by_brute_force(features_without, picture)
    finally:
        globals()["responses_by_brute_force"] = original
    share = np.divide(with_all - rest, with_all, out=np.zeros_like(with_all), where=with_all > 0)
    assert found[row, column] == pytest.approx((share * of_features).sum(), abs=0.05)


@pytest.mark.parametrize("shape", [(28, 28, 1), (64, 64, 1)])
def test_contributions_add_up_where_most_of_the_picture_is_flat(shape):
    rng = np.random.default_rng(1)
    strokes = np.zeros((30, *shape), np.uint8)
    for picture in strokes:  # a bright bar on black
        row, column = rng.integers(2, shape[0] - 9, 2)
        picture[row : row + 7, column : column + 2] = 255
    pixels = strokes.reshape(30, -1)
    features = features_of(shape, pixels=pixels)
    assert features.scales.max() <= 255 / patch_learning._SMALLEST * 1.001
    for picture, inputs in zip(pixels[:5], features.of(pixels[:5]), strict=True):
        of_features = rng.normal(size=features.n_features) * inputs
        found = features.contributions(picture, of_features).sum()
        assert found == pytest.approx(of_features.sum(), abs=1e-6)


def test_contributions_add_up_for_a_thousand_pictures():
    features = features_of((8, 9, 1))
    rng = np.random.default_rng(2)
    weights = rng.normal(size=features.n_features)
    pixels = pictures((8, 9, 1), n=1000, seed=8)
    errors = [
        features.contributions(picture, weights * inputs).sum() - weights @ inputs
        for picture, inputs in zip(pixels, features.of(pixels), strict=True)
    ]
    assert np.abs(errors).max() < 1e-6


def test_filters_do_not_depend_on_where_the_pictures_are_stored():
    pixels, shape = pictures(), (13, 16, 3)
    order = np.random.default_rng(0).permutation(len(pixels))
    first = learn_patches(pixels, np.arange(len(pixels)), shape, n_pairs=4)
    second = learn_patches(pixels[order], np.argsort(order), shape, n_pairs=4)
    assert (first.filters == second.filters).all()


def test_scales_map_six_deviations_above_the_mean_to_255():
    sums = np.array([[0, 1, 5], [0, 3, 5], [0, 5, 5]], np.float32)
    largest = [3 + 6 * np.std([1, 3, 5]), 5]
    np.testing.assert_allclose(scales_for(sums), [0, 255 / largest[0], 255 / largest[1]])


def test_the_grid_is_finer_for_large_pictures_and_for_signs():
    assert grid_of((32, 32, 3), True) == 3
    assert grid_of((28, 28, 1), False) == 4
    assert grid_of((64, 48, 3), True) == 5
