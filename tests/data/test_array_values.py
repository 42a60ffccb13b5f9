"""Arrays as people save them: what is certain is read, everything else is refused with a remedy."""

from __future__ import annotations

import gzip
import struct
import warnings

import numpy as np
import pytest
from helpers import assert_one_error_line, draw_classes, run_command

from softmaxce.data.array_files import is_array_source, read_arrays
from softmaxce.data.sources import find_splits
from softmaxce.errors import DataError

RANDOM = np.random.default_rng(0)
Y = np.arange(60) % 3
X = (RANDOM.integers(0, 60, (60, 8, 8)) + 90 * Y[:, None, None]).astype(np.uint8)
X[0, 0, :2] = 0, 255
NAMES = ("wasp", "ant", "새")
NAMED = tuple(NAMES[k] for k in Y)
NUMBERED = tuple(map(str, Y))
COLOUR = RANDOM.integers(0, 256, (60, 8, 9, 3)).astype(np.uint8)


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def save_idx(folder, prefix, images=X, labels=Y, pack=bytes, ending=""):
    folder.mkdir(exist_ok=True)
    (folder / f"{prefix}images-idx3-ubyte{ending}").write_bytes(pack(idx(images)))
    (folder / f"{prefix}labels-idx1-ubyte{ending}").write_bytes(pack(idx(labels.astype(np.uint8))))


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (np.eye(3)[Y], NUMBERED),
        (np.eye(3, dtype=np.uint8)[Y], NUMBERED),
        (np.eye(3, dtype=bool)[Y], NUMBERED),
        (Y.astype(np.float64), NUMBERED),
        (Y.astype(np.float16)[:, None], NUMBERED),
        (Y[None], NUMBERED),
        (np.array([n.encode() for n in NAMED]), NAMED),
        (np.array(NAMED)[:, None], NAMED),
        (Y > 0, tuple(map(str, Y > 0))),
        (np.array(["e\u0301", "é", "b"])[Y], tuple("ééb"[k] for k in Y)),
    ],
)
def test_labels_whose_meaning_is_certain(tmp_path, labels, expected):
    np.savez(tmp_path / "a.npz", x=X, y=labels)
    assert read_arrays(tmp_path / "a.npz").labels == expected


@pytest.mark.parametrize(
    "key", ["label_names", "class_names", "classes", "target_names", "categories"]
)
@pytest.mark.parametrize("labels", [Y, np.eye(3)[Y], Y.astype(np.float32), Y.astype(np.uint8)])
@pytest.mark.parametrize("names", [np.array(NAMES), np.array([n.encode() for n in NAMES])])
def test_names_beside_the_labels_name_the_classes(tmp_path, key, labels, names):
    np.savez(tmp_path / "a.npz", x_train=X, y_train=labels, x_test=X, y_test=labels, **{key: names})
    assert read_arrays(tmp_path / "a.npz").labels == NAMED
    assert read_arrays(tmp_path / "a.npz", "test").labels == NAMED


def test_names_of_bool_labels(tmp_path):
    np.savez(tmp_path / "a.npz", x=X, y=Y > 0, class_names=["no", "yes"])
    assert read_arrays(tmp_path / "a.npz").labels == tuple("yes" if k else "no" for k in Y)


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (X > 100, np.where(X > 100, 255, 0)),
        (X.astype(np.uint16), X),
        (X.astype(np.uint16) * 257, X),
        (X.astype(np.int64), X),
        (X.astype(np.float32), X),
        (X[:, None], X),
        (X[..., None], X),
        (X.reshape(60, 64).astype(float), X),
        (np.concatenate([COLOUR, np.full_like(COLOUR[..., :1], 255)], 3), COLOUR),
    ],
)
def test_pixels_whose_meaning_is_certain(tmp_path, images, expected):
    np.savez(tmp_path / "a.npz", x=images, y=Y)
    with warnings.catch_warnings(action="error"):
        read = read_arrays(tmp_path / "a.npz").images
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, expected)


