"""Pixel arrays (.npz, .npy, IDX) and CSV manifests: read right, or refused in one line."""

from __future__ import annotations

import gzip
import struct
import zipfile

import numpy as np
import pytest
from helpers import assert_one_error_line, draw_classes, run_command
from PIL import Image

from softmaxce.data.array_files import is_array_source, read_arrays
from softmaxce.data.manifest import read_manifest
from softmaxce.data.pixel_dataset import load_for_training
from softmaxce.data.sources import Split, find_splits
from softmaxce.errors import DataError

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (6, 4, 5), np.uint8)
LABELS = np.array([3, 1, 3, 1, 10, 10])


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def check_dataset(source) -> None:
    dataset = load_for_training(source)
    assert dataset.class_names == ("1", "3", "10")
    np.testing.assert_array_equal(dataset.pixels, IMAGES.reshape(6, -1))
    assert [dataset.class_names[k] for k in dataset.labels] == [str(k) for k in LABELS]
    assert (dataset.preprocessing.height, dataset.preprocessing.width) == (4, 5)
    assert dataset.preprocessing.channels == 1


@pytest.mark.parametrize("names", [("x", "y"), ("images", "labels"), ("x_train", "y_train")])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(tmp_path, names, save):
    save(tmp_path / "a.npz", **dict(zip(names, (IMAGES, LABELS), strict=True)))
    check_dataset(tmp_path / "a.npz")


@pytest.mark.parametrize(("images", "labels"), [("X.npy", "y.npy"), ("images.npy", "labels.npy")])
def test_npy(tmp_path, images, labels):
    np.save(tmp_path / images, IMAGES)
    np.save(tmp_path / labels, LABELS)
    check_dataset(tmp_path / images)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("separator", ["-", "."])
def test_idx(tmp_path, packed, separator):
    ending, write = (".gz", gzip.compress) if packed else ("", bytes)
    images = tmp_path / f"train-images{separator}idx3-ubyte{ending}"
    images.write_bytes(write(idx(IMAGES)))
    labels = tmp_path / f"train-labels{separator}idx1-ubyte{ending}"
    labels.write_bytes(write(idx(LABELS.astype(np.uint8))))
    check_dataset(images)
    check_dataset(find_splits(tmp_path)["train"])


def test_splits_of_an_npz_are_found(tmp_path):
    np.savez(
        tmp_path / "a.npz", x_train=IMAGES, y_train=LABELS, x_test=IMAGES[:2], y_test=LABELS[:2]
    )
    splits = find_splits(tmp_path / "a.npz")
    assert splits == {name: Split(tmp_path / "a.npz", name) for name in ("train", "test")}
    check_dataset(splits["train"])


def test_flat_and_colour_arrays(tmp_path):
    np.savez(tmp_path / "flat.npz", x=IMAGES[:, :, :4].reshape(6, 16), y=LABELS)
    assert read_arrays(tmp_path / "flat.npz", "train").images.shape == (6, 4, 4)
    colour = RANDOM.integers(0, 256, (6, 4, 5, 3), np.uint8)
    np.savez(tmp_path / "colour.npz", x=colour, y=["a", "b"] * 3)
    dataset = load_for_training(tmp_path / "colour.npz")
    np.testing.assert_array_equal(dataset.pixels, colour.reshape(6, -1))
    assert dataset.class_names == ("a", "b")


def test_no_bomb_and_no_pickle_is_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", bytes(50_000_000))
    with pytest.raises(DataError, match="unpacks to too many bytes"):
        read_arrays(tmp_path / "bomb.npz")
    np.savez(tmp_path / "pickle.npz", x=np.array([{}, []], object))
    with pytest.raises(DataError, match="objects"):
        read_arrays(tmp_path / "pickle.npz")
    (tmp_path / "train-images-idx3-ubyte").write_bytes(struct.pack(">4I", 2051, 2**31, 2**31, 9))
    with pytest.raises(DataError, match="names more bytes than the file can hold"):
        read_arrays(tmp_path / "train-images-idx3-ubyte")


@pytest.mark.parametrize("name", ["a.npz", "a.npy", "train-images-idx3-ubyte.gz"])
def test_damaged_files_are_one_error(tmp_path, name):
    path = tmp_path / name
    if name == "a.npz":
        np.savez_compressed(path, x=IMAGES, y=LABELS)
    elif name == "a.npy":
        np.save(path, IMAGES)
    else:
        path.write_bytes(gzip.compress(idx(IMAGES)))
    whole = path.read_bytes()
    random = np.random.default_rng(1)
    for _ in range(300):
        content = bytearray(whole)
        for position in random.integers(0, len(content), 3):
            content[position] = random.integers(256)
        if random.random() < 0.3:
            del content[random.integers(1, len(content)) :]
        path.write_bytes(content)
        try:
            read_arrays(path)
        except DataError as error:
            message = str(error)
            assert message.count(name) >= 1


