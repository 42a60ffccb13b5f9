"""Loading: damaged and hostile model files are refused by name, quickly and in little memory."""

from __future__ import annotations

import json
import struct
import time
import warnings
from collections.abc import Iterator

import numpy as np
import pytest
from fault_tools import make_model, measured, npy, signed, zip_of
from hostile_models import ALL, GOOD, HEADER, HOSTILE, MEMBERS, weights_with

from softmaxce.errors import ModelError, OutputError
from softmaxce.layers import Layer
from softmaxce.model.model_file import MAX_HEADER_BYTES, load_model, save_model
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.preprocessing import Preprocessing

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 12), dtype=np.uint8)
LOGITS = make_model().logits(PIXELS)
MAX_SECONDS, MAX_MEGABYTES = 1.0, 50.0

# These run with the quick tests: at least one of each kind.
QUICK = {
    "text",
    "no checksum",
    "another checksum",
    "a newer version",
    "header: deep",
    "class_names: twice",
    "preprocessing: huge",
    "layers: 2^40",
    "weights: nan",
    "weights: objects",
    "weights: shape of 2^40",
    "members: paths",
    "members: zip64",
    "a member of 4 GB",
    "deflated",
}
slow = pytest.mark.slow
HOSTILE_CASES = [
    pytest.param(model, id=model.name, marks=() if model.name in QUICK else slow)
    for model in HOSTILE
]


@slow
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_duplicate_members(tmp_path):
    path = tmp_path / "model.npz"
    path.write_bytes(signed(zip_of([*ALL, ALL[1]])))
    with pytest.raises(ModelError, match=r"model\.npz: .*it contains weights_0 twice"):
        load_model(path)


def test_the_quick_models_exist():
    assert {model.name for model in HOSTILE} >= QUICK


