"""Loading: damaged and hostile model files are refused by name, cheaply, whoever signed them."""

from __future__ import annotations

import json
import struct
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from fault_tools import (
    header_of,
    make_model,
    measured,
    members_of,
    npy,
    signed,
    with_header,
    zip_of,
)

from softmaxce.errors import ModelError, OutputError
from softmaxce.layers import Layer
from softmaxce.model.model_file import MAX_HEADER_BYTES, encode_model, load_model, save_model
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.preprocessing import Preprocessing

pytestmark = pytest.mark.slow

GOOD = encode_model(make_model())
PIXELS = np.random.default_rng(0).integers(0, 256, (5, 12), dtype=np.uint8)
LOGITS = make_model().logits(PIXELS)
MEMBERS = members_of(GOOD)
HEADER = header_of(GOOD)
MAX_SECONDS, MAX_MEGABYTES = 1.0, 50.0
SECONDS_OF_NOISE = 1.0  # other processes of the machine


def changed(**fields: Any) -> bytes:
    return with_header(GOOD, {**HEADER, **fields})


def replaced(name: str, array: np.ndarray) -> bytes:
    return signed(zip_of(list({**MEMBERS, f"{name}.npy": npy(array)}.items())))


def layers(*shapes: list[Any]) -> bytes:
    return changed(layers=list(shapes))


def weights_with(value: float) -> np.ndarray:
    weights = make_model().layers[0].weights.copy()
    weights[3, 1] = value
    return weights


def patched(position: int, content: bytes) -> bytes:
    """GOOD with the bytes of its first directory entry from `position` on overwritten."""
    start = GOOD.index(b"PK\x01\x02") + position
    return signed(GOOD[:start] + content + GOOD[start + len(content) :])


def many_members(n_members: int, stated: int) -> bytes:
    content = bytearray(zip_of([(f"m{i}", b"") for i in range(n_members)]))
    start = content.rindex(b"PK\x05\x06")
    content[start + 8 : start + 12] = struct.pack("<HH", stated, stated)
    return signed(bytes(content))


def with_zip64_end() -> bytes:
    """An end record of zip64 before the usual one, promising a directory of 2^40 bytes."""
    start = GOOD.rindex(b"PK\x05\x06")
    record = struct.pack(
        "<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 2**40, 2**40, 2**40, start
    )
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, start, 1)
    content = bytearray(GOOD[:start] + record + locator + GOOD[start:])
    end = content.rindex(b"PK\x05\x06")
    _, _, _, _, _, n_bytes, offset, _ = struct.unpack("<4s4HLLH", content[end : end + 22])
    content[end + 12 : end + 20] = struct.pack("<LL", n_bytes + len(record + locator), offset)
    return signed(bytes(content))


def pickled_weights() -> bytes:
    array = np.array([[{}]], dtype=object)
    return signed(zip_of(list({**MEMBERS, "weights_0.npy": npy(array)}.items())))


def huge_shape(shape: str) -> bytes:
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + text.encode()
    return signed(zip_of(list({**MEMBERS, "weights_0.npy": content}.items())))


def renamed(old: str, new: str) -> bytes:
    members = [(new if name == old else name, content) for name, content in MEMBERS.items()]
    return signed(zip_of(members))