@pytest.mark.parametrize(
    ("arrays", "fault"),
    [
        ({"x": IMAGES / 255.0, "y": LABELS}, "save them as uint8"),
        ({"x": IMAGES, "y": LABELS[:3]}, "labels have the shape"),
        ({"x": IMAGES, "y": LABELS / 2}, "integers or names"),
        ({"x": IMAGES}, "no labels"),
        ({"a": IMAGES}, "it needs an array named"),
        ({"x": IMAGES[0, 0], "y": LABELS}, "have the shape"),
        ({"x": IMAGES[:1], "y": LABELS[0]}, "labels have the shape"),
        ({"x": IMAGES[:, 0, :0], "y": LABELS}, "have the shape (6, 0)"),
    ],
)
def test_arrays_that_cannot_be_used_say_why(tmp_path, arrays, fault):
    np.savez(tmp_path / "a.npz", **arrays)
    outcome = run_command("train", "a.npz", cwd=tmp_path)
    assert_one_error_line(outcome, 1, "a.npz", fault)


def test_arrays_train_and_evaluate_like_folders(tmp_path):
    draw_classes(tmp_path / "set", {"dark": 30, "light": 30})
    dataset = load_for_training(tmp_path / "set")
    names = [dataset.class_names[k] for k in dataset.labels]
    np.savez(tmp_path / "set.npz", x=dataset.pixels.reshape(-1, 8, 8, 3), y=names)
    for source in ("set", "set.npz"):
        done = run_command("train", source, "-o", f"{source}.model", cwd=tmp_path)
        assert done.exit_code == 0, done.stderr
    assert (tmp_path / "set.model").read_bytes() == (tmp_path / "set.npz.model").read_bytes()
    results = [
        run_command("evaluate", source, "-m", "set.model", "--format", "json", cwd=tmp_path).json
        for source in ("set", "set.npz")
    ]
    assert results[0]["cross_entropy"] == results[1]["cross_entropy"]


def test_folders_and_other_files_are_not_arrays(tmp_path):
    draw_classes(tmp_path / "set", {"a": 1, "b": 1})
    assert not is_array_source(tmp_path / "set")
    assert not is_array_source(tmp_path / "nothing.npz")


def test_a_manifest_names_files_labels_and_splits(tmp_path):
    draw_classes(tmp_path / "set", {"a": 6, "b": 6})
    rows = [f"set/{c}/{i:03}.png,{c},{'test' if i > 3 else ''}" for c in "ab" for i in range(6)]
    (tmp_path / "m.csv").write_text("\ufeffpath,label,split\n" + "\n".join(rows) + "\n", "utf-8")
    parts = read_manifest(tmp_path / "m.csv")
    assert {split: [len(c.paths) for c in classes] for split, classes in parts.items()} == {
        "train": [4, 4],
        "test": [2, 2],
    }
    by_manifest = load_for_training(find_splits(tmp_path / "m.csv")["train"])
    by_folder = load_for_training(tmp_path / "set")
    chosen = [int(path[-7:-4]) <= 3 for path in by_folder.paths]
    np.testing.assert_array_equal(by_manifest.pixels, by_folder.pixels[chosen])
    np.testing.assert_array_equal(by_manifest.labels, by_folder.labels[chosen])
    done = run_command("train", "m.csv", "--format", "json", cwd=tmp_path)
    assert done.json["test"]["n_images"] == 4


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "first line must name the columns"),
        ("a.png,cat\n", "first line must name the columns"),
        ("path,label\n", "it lists no images"),
        ("path,label\na.png\n", "line 2: 1 values for 2 columns"),
        ("path,label\na.png,\n", "line 2: a row needs a path and a label"),
        ("path,label\na.png,x\na.png,y\n", "line 3: 'a.png' is listed twice"),
        ("path,label,split\na.png,x,other\n", "must be train, validation or test, not 'other'"),
        ('path,label\n"a.png,x\n', "bad manifest"),
    ],
)
def test_a_bad_manifest_is_named_by_line(tmp_path, text, fault):
    (tmp_path / "m.csv").write_text(text)
    assert_one_error_line(run_command("train", "m.csv", cwd=tmp_path), 1, "m.csv", fault)


def test_a_manifest_of_missing_files_names_them(tmp_path):
    Image.new("L", (3, 3)).save(tmp_path / "a.png")
    (tmp_path / "m.csv").write_text("path,label\na.png,x\nb.png,y\n")
    assert_one_error_line(run_command("train", "m.csv", cwd=tmp_path), 1, "b.png: no such file")
