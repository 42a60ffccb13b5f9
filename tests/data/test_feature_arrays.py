"""Features that another program computed: what counts as such, and what is refused, in one line."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import assert_one_error_line, run_command

from softmaxce.class_choice import ClassChoice
from softmaxce.data.array_files import read_arrays
from softmaxce.data.feature_arrays import check_values
from softmaxce.data.pixel_dataset import load_for_training
from softmaxce.file_rows import FileRows
from softmaxce.preprocessing import FeatureVectors

RANDOM = np.random.default_rng(0)
Y = np.arange(60) % 3
X = (RANDOM.normal(size=(60, 20)) + 2 * np.eye(3, 20)[Y]).astype(np.float32)
WHOLE = RANDOM.integers(0, 256, (60, 64)).astype(np.float64)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4", ">f8"])
@pytest.mark.parametrize("name", ["x", "X_train", "features", "train_embeddings", "arr_0"])
def test_rows_of_floats_are_features(tmp_path, dtype, name):
    labels = name.replace("x", "y").replace("X", "y").replace("0", "1")
    labels = labels.replace("features", "labels").replace("embeddings", "labels")
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", **{name: X.astype(dtype), labels: Y})
        arrays = read_arrays(tmp_path / "a.npz")
        assert arrays.vectors == FeatureVectors(20)
        np.testing.assert_array_equal(arrays.images[:], X.astype(dtype))
        assert arrays.labels == tuple(map(str, Y))


def test_pairs_of_files_and_files_in_fortran_order(tmp_path):
    np.save(tmp_path / "features.npy", np.asfortranarray(X))
    np.save(tmp_path / "labels.npy", Y)
    for source in (tmp_path, tmp_path / "features.npy"):
        dataset = load_for_training(source)
        np.testing.assert_array_equal(dataset.inputs, X)
        assert dataset.preprocessing == FeatureVectors(20)
        assert dataset.paths[3] == f"{source}[3]"


@pytest.mark.parametrize(
    ("name", "array", "are_features"),
    [
        ("x", WHOLE, False),  # as other programs save pixels
        ("features", WHOLE, True),
        ("x", WHOLE + 0.5, True),
        ("x", WHOLE - 1, True),
        ("x", WHOLE / 255, True),
        ("x", (WHOLE > 99).astype(float), True),
        ("x", WHOLE[:, 1:], True),
        ("x", WHOLE[:, 1:].astype(np.uint8)[:, :49], False),
    ],
)
def test_whole_numbers_of_square_pictures_are_pixels_unless_named_features(
    tmp_path, name, array, are_features
):
    np.savez(tmp_path / "a.npz", **{name: array, "y": Y})
    assert (read_arrays(tmp_path / "a.npz").vectors is not None) == are_features


def test_what_the_rows_were_read_as_is_said(tmp_path):
    np.savez(tmp_path / "a.npz", x=WHOLE, y=Y)
    np.savez(tmp_path / "b.npz", x=WHOLE / 255, y=Y)
    words = "--l2", "1", "--validation", "0"
    pixels, vectors = (run_command("train", f, *words, cwd=tmp_path) for f in ("a.npz", "b.npz"))
    assert "x.npy: whole numbers are read as pixels unless it is named features" in pixels.stderr
    assert 'x * 255).round().astype("uint8").reshape(-1, 8, 8)' in vectors.stderr


def broken(*places, value=np.nan):
    rows = X.copy()
    for place in places:
        rows[place] = value
    return rows


@pytest.mark.parametrize(
    ("arrays", "error"),
    [
        ({"x": broken((3, 4), (9, 0), (9, 1))}, "3 values in 2 of 60 rows are NaN"),
        ({"x": broken((3, 4), (9, 0))}, "in rows 3, 9; leave these rows out"),
        ({"x": broken(7, value=np.inf)}, "20 values in 1 of 60 rows"),
        ({"x": broken(slice(None), value=np.nan)}, "in rows 0, 1, 2 and 57 more"),
        ({"x": X.astype(np.float64) * 1e13}, "above 1e+12"),
        ({"x": X * np.float32(1e-20)}, "multiply them by a constant"),
        ({"x": X.astype(object)}, "x.npy holds Python objects, which are never read"),
        ({"features": X[:, 0]}, "the features have the shape (60,)"),
        ({"features": X.reshape(60, 4, 5)}, "the features have the shape (60, 4, 5)"),
        ({"x": X[:, 0]}, "or features as (rows, features)"),
        ({"x": X[:, :0]}, "the features have the shape (60, 0)"),
        ({"features": X.astype(np.int64)}, "the features are int64"),
        ({"features": X.astype(np.longdouble)}, "the features are float"),
        ({"x": X[:-1]}, "there are 59 rows of features, but the labels have the shape (60,)"),
        ({"x": X, "embeddings": X}, "two for the train split: x.npy and embeddings.npy"),
        ({"x": X, "feature_names": ["a"]}, "feature_names has the shape (1,)"),
        ({"x": X, "feature_names": np.arange(20)}, "and type int64, but there are 20 features"),
        ({"x": X, "feature_names": ["a"] * 20}, "feature_names repeats 'a'"),
        ({"x_train": X, "y_train": Y, "x_test": X[:, 1:], "y_test": Y}, "19 features, but the"),
        ({"x_train": X, "y_train": Y, "x_test": WHOLE, "y_test": Y}, "they have images, but the"),
        ({"x_train": WHOLE, "y_train": Y, "x_test": X, "y_test": Y}, "training data have images"),
    ],
)
def test_bad_features_are_one_line(tmp_path, arrays, error):
    named = {"y": Y, **arrays} if "y_train" not in arrays else arrays
    np.savez(tmp_path / "a.npz", **named)
    assert_one_error_line(run_command("train", "a.npz", cwd=tmp_path), 1, "a.npz", error)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--size", "8"], "--size, --color, --fit and --background are for images"),
        (["--color", "gray"], "a.npz contains 20 features"),
        (["--features", "patches"], "--features patches is for images"),
        (["--features", "patches", "--folds", "2"], "--features patches is for images"),
    ],
)
def test_options_of_images_are_refused(tmp_path, words, error):
    np.savez(tmp_path / "a.npz", x=X, y=Y)
    assert_one_error_line(run_command("train", "a.npz", *words, cwd=tmp_path), 2, error)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_damaged_archives_are_one_line(tmp_path, save):
    save(tmp_path / "a.npz", features=X, y=Y)
    content = (tmp_path / "a.npz").read_bytes()
    for length in range(0, len(content), 97):
        (tmp_path / "a.npz").write_bytes(content[:length])
        assert_one_error_line(run_command("train", "a.npz", cwd=tmp_path), 1, "a.npz")


def test_a_changed_byte_in_the_rows_is_noticed(tmp_path):
    np.savez(tmp_path / "a.npz", features=X, y=Y)
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[content.index(X.tobytes()) + 100] ^= 1
    (tmp_path / "a.npz").write_bytes(content)
    assert_one_error_line(run_command("train", "a.npz", cwd=tmp_path), 1, "a.npz", "CRC")


def test_equal_rows_have_equal_digests_whatever_their_type(tmp_path):
    rows = np.array([[0.0, 1, 2], [-0.0, 1, 2], [0, 1, 3]], np.float16)
    found = []
    for dtype in (np.float16, np.float32):
        np.savez(tmp_path / "a.npz", features=rows.astype(dtype), y=[0, 1, 1])
        found.append(check_values(read_arrays(tmp_path / "a.npz"), "a").digests)
    np.testing.assert_array_equal(*found)
    assert (found[0][0] == found[0][1]).all()
    assert (found[0][0] != found[0][2]).any()
    findings = load_for_training(tmp_path / "a.npz").findings
    assert [f.kind for f in findings] == ["constant_feature", "exact_duplicates_across_classes"]
    assert findings[0].examples == ("feature 0", "feature 1")


def test_large_files_are_not_read_before_they_are_needed(tmp_path, monkeypatch):
    monkeypatch.setattr("softmaxce.file_rows._MANY_BYTES", 0)
    np.savez(tmp_path / "a.npz", y=Y, features=X)
    np.save(tmp_path / "features.npy", X)
    np.save(tmp_path / "y.npy", Y)
    for source in ("a.npz", "features.npy"):
        dataset = load_for_training(tmp_path / source, choice=ClassChoice(("0", "2")))
        assert isinstance(dataset.inputs, FileRows)
        np.testing.assert_array_equal(dataset.inputs[:], X[Y != 1])
        assert dataset.paths[2] == f"{tmp_path / source}[3]"
