"""`--features FILE.onnx` through the commands."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import threading
from dataclasses import replace

import numpy as np
import pytest
from fault_tools import header_of, with_header
from helpers import PETS, assert_one_error_line, draw_classes
from PIL import Image
from tiny_networks import N_FEATURES, write_function, write_network

from softmaxce import file_rows
from softmaxce.data import decoded_rows, decoding, pixel_cache, preprocessing_choice
from softmaxce.data.decoded_rows import DecodedRows
from softmaxce.data.decoding import decode_files
from softmaxce.data.pixel_cache import PixelCache
from softmaxce.data.pixel_dataset import PixelDataset
from softmaxce.data.read_options import ReadOptions
from softmaxce.errors import DataError, ModelError
from softmaxce.images.decoded import digests_of
from softmaxce.model.model_file import load_model
from softmaxce.networks.features import NetworkFeatures
from softmaxce.networks.graph import NetworkChoice, open_network
from softmaxce.preprocessing import Preprocessing
from softmaxce.workflows.compare import compare
from softmaxce.workflows.evaluate import evaluate
from softmaxce.workflows.features import with_features
from softmaxce.workflows.train import TrainOptions, train

TRAIN = ("train", PETS, "--features", "n.onnx")
CAT = PETS / "test" / "cat" / "cat-001.png"


@pytest.fixture
def network(tmp_path):
    return write_network(tmp_path / "n.onnx")


@pytest.fixture
def decoded(monkeypatch):
    """The names of the files of each call that decodes files, in this process."""
    calls = []

    def decode(paths, *others, **options):
        calls.append([*map(os.path.basename, paths)])
        return decode_files(paths, *others, **options)

    for module in (preprocessing_choice, decoded_rows):
        monkeypatch.setattr(module, "decode_files", decode)
    return calls


def test_every_command_uses_the_features(softmaxce, network):
    trained = softmaxce(*TRAIN, "-o", "m.npz", "--format", "json").json
    assert trained["features"]["kind"] == "network"
    assert trained["features"]["n_features"] == N_FEATURES
    assert (trained["image"]["height"], trained["image"]["channels"]) == (8, 3)
    evaluated = softmaxce("evaluate", PETS / "test", "-m", "m.npz", "--format", "json").json
    assert evaluated["accuracy"] == trained["test"]["accuracy"]
    assert evaluated["cross_entropy"] == trained["test"]["cross_entropy"]
    many = softmaxce("predict", CAT.parent, "-m", "m.npz", "--format", "jsonl").stdout
    first = json.loads(many.splitlines()[0])
    for image, stdin in ((CAT, b""), ("-", CAT.read_bytes())):
        alone = softmaxce("predict", image, "-m", "m.npz", "--format", "jsonl", stdin=stdin)
        assert json.loads(alone.stdout)["probabilities"] == first["probabilities"]
    softmaxce("train", PETS, "-o", "p.npz", "-q")
    compared = softmaxce("compare", "m.npz", "p.npz", PETS / "test", "--format", "json")
    assert compared.exit_code == 0, compared.stderr
    info = softmaxce("info", "m.npz")
    assert f"Features: {N_FEATURES} of a pretrained network" in re.sub(r"\s+", " ", info.stdout)


def test_explain_shows_what_features_add_and_where_exactness_ends(softmaxce, network):
    softmaxce(*TRAIN, "-o", "m.npz", "-q")
    text = re.sub(r"\s+", " ", softmaxce("explain", CAT, "-m", "m.npz").stdout)
    assert "how the network computes them is not explained" in text
    steps = softmaxce("explain", CAT, "-m", "m.npz", "--format", "json").json["steps"]
    numbers = steps[0]["numbers"]
    assert len(numbers["contributions"]) == N_FEATURES
    total = sum(numbers["contributions"]) + numbers["winner_bias"]
    assert total == pytest.approx(numbers["winner_logit"], abs=1e-9)
    assert softmaxce("explain", CAT, "-m", "m.npz", "-o", "lesson.html").exit_code == 0
    page = softmaxce("explain", "-m", "m.npz", "--format", "html")
    assert_one_error_line(page, 2, "cannot run a pretrained network")
    saved = softmaxce("explain", CAT, "-m", "m.npz", "--save-images", "images")
    assert_one_error_line(saved, 2, "--save-images")


def test_a_report_leaves_the_weights_of_pixels_out(softmaxce, network, tmp_path):
    reported = softmaxce(*TRAIN, "-o", "m.npz", "--report", "r.html", "--save-plots", "plots")
    assert reported.exit_code == 0, reported.stderr
    assert "Weights of each class" not in (tmp_path / "r.html").read_text("utf-8")
    assert not [*(tmp_path / "plots").glob("weights-*")]


def test_the_same_bytes_with_any_number_of_processes_and_from_the_cache(
    softmaxce, network, tmp_path
):
    softmaxce(*TRAIN, "-o", "a.npz", "--jobs", "1", "--no-cache", "-q")
    first = (tmp_path / "a.npz").read_bytes()
    for jobs in ("1", "2"):
        words = ("--jobs", jobs, "--cache", "cache", "-o", f"{jobs}.npz", "-q")
        assert softmaxce(*TRAIN, *words).exit_code == 0
        assert (tmp_path / f"{jobs}.npz").read_bytes() == first
    listed = softmaxce("cache", "info", "--cache", "cache").stdout
    assert listed.count("n.onnx") == 2  # the training and the test folder
    again = softmaxce(*TRAIN, "--cache", "cache", "-o", "1.npz", "--resume")
    assert "nothing left to do" in again.stdout.lower()
    other = softmaxce(*TRAIN, "--cache", "cache", "-o", "b.npz", "--onnx-mean", "0.1", "-q")
    assert other.exit_code == 0
    assert load_model(tmp_path / "b.npz").network.mean == (0.1, 0.1, 0.1)
    assert (tmp_path / "b.npz").read_bytes() != first


def test_the_cache_keeps_features_instead_of_pixels(softmaxce, network, tmp_path, decoded):
    words = (*TRAIN, "--cache", "cache")
    reports = []
    for name in ("a", "b"):
        trained = softmaxce(*words, "-o", f"{name}.npz", "--report", f"{name}.html", "-q")
        assert trained.exit_code == 0, trained.stderr
        html = (tmp_path / f"{name}.html").read_text("utf-8")
        reports.append(re.findall(r"data:image/[^\"]*", html))
    assert reports[0]
    assert reports[0] == reports[1]  # the second run decodes the pictures that it shows
    kept = {(e.n_bytes - 4096) / e.n_images for e in PixelCache(tmp_path / "cache").entries()}
    assert kept == {25, 25 + 4 * N_FEATURES}  # bytes of an image, none of them pixels
    choice, cache = NetworkChoice(str(network)), PixelCache(tmp_path / "cache")
    train(PETS, tmp_path / "c.npz", TrainOptions(network=choice), ReadOptions(cache=cache))
    assert not decoded
    assert (tmp_path / "c.npz").read_bytes() == (tmp_path / "a.npz").read_bytes()
    other = (*words, "--onnx-mean", "0.1", "-q")  # other features of the same images
    assert softmaxce(*other, "-o", "d.npz").exit_code == 0
    assert softmaxce(*other, "-o", "e.npz", "--no-cache").exit_code == 0
    assert (tmp_path / "d.npz").read_bytes() == (tmp_path / "e.npz").read_bytes()


def test_unreadable_images_leave_the_features_of_the_others_in_the_cache(
    network, tmp_path, monkeypatch, decoded
):
    shutil.copytree(PETS / "train", tmp_path / "pets")
    for path in ("cat/a.jpg", "dog/z.png"):
        (tmp_path / "pets" / path).write_bytes(b"no picture")
    monkeypatch.setattr(pixel_cache, "_SETTLED_NS", 0)
    choice, cache = NetworkChoice(str(network)), PixelCache(tmp_path / "cache")

    def trained(cache, choice=choice):
        read = ReadOptions(skip_bad=True, cache=cache)
        train(tmp_path / "pets", tmp_path / "m.npz", TrainOptions(network=choice), read)
        return (tmp_path / "m.npz").read_bytes()

    first = trained(None)
    assert trained(cache) == first
    decoded.clear()
    assert trained(cache) == first
    assert decoded == [["a.jpg", "z.png"]]  # which may be readable by now
    other = replace(choice, mean=(0.1,))  # other features of the same images
    assert trained(cache, other) == trained(None, other) != first


def test_after_an_unreadable_image_the_network_stops_unless_it_is_skipped(
    network, tmp_path, monkeypatch
):
    opened = open_network(NetworkChoice(str(network)))
    paths = [*map(str, sorted(PETS.glob("train/*/*.png"))[:60])]
    expected = decode_files(paths, Preprocessing(8, 8, 3), network=opened, jobs=1).features
    monkeypatch.setattr(decoding, "_TASKS_AHEAD", 2)
    paths[20] = str(tmp_path / "none.png")
    calls, run = [], NetworkFeatures.of_batch
    monkeypatch.setattr(
        NetworkFeatures, "of_batch", lambda *given: (calls.append(1), run(*given))[1]
    )
    for skip_bad, n_calls in ((True, 60), (False, 24)):
        calls.clear()
        how = {"network": opened, "jobs": 1, "skip_bad": skip_bad}
        decoded = decode_files(paths, Preprocessing(8, 8, 3), **how)
        assert [*decoded.failures] == [20]
        assert decoded.digests.any(axis=1).all()
        assert len(calls) == n_calls
        good = np.setdiff1d(np.arange(60 if skip_bad else 20), [20])
        np.testing.assert_array_equal(decoded.features[good], expected[good])


def test_an_interrupted_run_ends_after_the_image_that_a_thread_is_working_on(network, monkeypatch):
    opened = open_network(NetworkChoice(str(network)))
    paths = [*map(str, sorted(PETS.glob("train/*/*.png"))[:60])]
    calls, run = [], NetworkFeatures.of_batch
    is_working, may_go_on = threading.Event(), threading.Event()

    def of_batch(*given):
        if threading.current_thread() is threading.main_thread():
            is_working.wait(30)
            threading.Timer(0.2, may_go_on.set).start()
            raise KeyboardInterrupt
        calls.append(1)
        is_working.set()
        may_go_on.wait(30)
        return run(*given)

    monkeypatch.setattr(NetworkFeatures, "of_batch", of_batch)
    with pytest.raises(KeyboardInterrupt):
        decode_files(paths, Preprocessing(8, 8, 3), network=opened, jobs=2)
    assert len(calls) == 1  # of the four images of the thread's task


def test_an_image_whose_features_are_not_finite_is_named(softmaxce, tmp_path):
    write_function(tmp_path / "log.onnx", {"a": ["n", 3, 8, 8]}, "Log")
    plain = ("--onnx-mean", "0", "--onnx-std", "1", "-q")
    draw_classes(tmp_path / "set", {"a": 20, "b": 20})
    for path in (tmp_path / "set").rglob("*.png"):
        Image.new("RGB", (8, 8), (9, 9, 99)).save(path)
    assert softmaxce("train", "set", "--features", "log.onnx", *plain).exit_code == 0
    Image.new("RGB", (8, 8), (9, 9, 0)).save(tmp_path / "set" / "b" / "003.png")
    for command in (("train", "set", "--features", "log.onnx", *plain), ("predict", "set")):
        done = softmaxce(*command)
        assert_one_error_line(done, 1, "log.onnx: the features of ", "003.png are NaN, infinite")


def test_rows_that_are_decoded_again(tmp_path):
    def draw(name, value):
        Image.new("L", (2, 2), value).save(tmp_path / f"{name}.png")

    draw("a", 10), draw("b", 20), draw("c", 30)
    paths = [str(tmp_path / f"{name}.png") for name in "abc"]
    digests = digests_of(np.repeat(np.uint8([10, 20, 30]), 2).reshape(3, 2))
    rows = DecodedRows(paths, Preprocessing(1, 2, 1), digests)
    assert rows[0].tolist() == [10, 10]
    assert rows[1:].tolist() == [[20, 20], [30, 30]]
    assert rows[np.array([2, 0])].tolist() == [[30, 30], [10, 10]]
    assert rows[np.array([2, 0]), :1].tolist() == [[30], [10]]
    assert rows[3:].shape == (0, 2)
    draw("b", 21)  # a good image, but another one
    with pytest.raises(DataError, match=r"an image has changed: .*b\.png; run the command again"):
        rows[:2]
    (tmp_path / "b.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"cannot decode an image again: .*b\.png: .*; run the"):
        rows[:2]


def test_evaluate_and_compare_keep_no_pixels_of_a_network(softmaxce, network, tmp_path, decoded):
    softmaxce(*TRAIN, "-o", "m.npz", "-q")
    softmaxce("train", PETS, "-o", "p.npz", "--size", "8", "--color", "rgb", "-q")
    test, cache = PETS / "test", PixelCache(tmp_path / "cache")
    read, models = ReadOptions(cache=cache), [str(tmp_path / f"{name}.npz") for name in "mp"]

    def scored():
        compared = compare(test, *models, read)
        all_scored = evaluate(test, models[0], read).scored, compared.a, compared.b
        return [s.scores.cross_entropy for s in all_scored]

    first = scored()
    assert first[0] == first[1] != first[2]
    kept = {(e.n_bytes - 4096) / e.n_images for e in cache.entries()}
    assert kept == {25, 25 + 4 * N_FEATURES, 25 + 8 * 8 * 3}  # the last: for the model of pixels
    assert decoded
    decoded.clear()
    assert scored() == first
    assert not decoded


def test_a_disk_that_becomes_full_costs_only_the_cache(network, tmp_path, monkeypatch):
    def fail(*_args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    pixels = np.random.default_rng(0).integers(0, 256, (5, 192)).astype(np.uint8)
    digests = np.zeros((5, 2), np.uint64)
    paths, form = tuple("abcde"), Preprocessing(8, 8, 3)
    images = PixelDataset(pixels, np.zeros(5, np.int64), ("x", "y"), paths, digests, form)
    opened, notes = open_network(NetworkChoice(str(network))), []
    cache = PixelCache(tmp_path / "cache", on_note=notes.append)
    monkeypatch.setattr(file_rows.RowWriter, "store", fail)
    found = with_features(images, opened, lambda *_: None, cache)
    np.testing.assert_array_equal(found.features, opened.of(pixels))
    assert os.listdir(tmp_path / "cache") == []
    (note,) = notes
    assert f"cache: {os.strerror(errno.ENOSPC)}; decoding without it" in note


def test_folds_and_hidden_layers_use_the_features(softmaxce, network):
    for more in (("--folds", "3"), ("--hidden", "4")):
        done = softmaxce(*TRAIN, *more, "-o", "m.npz", "--format", "json")
        assert done.exit_code == 0, done.stderr
        assert done.json["features"]["kind"] == "network"


def test_the_network_is_found_by_option_variable_or_folder(softmaxce, network, tmp_path):
    softmaxce(*TRAIN, "-o", "m.npz", "-q")
    (tmp_path / "elsewhere").mkdir()
    network.rename(tmp_path / "elsewhere" / "n.onnx")
    words = ("predict", CAT, "-m", "m.npz")
    assert_one_error_line(softmaxce(*words), 1, "m.npz: it needs the network", "--network")
    assert softmaxce(*words, "--network", "elsewhere/n.onnx").exit_code == 0
    variable = {"SOFTMAXCE_NETWORK": "elsewhere/n.onnx"}
    assert softmaxce(*words, env=variable).exit_code == 0
    write_network(tmp_path / "o.onnx", metadata={"mean": "0"})
    other = softmaxce(*words, "--network", "o.onnx")
    assert_one_error_line(other, 1, "cannot use the network: o.onnx", "needs another one")
    trained = softmaxce(*TRAIN[:-1], "elsewhere/n.onnx", "-o", "m.npz")
    assert trained.stdout.rstrip().endswith("-m m.npz --network elsewhere/n.onnx")
    (tmp_path / "elsewhere" / "n.onnx").rename(network)
    trained = softmaxce(*TRAIN[:-1], "./n.onnx", "-o", "m.npz")
    assert trained.stdout.rstrip().endswith("-m m.npz")


@pytest.mark.parametrize(
    ("words", "exit_code", "message"),
    [
        (("--features", "none.onnx"), 1, "cannot use the network: none.onnx"),
        (("--features", "text.onnx"), 1, "onnxruntime cannot read it"),
        (("--features", "n.onnx", "--color", "gray"), 2, "leave --color out"),
        (("--features", "n.onnx", "--size", "9"), 1, "leave --size out"),
        (("--features", "n.onnx", "--onnx-std", "0"), 2, "0 must be at least 1e-06"),
        (("--features", "n.onnx", "--onnx-mean", "123.7"), 2, "123.7 must be at most 1"),
        (("--features", "n.onnx", "--onnx-mean", "1,0"), 2, "not one number or three"),
        (("--features", "n.onnx", "--onnx-output", "x"), 1, "it has no output 'x'"),
        (("--features", "n.onnx", "--mirror", "on"), 2, "--mirror needs --features patches"),
        (("--onnx-mean", "0.5"), 2, "--onnx-mean needs --features FILE.onnx"),
        (("--features", "n.pt"), 2, "not a kind of features; use pixels, patches, patches:64 or"),
    ],
)
def test_wrong_options_are_one_line(softmaxce, network, tmp_path, words, exit_code, message):
    (tmp_path / "text.onnx").write_text("hello")
    assert_one_error_line(softmaxce("train", PETS, *words), exit_code, message)


def test_rows_of_features_and_a_network_exclude_each_other(softmaxce, network, tmp_path):
    rows = np.random.default_rng(0).normal(size=(40, N_FEATURES))
    np.savez(tmp_path / "f.npz", features=rows, y=np.arange(40) % 2)
    trained = softmaxce("train", "f.npz", "--features", "n.onnx")
    assert_one_error_line(trained, 2, "f.npz contains 5 features", "--features FILE.onnx")
    softmaxce(*TRAIN, "-o", "m.npz", "-q")
    predicted = softmaxce("predict", "f.npz", "-m", "m.npz")
    assert_one_error_line(predicted, 1, "rows of 5 features, but the training data are images")


FIELDS = {
    "sha256": ["", "x" * 64, None],
    "mean": [[0.5], [0.5, 0.5, 1], "0.5", [0.5, 0.5, float("1e999")]],
    "std": [[0.5, 0.5, 0.0], None],
    "order": ["grb", None],
    "output": [3],
    "n_features": [0, 2.0, True, N_FEATURES + 1],
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_header_with_other_fields_is_refused(softmaxce, network, tmp_path, name):
    softmaxce(*TRAIN, "-o", "m.npz", "-q")
    content = (tmp_path / "m.npz").read_bytes()
    header = header_of(content)
    for value in [*FIELDS[name], "left out"]:
        fields = {**header["network"], name: value}
        if value == "left out":
            del fields[name]
        (tmp_path / "m.npz").write_bytes(with_header(content, {**header, "network": fields}))
        with pytest.raises(ModelError, match=r"m\.npz: "):
            load_model(tmp_path / "m.npz")
