"""Damaged and hostile model files: the content of each, and what its error must say.

All but a few carry a valid checksum, which a stranger can compute too, so that the checks of the
content itself have to notice them.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from fault_tools import header_of, make_model, members_of, npy, signed, with_header, zip_of

from softmaxce.model.model_file import MAX_HEADER_BYTES, encode_model

GOOD = encode_model(make_model())
MEMBERS = members_of(GOOD)
HEADER = header_of(GOOD)
END_RECORD = b"PK\x05\x06"
DIRECTORY_ENTRY = b"PK\x01\x02"
GONE = object()  # in place of a field that the header lacks


class Hostile(NamedTuple):
    """A file that is not a usable model: its name in the tests, and the regex of its error."""

    name: str
    error: str
    content: Callable[[], bytes]


def weights_with(value: float) -> np.ndarray:
    """The good model's weights, one of them replaced."""
    weights = make_model().layers[0].weights.copy()
    weights[3, 1] = value
    return weights


# Name, error, content: files without a valid checksum.
UNSIGNED = [
    ("nothing", "not a softmaxce model", b""),
    ("text", "not a softmaxce model", b"hello" * 1000),
    ("zeros", "not a softmaxce model", bytes(2**20)),
    ("no checksum", "no checksum", zip_of([*MEMBERS.items()])),
    ("half a checksum", "no checksum", GOOD[:-10] + b"g" * 10),
    ("another checksum", "check", GOOD[:-1] + (b"1" if GOOD.endswith(b"0") else b"0")),
]

# Name, error, bytes of the header.
HEADERS = [
    ("header: no JSON", "damaged", b"{"),
    ("header: no UTF-8", "damaged", b"\xff\xfe{}"),
    ("header: a list", "another format", b"[]"),
    ("header: NaN", "number NaN", b'{"format":NaN}'),
    ("header: deep", "nested too deeply", b"[" * 10**6),
    ("header: deep objects", "nested too deeply", b'{"a":' * 10**5),
    ("header: many lists", "damaged", b"[" + b"[]," * 340_000),
    ("header: many objects", "damaged", b"[" + b"[{}]," * 200_000),
    ("header: digits", "damaged", b"1" * 10**6),
    ("header: too long", "too long", b" " * (MAX_HEADER_BYTES + 1)),
    ("header: empty", "header", b""),
]

# Name, error, fields of the header that are replaced.
FIELDS: list[tuple[str, str, dict[str, Any]]] = [
    ("a newer version", "format_version 6, but this .* reads up to 5", {"format_version": 6}),
    ("features: none", "n_features", {"format_version": 4}),
    ("features: of images", "the model has features", {"format_version": 4, "n_features": 12}),
    *(
        (f"features: {name}", error, {"format_version": 4, "preprocessing": GONE, **fields})
        for name, error, fields in (
            ("true", "n_features", {"n_features": True}),
            ("zero", "n_features", {"n_features": 0}),
            ("2^40", "layers do not match", {"n_features": 2**40}),
            ("one name", "feature_names", {"n_features": 12, "feature_names": ["a"]}),
            ("a name twice", "feature_names", {"n_features": 12, "feature_names": ["a"] * 12}),
            ("numbers", "feature_names", {"n_features": 12, "feature_names": [*range(12)]}),
            ("text", "feature_names", {"n_features": 12, "feature_names": "abcdefghijkl"}),
        )
    ),
    ("an older version", "made by an older softmaxce; train it again", {"format_version": 2}),
    ("patches: none", "patches is missing", {"format_version": 3}),
    ("a version beyond floats", "damaged|format_version", {"format_version": 10**400}),
    ("a version that is true", "format_version", {"format_version": True}),
    ("another format", "another format", {"format": "x"}),
    ("class_names: one", "class_names has fewer than two", {"class_names": ["a"]}),
    ("class_names: twice", "class_names.*twice", {"class_names": ["a", "b", "a"]}),
    ("class_names: numbers", "class_names", {"class_names": [1, 2, 3]}),
    ("class_names: text", "class_names", {"class_names": "abc"}),
    ("class_names: four", "do not match class_names", {"class_names": ["a", "b", "c", "d"]}),
    ("temperature: zero", "temperature", {"temperature": 0.0}),
    ("temperature: huge", "temperature", {"temperature": 1e308}),
    ("temperature: infinite", "temperature", {"temperature": "inf"}),
    ("n_held_out: huge", "held_out", {"n_held_out": 2**40}),
    ("n_held_out: endless", "n_held_out", {"n_held_out": 10**300}),
    ("n_held_out: none", "also contains held_out", {"n_held_out": 0}),
    ("n_trained_on: huge", "trained_on", {"n_trained_on": 2**40}),
    ("n_trained_on: false", "n_trained_on", {"n_trained_on": False}),
    ("n_trained_on: none", "also contains trained_on", {"n_trained_on": 0}),
    ("training: gone", "training", {"training": None}),
    ("class_choice: a list", "class_choice", {"class_choice": []}),
    ("class_choice: pairs", "class_choice", {"class_choice": {"only": [], "merged": [["a", "b"]]}}),
    ("class_choice: numbers", "class_choice", {"class_choice": {"only": [1], "merged": {}}}),
    ("class_choice: text", "class_choice", {"class_choice": {"only": "ab", "merged": {}}}),
    ("class_choice: lists", "class_choice", {"class_choice": {"only": [], "merged": {"a": ["b"]}}}),
]