def test_16_bit_pixels_are_scaled_as_in_image_files(tmp_path):
    images = RANDOM.integers(0, 65536, X.shape).astype(np.uint16)
    np.savez(tmp_path / "a.npz", x=images, y=Y)
    arrays = read_arrays(tmp_path / "a.npz")
    np.testing.assert_array_equal(arrays.images, np.round(images / 257))
    assert arrays.notes[0].endswith("scaled to 8 bits (65535 to 255)")
    np.savez(tmp_path / "a.npz", x=images >> 4, y=Y)
    arrays = read_arrays(tmp_path / "a.npz")
    np.testing.assert_array_equal(arrays.images, np.round((images >> 4) / 257))


@pytest.mark.parametrize(
    ("arrays", "remedy"),
    [
        ({"x": X / 255}, '(x * 255).round().astype("uint8")'),
        ({"x": (X / 255).astype(np.float16)}, '(x * 255).round().astype("uint8")'),
        ({"x": X / 2}, 'x.round().astype("uint8")'),
        ({"x": X / 127.5 - 1}, '((x + 1) * 127.5).round().astype("uint8")'),
        ({"x": (X - 100.0) / 37}, "from -2.703 to 4.189; save them as uint8"),
        ({"x": X * np.nan}, "the pixels contain NaN or infinite values"),
        ({"x": np.where(X > 200, np.nan, X / 255)}, "the pixels contain NaN or infinite values"),
        ({"x": np.where(X > 200, np.inf, X / 255)}, "the pixels contain NaN or infinite values"),
        ({"x": X.astype(int) - 1}, "int64, from -1 to 254; save them as uint8"),
        ({"x": np.moveaxis(COLOUR, 3, 1)}, "np.moveaxis(x, 1, 3)"),
        ({"x": np.moveaxis(COLOUR, 0, 3)}, "np.moveaxis(x, 3, 0)"),
        ({"x": COLOUR[:, :8, :8].reshape(60, -1)}, "x.reshape(-1, 8, 8, 3)"),
        ({"x": np.concatenate([COLOUR, COLOUR[..., :1]], 3)}, "alpha channel; composite them"),
        (
            {"x": X, "y": np.array(NAMED, object)},
            "y.npy holds Python objects",
        ),
        ({"x": X.astype(object), "y": Y}, 'pixels.astype("uint8")'),
        ({"x": X, "y": np.eye(3)[Y] * 0.9}, "not one-hot"),
        ({"x": X, "y": 1 - np.eye(3)[Y]}, "not one-hot"),
        ({"x": X, "y": Y + 0.5}, "save them as integers or names"),
        ({"x": X, "y": Y * np.nan}, "the labels contain NaN"),
        ({"x": X, "y": np.where(Y == 1, np.nan, np.eye(3)[Y].T).T}, "the labels contain NaN"),
        ({"x": X, "y": Y, "class_names": ["a", "b", "a"]}, "the class names repeat: 'a'"),
        ({"x": X, "y": Y, "class_names": ["é", "b", "e\u0301"]}, "the class names repeat: 'é'"),
        ({"x": X, "y": np.array([b"\xff", b"a", b"b"])[Y]}, "not UTF-8; save them as text"),
        ({"x": X, "y": Y + 1, "names_of_classes": NAMES}, "1 to 3, which are not indices of the 3"),
        ({"x": X, "y": Y - 1, "class_names": NAMES}, "-1 to 1, which are not indices"),
        ({"x": X, "coarse_labels": Y}, "y.npy and coarse_labels.npy; keep one"),
        ({"a": X, "b": Y}, "it contains: a.npy, b.npy"),
    ],
)
def test_a_remedy_is_named_for_the_rest(tmp_path, arrays, remedy):
    np.savez(tmp_path / "a.npz", **{"y": Y, **arrays} if "b" not in arrays else arrays)
    assert_one_error_line(run_command("train", "a.npz", cwd=tmp_path), 1, "a.npz", remedy)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ("X", "Y"),
        ("xTrain", "yTrain"),
        ("xtrain", "ytrain"),
        ("X_tr", "y_tr"),
        ("trainX", "trainY"),
        ("training_images", "training_labels"),
        ("imgs", "targets"),
        ("arr_0", "arr_1"),
    ],
)
def test_usual_names_of_arrays(tmp_path, x, y):
    np.savez(tmp_path / "a.npz", **{x: X, y: Y})
    assert read_arrays(tmp_path / "a.npz").labels == NUMBERED
    (tmp_path / "set").mkdir()
    np.save(tmp_path / "set" / f"{x}.npy", X)
    np.save(tmp_path / "set" / f"{y}.npy", Y)
    if x != "arr_0":
        assert read_arrays(tmp_path / "set" / f"{x}.npy").labels == NUMBERED
        assert read_arrays(tmp_path / "set").labels == NUMBERED