@pytest.mark.parametrize("hostile", HOSTILE_CASES)
def test_hostile_files_are_refused_by_name_and_cheaply(tmp_path, hostile):
    path = tmp_path / "model.npz"
    path.write_bytes(hostile.content())
    error = rf"^cannot use the model: .*model\.npz: .*({hostile.error})"
    with pytest.raises(ModelError, match=error) as raised:
        load_model(path)
    assert len(str(raised.value)) < 400 + len(str(path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking beside NumPy's threads
        outcome = measured(lambda: load_model(path))
    assert outcome.error.startswith("ModelError")
    assert outcome.megabytes < MAX_MEGABYTES
    assert outcome.seconds < MAX_SECONDS


@slow
def test_a_sparse_file_of_a_terabyte(tmp_path):
    path = tmp_path / "model.npz"
    with open(path, "wb") as stream:
        stream.write(GOOD)
        try:
            stream.truncate(2**40)
        except OSError:
            pytest.skip("the file system takes no file of a terabyte")
    began = time.process_time()
    with pytest.raises(ModelError, match="not a softmaxce model"):
        load_model(path)
    assert time.process_time() - began < MAX_SECONDS


@slow
def test_every_prefix_is_refused(tmp_path):
    path = tmp_path / "model.npz"
    path.write_bytes(GOOD)
    for length in reversed(range(len(GOOD))):
        with open(path, "r+b") as stream:
            stream.truncate(length)
        with pytest.raises(ModelError, match=r"model\.npz: (not a softmaxce model|it is )"):
            load_model(path)


def mutations(content: bytes, n_mutations: int, seed: int) -> Iterator[bytes]:
    """Random damage: bits flipped, bytes set, pieces removed, doubled, copied or zeroed."""
    random = np.random.default_rng(seed)
    for _ in range(n_mutations):
        damaged = bytearray(content)
        for _ in range(random.integers(1, 4)):
            place = int(random.integers(len(damaged)))
            length = int(min(random.integers(1, 64), len(damaged) - place))
            piece = bytes(damaged[place : place + length])
            match random.integers(7):
                case 0:
                    damaged[place] ^= 1 << int(random.integers(8))
                case 1:
                    damaged[place] = int(random.integers(256))
                case 2:
                    del damaged[place : place + length]
                case 3:
                    damaged[place:place] = piece
                case 4:
                    damaged[place : place + length] = bytes(length)
                case 5:
                    other = int(random.integers(len(damaged)))
                    damaged[other : other + length] = piece
                case _:
                    value = int(random.choice([0, 1, 2**31 - 1, 2**32 - 1, 2**16]))
                    damaged[place : place + 4] = struct.pack("<L", value)
        yield bytes(damaged)


def check_survives(path, content: bytes) -> bool:
    """Whether the file is accepted; if it is, its predictions must be finite."""
    path.unlink(missing_ok=True)  # ext4 writes a file that is truncated to the disk at once
    path.write_bytes(content)
    try:
        model = load_model(path)
    except ModelError as error:
        fault = str(error)
        model = None
    if model is None:
        assert fault.isprintable()
        return False
    with np.errstate(all="raise", under="ignore"):
        logits = model.logits(np.full((2, model.n_pixels), 255, np.uint8))
    assert np.isfinite(logits).all()
    assert logits.shape == (2, len(model.class_names))
    return True


@slow
def test_10000_mutations_are_refused_or_harmless(tmp_path):
    path = tmp_path / "model.npz"
    n_accepted = 0
    for damaged in mutations(GOOD, 10_000, seed=1):
        if check_survives(path, damaged):
            n_accepted += 1
            np.testing.assert_array_equal(load_model(path).logits(PIXELS), LOGITS)
    assert n_accepted < 100  # some damage undoes itself


@slow
def test_mutations_that_are_signed_again(tmp_path):
    path = tmp_path / "model.npz"
    n_accepted = 0
    for damaged in mutations(GOOD, 5_000, seed=2):
        if b"PK\x05\x06" in damaged:
            n_accepted += check_survives(path, signed(damaged))
    assert n_accepted < 500  # such as changed dates in the zip


@slow
def test_values_and_headers_changed_by_a_stranger_who_signs(tmp_path):
    """Well-formed zips with valid checksums, so that only the content can be refused."""
    random = np.random.default_rng(3)
    path = tmp_path / "model.npz"
    n_accepted = 0
    weights = npy(make_model().layers[0].weights)
    for _ in range(2_500):
        members = dict(MEMBERS)
        text = bytearray(json.dumps(HEADER).encode())
        for _ in range(random.integers(1, 4)):
            text[random.integers(len(text))] = random.choice(bytearray(b'0123456789.eE-"[]{},: nt'))
        members["header.npy"] = npy(np.frombuffer(bytes(text), np.uint8))
        if random.random() < 0.5:
            damaged = bytearray(weights)
            for _ in range(3):
                damaged[random.integers(128 * (random.random() < 0.7), len(damaged))] = (
                    random.integers(256)
                )
            members["weights_0.npy"] = bytes(damaged)
        n_accepted += check_survives(path, signed(zip_of(list(members.items()))))
    assert 10 < n_accepted < 2_000


@slow
def test_what_is_saved_can_be_loaded(tmp_path):
    good = make_model()
    for layer in (
        Layer(weights_with(np.nan), np.zeros(3)),
        Layer(weights_with(1e300), np.zeros(3)),
        Layer(np.zeros((12, 4)), np.zeros(4)),
    ):
        with pytest.raises(OutputError, match="cannot save the model"):
            save_model(SoftmaxModel((layer,), good.preprocessing, good.class_names), tmp_path / "m")
    for names in (("a" * MAX_HEADER_BYTES, "b", "c"), ("a", "b", "a")):
        with pytest.raises(OutputError, match="cannot save the model"):
            save_model(SoftmaxModel(good.layers, good.preprocessing, names), tmp_path / "m")
    facts = {"objective": float("nan")}
    model = SoftmaxModel(good.layers, good.preprocessing, good.class_names, facts)
    with pytest.raises(OutputError, match="cannot save the model"):
        save_model(model, tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


@slow
def test_a_model_of_many_classes_stays_small_in_memory(tmp_path):
    path = tmp_path / "model.npz"
    layer = Layer(np.zeros((64 * 64, 500)), np.zeros(500))
    names = tuple(f"{i:03}" + "사" * 80 for i in range(500))
    save_model(SoftmaxModel((layer,), Preprocessing(64, 64, 1), names), path)
    content = bytearray(path.read_bytes())
    content[-5000] ^= 1
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        outcome = measured(lambda: load_model(path))
    assert "ModelError" in outcome.error
    assert outcome.megabytes < MAX_MEGABYTES