# Name, the preprocessing in the header; the error names it.
PREPROCESSINGS = [
    ("preprocessing: gone", None),
    ("preprocessing: huge", {"height": 2**40, "width": 1, "channels": 1}),
    ("preprocessing: zero", {"height": 0, "width": 1, "channels": 1}),
    ("preprocessing: path", {**HEADER["preprocessing"], "path": "/etc/passwd"}),
]

# Name, error, shapes of the layers in the header.
LAYERS: list[tuple[str, str, list[list[Any]]]] = [
    ("layers: none", "layers", []),
    ("layers: other", "layers", [[12, 4]]),
    ("layers: negative", "layers", [[12, -3]]),
    ("layers: floats", "layers", [[12.0, 3.0]]),
    ("layers: true", "layers", [[12, True]]),
    ("layers: unjoined", "layers", [[12, 5], [4, 3]]),
    ("layers: 2^40", "weights_0 does not have the size of its shape", [[12, 2**40], [2**40, 3]]),
    ("layers: a million", "weights_0|missing", [*[[12, 12]] * 10**5, [12, 3]]),
]

FALLING = np.arange(5, 0, -1).astype(np.uint64)

# Name, error, member that is replaced, its array.
ARRAYS = [
    ("header: floats", "header has the wrong", "header", np.zeros(3)),
    ("weights: nan", "weights_0.*not finite", "weights_0", weights_with(np.nan)),
    ("weights: inf", "weights_0.*not finite", "weights_0", weights_with(-np.inf)),
    ("weights: 1e308", "weights", "weights_0", weights_with(1e308)),
    (
        "weights: float32",
        "weights_0 does not have the size of its shape",
        "weights_0",
        np.zeros((12, 3), np.float32),
    ),
    ("weights: integers", "weights_0 is not a float64", "weights_0", np.zeros((12, 3), np.int64)),
    ("weights: swapped bytes", "weights_0 is not a float64", "weights_0", np.zeros((12, 3), ">f8")),
    ("weights: transposed", "weights_0 is not a float64", "weights_0", np.zeros((3, 12)).T),
    (
        "weights: objects",
        "weights_0 does not have the size of its shape",
        "weights_0",
        np.array([[{}]], object),
    ),
    ("biases: nan", "biases_0.*not finite", "biases_0", np.full(3, np.nan)),
    ("held_out: falling", "held_out", "held_out", np.arange(9.0)[::-1].copy()),
    ("held_out: negative", "held_out", "held_out", np.arange(9.0) - 1),
    ("trained_on: falling", "trained_on is not ascending", "trained_on", FALLING),
    ("trained_on: floats", "trained_on is not a uint64", "trained_on", np.arange(5.0)),
]

# Name, the shape that the header of the weights states; the error names the weights.
SHAPES = [
    ("weights: shape of 2^40", "(1099511627776, 3)"),
    ("weights: nested shape", "(" * 30 + ")" * 30),
]

# Name, error, members of the zip file.
ALL = list(MEMBERS.items())
MEMBER_LISTS = [
    ("members: header alone", "weights_0 is missing", ALL[:1]),
    ("members: no header", "no header", ALL[1:]),
    ("members: none", "no header", []),
    ("members: one more", "it contains 'x'", [*ALL, ("x", b"")]),
]

# Name, error, the name that weights_0.npy gets.
MEMBER_NAMES = [
    ("members: paths", "contains '../../w", "../../weights_0.npy"),
    ("members: absolute", "contains '/w", "/weights_0.npy"),
]

# Name, error, position in the zip's first directory entry, the bytes there.
PATCHES = [
    ("a member of 4 GB", "longer than the file", 20, struct.pack("<LL", 2**32 - 2, 2**32 - 2)),
    ("a member elsewhere", "longer than the file", 42, struct.pack("<L", 10**6)),
    ("a member in another", "damaged", 42, struct.pack("<L", 77)),
    ("encrypted", "encrypted", 8, b"\x01\0"),
    ("patched", "damaged", 8, b"\x20\0"),
]