ALL = list(MEMBERS.items())
SIZE = struct.pack("<LL", 2**32 - 2, 2**32 - 2)
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "not a softmaxce model"),
    "text": (lambda: b"hello" * 1000, "not a softmaxce model"),
    "zeros": (lambda: bytes(2**20), "not a softmaxce model"),
    "no checksum": (lambda: zip_of(ALL), "no checksum"),
    "half a checksum": (lambda: GOOD[:-10] + b"g" * 10, "no checksum"),
    "another checksum": (lambda: GOOD[:-1] + b"x"[:0] + b"0123"[GOOD[-1] % 4 :][:1], "check"),
    "a newer version": (lambda: changed(format_version=2), "format_version 2, this .* reads 1"),
    "a version beyond floats": (lambda: changed(format_version=10**400), "damaged|format_version"),
    "a version that is true": (lambda: changed(format_version=True), "format_version"),
    "another format": (lambda: changed(format="x"), "another format"),
    "header: a list": (lambda: with_header(GOOD, []), "another format"),
    "header: no JSON": (lambda: with_header(GOOD, b"{"), "damaged"),
    "header: no UTF-8": (lambda: with_header(GOOD, b"\xff\xfe{}"), "damaged"),
    "header: NaN": (lambda: with_header(GOOD, b'{"format":NaN}'), "number NaN"),
    "header: deep": (lambda: with_header(GOOD, b"[" * 10**6), "nested too deeply"),
    "header: deep objects": (lambda: with_header(GOOD, b'{"a":' * 10**5), "nested too deeply"),
    "header: many lists": (lambda: with_header(GOOD, b"[" + b"[]," * 340_000), "damaged"),
    "header: many objects": (lambda: with_header(GOOD, b"[" + b"[{}]," * 200_000), "damaged"),
    "header: digits": (lambda: with_header(GOOD, b"1" * 10**6), "damaged"),
    "header: too long": (lambda: with_header(GOOD, b" " * (MAX_HEADER_BYTES + 1)), "too long"),
    "header: empty": (lambda: with_header(GOOD, b""), "header"),
    "header: floats": (lambda: replaced("header", np.zeros(3)), "header has another"),
    "class_names: one": (lambda: changed(class_names=["a"]), "class_names has fewer than two"),
    "class_names: twice": (lambda: changed(class_names=["a", "b", "a"]), "class_names.*twice"),
    "class_names: numbers": (lambda: changed(class_names=[1, 2, 3]), "class_names"),
    "class_names: text": (lambda: changed(class_names="abc"), "class_names"),
    "class_names: four": (lambda: changed(class_names=list("abcd")), "do not match class_names"),
    "preprocessing: gone": (lambda: changed(preprocessing=None), "preprocessing"),
    "preprocessing: huge": (
        lambda: changed(preprocessing={"height": 2**40, "width": 1, "channels": 1}),
        "preprocessing",
    ),
    "preprocessing: zero": (
        lambda: changed(preprocessing={"height": 0, "width": 1, "channels": 1}),
        "preprocessing",
    ),
    "preprocessing: path": (
        lambda: changed(preprocessing={**HEADER["preprocessing"], "path": "/etc/passwd"}),
        "preprocessing",
    ),
    "layers: none": (lambda: layers(), "layers"),
    "layers: other": (lambda: layers([12, 4]), "layers"),
    "layers: negative": (lambda: layers([12, -3]), "layers"),
    "layers: floats": (lambda: layers([12.0, 3.0]), "layers"),
    "layers: true": (lambda: layers([12, True]), "layers"),
    "layers: unjoined": (lambda: layers([12, 5], [4, 3]), "layers"),
    "layers: 2^40": (lambda: layers([12, 2**40], [2**40, 3]), "weights_0 has another size"),
    "layers: a million": (lambda: layers(*[[12, 12]] * 10**5, [12, 3]), "weights_0|missing"),
    "temperature: zero": (lambda: changed(temperature=0.0), "temperature"),
    "temperature: huge": (lambda: changed(temperature=1e308), "temperature"),
    "temperature: infinite": (lambda: changed(temperature="inf"), "temperature"),
    "n_held_out: huge": (lambda: changed(n_held_out=2**40), "held_out"),
    "n_held_out: endless": (lambda: changed(n_held_out=10**300), "n_held_out"),
    "n_held_out: none": (lambda: changed(n_held_out=0), "also holds held_out"),
    "n_trained_on: huge": (lambda: changed(n_trained_on=2**40), "trained_on"),
    "n_trained_on: false": (lambda: changed(n_trained_on=False), "n_trained_on"),
    "n_trained_on: none": (lambda: changed(n_trained_on=0), "also holds trained_on"),
    "training: gone": (lambda: changed(training=None), "training"),
    "weights: nan": (lambda: replaced("weights_0", weights_with(np.nan)), "weights_0.*not finite"),
    "weights: inf": (lambda: replaced("weights_0", weights_with(-np.inf)), "weights_0.*not finite"),
    "weights: 1e308": (lambda: replaced("weights_0", weights_with(1e308)), "weights"),
    "biases: nan": (lambda: replaced("biases_0", np.full(3, np.nan)), "biases_0.*not finite"),
    "held_out: falling": (lambda: replaced("held_out", np.arange(9.0)[::-1].copy()), "held_out"),
    "held_out: negative": (lambda: replaced("held_out", np.arange(9.0) - 1), "held_out"),
    "trained_on: falling": (
        lambda: replaced("trained_on", np.arange(5, 0, -1).astype(np.uint64)),
        "trained_on is not ascending",
    ),
    "trained_on: floats": (
        lambda: replaced("trained_on", np.arange(5.0)),
        "trained_on is not a uint64",
    ),
    "weights: float32": (
        lambda: replaced("weights_0", np.zeros((12, 3), np.float32)),
        "weights_0 has another size",
    ),
    "weights: integers": (
        lambda: replaced("weights_0", np.zeros((12, 3), np.int64)),
        "weights_0 is not a float64",
    ),
    "weights: swapped bytes": (
        lambda: replaced("weights_0", np.zeros((12, 3), ">f8")),
        "weights_0 is not a float64",
    ),
    "weights: transposed": (
        lambda: replaced("weights_0", np.zeros((3, 12)).T),
        "weights_0 is not a float64",
    ),
    "weights: objects": (pickled_weights, "weights_0 has another size"),
    "weights: shape of 2^40": (lambda: huge_shape("(1099511627776, 3)"), "weights_0"),
    "weights: nested shape": (lambda: huge_shape("(" * 30 + ")" * 30), "weights_0"),
    "members: header alone": (lambda: signed(zip_of(ALL[:1])), "weights_0 is missing"),
    "members: no header": (lambda: signed(zip_of(ALL[1:])), "no header"),
    "members: none": (lambda: signed(zip_of([])), "no header"),
    "members: one more": (lambda: signed(zip_of([*ALL, ("x", b"")])), "it contains 'x'"),
    "members: paths": (lambda: renamed("weights_0.npy", "../../weights_0.npy"), "holds '../../w"),
    "members: absolute": (lambda: renamed("weights_0.npy", "/weights_0.npy"), "holds '/w"),
    "members: NUL": (
        lambda: signed(zip_of(ALL).replace(b"biases_0.npy", b"biases_0.np\0")),
        r"holds .biases_0.np\\x00",
    ),
    "members: 100,000": (lambda: many_members(10**5, 5), "list of arrays"),
    "members: 65,000": (lambda: many_members(65_000, 65_000), "list of arrays"),
    "members: zip64": (with_zip64_end, "list of arrays"),
    "deflated": (lambda: signed(zip_of(ALL, zipfile.ZIP_DEFLATED)), "compressed"),
    "a deflated bomb": (
        lambda: signed(zip_of([("header.npy", bytes(10**8))], zipfile.ZIP_DEFLATED)),
        "compressed",
    ),
    "an LZMA bomb": (
        lambda: signed(zip_of([("header.npy", bytes(10**7))], zipfile.ZIP_LZMA)),
        "compressed",
    ),
    "a member of 4 GB": (lambda: patched(20, SIZE), "longer than the file"),
    "a member elsewhere": (lambda: patched(42, struct.pack("<L", 10**6)), "longer than the file"),
    "a member in another": (lambda: patched(42, struct.pack("<L", 77)), "damaged"),
    "encrypted": (lambda: patched(8, b"\x01\0"), "encrypted"),
    "patched": (lambda: patched(8, b"\x20\0"), "damaged"),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_duplicate_members(tmp_path):
    path = tmp_path / "model.npz"
    path.write_bytes(signed(zip_of([*ALL, ALL[1]])))
    with pytest.raises(ModelError, match=r"model\.npz: .*it contains weights_0 twice"):
        load_model(path)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_by_name_and_cheaply(tmp_path, name):
    make, fault = HOSTILE[name]
    path = tmp_path / "model.npz"
    path.write_bytes(make())
    with pytest.raises(
        ModelError, match=rf"^cannot use the model: .*model\.npz: .*({fault})"
    ) as raised:
        load_model(path)
    assert len(str(raised.value)) < 400 + len(str(path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking beside NumPy's threads
        outcome = measured(lambda: load_model(path))
    assert outcome.error.startswith("ModelError")
    assert outcome.megabytes < MAX_MEGABYTES
    assert outcome.seconds < MAX_SECONDS + SECONDS_OF_NOISE


def test_a_sparse_file_of_a_terabyte(tmp_path):
    path = tmp_path / "model.npz"
    with open(path, "wb") as stream:
        stream.write(GOOD)
        try:
            stream.truncate(2**40)
        except OSError:
            pytest.skip("the file system takes no file of a terabyte")
    began = time.perf_counter()
    with pytest.raises(ModelError, match="not a softmaxce model"):
        load_model(path)
    assert time.perf_counter() - began < MAX_SECONDS


def test_every_prefix_is_refused(tmp_path):
    path = tmp_path / "model.npz"
    path.write_bytes(GOOD)
    for length in reversed(range(len(GOOD))):
        with open(path, "r+b") as stream:
            stream.truncate(length)
        with pytest.raises(ModelError, match=r"model\.npz: it is "):
            load_model(path)


def mutations(content: bytes, n_mutations: int, seed: int) -> Iterator[bytes]:
    """Seeded damage: bits flipped, bytes set, pieces cut, doubled, moved, zeroed or lost."""
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
    """Whether the file is accepted; then its predictions are finite."""
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


def test_10000_mutations_are_refused_or_harmless(tmp_path):
    path = tmp_path / "model.npz"
    n_accepted = 0
    for damaged in mutations(GOOD, 10_000, seed=1):
        if check_survives(path, damaged):
            n_accepted += 1
            np.testing.assert_array_equal(load_model(path).logits(PIXELS), LOGITS)
    assert n_accepted < 100  # damage that undid itself


def test_mutations_that_are_signed_anew(tmp_path):
    path = tmp_path / "model.npz"
    n_accepted = 0
    for damaged in mutations(GOOD, 5_000, seed=2):
        if b"PK\x05\x06" in damaged:
            n_accepted += check_survives(path, signed(damaged))
    assert n_accepted < 500  # a zip's dates and the like


def test_values_and_headers_changed_by_a_stranger_who_signs(tmp_path):
    """Well-formed zips with true checksums, so that only the checks of the content stand guard."""
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