@pytest.mark.parametrize(
    ("x", "y"), [("x_dev", "y_dev"), ("Xval", "yval"), ("valid_images", "valid_labels")]
)
def test_usual_names_of_splits(tmp_path, x, y):
    np.savez(tmp_path / "a.npz", x_train=X, y_train=Y, x_te=X, y_te=Y, **{x: X[::2], y: Y[::2]})
    assert list(find_splits(tmp_path / "a.npz")) == ["train", "validation", "test"]
    assert read_arrays(tmp_path / "a.npz", "validation").labels == NUMBERED[::2]


def test_labels_that_compress_well_are_not_a_bomb(tmp_path):
    labels = np.repeat(np.eye(10), 600, axis=0)
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros((6000, 2, 2), np.uint8), y=labels)
    assert read_arrays(tmp_path / "a.npz").labels[-1] == "9"


def test_a_test_split_without_labels_is_named_and_ignored(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=X, y_train=Y, x_test=X)
    save_idx(tmp_path / "idx", "train-")
    save_idx(tmp_path / "idx", "t10k-")
    (tmp_path / "idx" / "t10k-labels-idx1-ubyte").unlink()
    for source in ("a.npz", "idx"):
        done = run_command("train", source, "--l2", "1", "--format", "json", cwd=tmp_path)
        assert done.exit_code == 0
        assert done.json["test"] is None
        assert f"1 split ignored: without labels: {source} (test)" in done.stderr
        outcome = run_command("evaluate", source, cwd=tmp_path)
        assert_one_error_line(outcome, 1, f"no labels: {source}")
        assert run_command("predict", source, cwd=tmp_path).exit_code == 0


@pytest.mark.parametrize("subset", ["letters", "balanced", "digits", "byclass"])
@pytest.mark.parametrize(("pack", "ending"), [(bytes, ""), (gzip.compress, ".gz")])
def test_emnist_is_turned_upright(tmp_path, subset, pack, ending):
    for split in ("train", "test"):
        transposed = np.swapaxes(X, 1, 2)
        save_idx(tmp_path, f"emnist-{subset}-{split}-", transposed, Y + 1, pack, ending)
    assert list(find_splits(tmp_path)) == ["train", "test"]
    file = tmp_path / f"emnist-{subset}-train-images-idx3-ubyte{ending}"
    for source, split in ((tmp_path, "train"), (tmp_path, "test"), (file, "train")):
        arrays = read_arrays(source, split)
        np.testing.assert_array_equal(arrays.images, X)
        assert arrays.labels == tuple(map(str, Y + 1))
        assert "transposed" in arrays.notes[0]


@pytest.mark.parametrize("prefix", ["my-emnist-", "my_EMNIST_", "gzip.emnist-balanced-", "EMNIST-"])
def test_emnist_is_known_wherever_its_name_stands(tmp_path, prefix):
    save_idx(tmp_path, f"{prefix}train-", np.swapaxes(X, 1, 2))
    np.testing.assert_array_equal(read_arrays(tmp_path).images, X)


def test_the_note_on_emnist_is_shown(tmp_path):
    save_idx(tmp_path / "set", "emnist-letters-train-", np.swapaxes(X, 1, 2))
    for command in (["train", "set", "--l2", "1"], ["check", "set"], ["evaluate", "set"]):
        done = run_command(*command, cwd=tmp_path)
        assert done.exit_code == 0
        assert "stored transposed" in done.stderr + done.stdout


@pytest.mark.parametrize("prefix", ["train-", "fashion-train-", "kmnist_train_", "Train-"])
def test_idx_files_with_any_prefix_are_found(tmp_path, prefix):
    save_idx(tmp_path, prefix)
    arrays = read_arrays(tmp_path)
    np.testing.assert_array_equal(arrays.images, X)
    assert arrays.labels == NUMBERED
    assert not arrays.notes