# Name, compression, members of the zip file; all are refused as compressed.
COMPRESSED = [
    ("deflated", zipfile.ZIP_DEFLATED, ALL),
    ("a deflated bomb", zipfile.ZIP_DEFLATED, [("header.npy", bytes(10**8))]),
    ("an LZMA bomb", zipfile.ZIP_LZMA, [("header.npy", bytes(10**7))]),
]


def with_fields(**fields: Any) -> bytes:
    """The good model with other fields in its header."""
    given = {name: value for name, value in {**HEADER, **fields}.items() if value is not GONE}
    return with_header(GOOD, given)


def with_member(name: str, content: bytes) -> bytes:
    """The good model with another content of one member."""
    return signed(zip_of([*{**MEMBERS, f"{name}.npy": content}.items()]))


def with_array(name: str, array: np.ndarray) -> bytes:
    """The good model with another array in one member."""
    return with_member(name, npy(array))


def with_stated_shape(shape: str) -> bytes:
    """The good model, the .npy header of its weights stating another shape."""
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + text.encode()
    return with_member("weights_0", content)


def with_weights_named(name: str) -> bytes:
    """The good model with another name for the member weights_0.npy."""
    return signed(zip_of([(name if n == "weights_0.npy" else n, c) for n, c in ALL]))


def with_nul_in_a_name() -> bytes:
    """The good model, the last letter of biases_0.npy being NUL."""
    return signed(zip_of(ALL).replace(b"biases_0.npy", b"biases_0.np\0"))


def patched(position: int, content: bytes) -> bytes:
    """The good model, some bytes of its first directory entry overwritten."""
    start = GOOD.index(DIRECTORY_ENTRY) + position
    return signed(GOOD[:start] + content + GOOD[start + len(content) :])


def many_members(n_members: int, n_stated: int) -> bytes:
    """A zip of many empty members, whose end record states a number of them."""
    content = bytearray(zip_of([(f"m{i}", b"") for i in range(n_members)]))
    start = content.rindex(END_RECORD)
    content[start + 8 : start + 12] = struct.pack("<HH", n_stated, n_stated)
    return signed(bytes(content))


def with_zip64_end() -> bytes:
    """The good model with an end record of zip64 that promises a directory of 2^40 bytes."""
    start = GOOD.rindex(END_RECORD)
    record = struct.pack(
        "<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 2**40, 2**40, 2**40, start
    )
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, start, 1)
    content = bytearray(GOOD[:start] + record + locator + GOOD[start:])
    end = content.rindex(END_RECORD)
    _, _, _, _, _, n_bytes, offset, _ = struct.unpack("<4s4HLLH", content[end : end + 22])
    content[end + 12 : end + 20] = struct.pack("<LL", n_bytes + len(record + locator), offset)
    return signed(bytes(content))


HOSTILE = [
    *(Hostile(name, error, partial(bytes, content)) for name, error, content in UNSIGNED),
    *(Hostile(name, error, partial(with_header, GOOD, text)) for name, error, text in HEADERS),
    *(Hostile(name, error, partial(with_fields, **fields)) for name, error, fields in FIELDS),
    *(
        Hostile(name, "preprocessing", partial(with_fields, preprocessing=fields))
        for name, fields in PREPROCESSINGS
    ),
    *(Hostile(name, error, partial(with_fields, layers=shapes)) for name, error, shapes in LAYERS),
    *(
        Hostile(name, error, partial(with_array, member, array))
        for name, error, member, array in ARRAYS
    ),
    *(Hostile(name, "weights_0", partial(with_stated_shape, shape)) for name, shape in SHAPES),
    *(
        Hostile(name, error, lambda members=members: signed(zip_of(members)))
        for name, error, members in MEMBER_LISTS
    ),
    *(
        Hostile(name, error, partial(with_weights_named, new_name))
        for name, error, new_name in MEMBER_NAMES
    ),
    Hostile("members: NUL", r"contains .biases_0.np\\x00", with_nul_in_a_name),
    Hostile("members: 100,000", "list of arrays", partial(many_members, 10**5, 5)),
    Hostile("members: 65,000", "list of arrays", partial(many_members, 65_000, 65_000)),
    Hostile("members: zip64", "list of arrays", with_zip64_end),
    *(
        Hostile(name, error, partial(patched, position, content))
        for name, error, position, content in PATCHES
    ),
    *(
        Hostile(name, "compressed", lambda how=how, members=members: signed(zip_of(members, how)))
        for name, how, members in COMPRESSED
    ),
]