def test_several_data_sets_in_one_folder_are_named(tmp_path):
    save_idx(tmp_path / "set", "kmnist-train-")
    save_idx(tmp_path / "set", "fashion-train-")
    outcome = run_command("train", "set", cwd=tmp_path)
    names = "fashion-train-images-idx3-ubyte, kmnist-train-images-idx3-ubyte"
    assert_one_error_line(outcome, 1, "several data sets: set", names)
    assert read_arrays(tmp_path / "set" / "kmnist-train-images-idx3-ubyte").labels == NUMBERED


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ("X_train", "Y_train"),
        ("X_train", "y_train"),
        ("x_train", "Y_train"),
        ("train_images", "train_labels"),
        ("train_data", "train_labels"),
        ("faces_X_train", "faces_y_train"),
    ],
)
def test_npy_files_are_found_with_their_splits(tmp_path, x, y):
    for split, names in (("train", NAMED), ("test", NUMBERED)):
        np.save(tmp_path / f"{x.replace('train', split)}.npy", X)
        np.save(tmp_path / f"{y.replace('train', split)}.npy", names)
    np.save(tmp_path / "mean_image.npy", X[0])
    assert list(find_splits(tmp_path)) == ["train", "test"]
    assert read_arrays(tmp_path, "train").labels == NAMED
    assert read_arrays(tmp_path, "test").labels == NUMBERED
    assert read_arrays(tmp_path / f"{x}.npy").labels == NAMED


@pytest.mark.parametrize("above", ["MNIST", "data/MNIST"])
def test_torchvisions_folder_is_suggested(tmp_path, above):
    raw = tmp_path / above / "raw"
    raw.mkdir(parents=True)
    for split in ("train", "t10k"):
        save_idx(raw, f"{split}-", pack=gzip.compress, ending=".gz")
        save_idx(raw, f"{split}-")
    for command in ("train", "check"):
        outcome = run_command(command, above.split("/")[0], cwd=tmp_path)
        assert_one_error_line(outcome, 1, f"did you mean {above}/raw?")
    assert list(find_splits(raw)) == ["train", "test"]
    assert read_arrays(raw).labels == NUMBERED


def test_arrays_in_the_only_folder_are_suggested(tmp_path):
    for folder in ("npy", "npz"):
        (tmp_path / folder / "in").mkdir(parents=True)
    np.save(tmp_path / "npy" / "in" / "X_train.npy", X)
    np.save(tmp_path / "npy" / "in" / "y_train.npy", Y)
    np.savez(tmp_path / "npz" / "in" / "a.npz", x=X, y=Y)
    for source, meant in (("npy", "npy/in"), ("npz", "npz/in/a.npz")):
        outcome = run_command("train", source, cwd=tmp_path)
        assert_one_error_line(outcome, 1, f"did you mean {meant}?")


def test_two_files_of_labels_are_refused(tmp_path):
    for name, array in (("X", X), ("y", Y), ("labels", Y + 1)):
        np.save(tmp_path / f"{name}.npy", array)
    for source in (tmp_path, tmp_path / "X.npy"):
        with pytest.raises(DataError, match=r"two for the train split: labels\.npy and y\.npy"):
            read_arrays(source)


def test_npy_files_of_objects_are_never_read(tmp_path):
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "y.npy", np.array(NAMED, object))
    for source in (tmp_path, tmp_path / "X.npy"):
        with pytest.raises(DataError, match="holds Python objects, which are never read"):
            read_arrays(source)
    (tmp_path / "y.npy").write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(DataError, match=r"is not an \.npy file"):
        read_arrays(tmp_path)


def test_npy_files_beside_images_are_not_the_data_set(tmp_path):
    draw_classes(tmp_path / "set", {"a": 12, "b": 12})
    np.save(tmp_path / "set" / "X.npy", X)
    np.save(tmp_path / "set" / "y.npy", Y)
    assert not is_array_source(tmp_path / "set")
    assert run_command("train", "set", cwd=tmp_path).exit_code == 0
    for path in (tmp_path / "set").rglob("*.npy"):
        path.rename(tmp_path / "set" / "a" / path.name)
    predictions = run_command("predict", "set/a", "--format", "json", cwd=tmp_path).json
    assert len(predictions["predictions"]) == 12


def test_folders_with_other_arrays_are_no_array_source(tmp_path):
    np.save(tmp_path / "images.npy", X)
    np.save(tmp_path / "image_names.npy", np.array(NAMED))
    assert not is_array_source(tmp_path)
