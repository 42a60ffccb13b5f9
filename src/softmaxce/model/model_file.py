"""SoftmaxModel <-> .npz, so that the same model gives the same bytes.

The file is an uncompressed zip that `numpy.load` opens as well:

    header.npy      uint8: UTF-8 JSON with the format, its version, the class names, the
                    preprocessing, the layers' shapes, the temperature, the numbers of validation
                    and training images, and a record of the training run
    weights_0.npy   float64 (n_inputs, n_outputs), and so on for each layer
    biases_0.npy    float64 (n_outputs,)
    held_out.npy    float64: order statistics of the validation images' cross-entropies (which
                    ones: conformal.kept_ranks); absent if there were no validation images
    trained_on.npy  uint64, ascending: half the digest of each training image, so that copies can
                    be recognised; absent if the digests are not known

A model of chosen or merged classes has the field "class_choice" in its header: a list "only" of the
classes that are used, and in "merged" the class into which each merged class goes.

A model of features that another program computed has format version 4 and, instead of the
preprocessing, the field "n_features", and "feature_names", a list, if they have names.

A model with patch features has format version 3, the field "patches" in its header, and

    filters.npy     float32 (values of a patch + 1, n_pairs), see patches.py; in version 2, which
                    is refused, they were not multiples of powers of two
    scales.npy      float32 (n_features,)

A model with a pretrained network has format version 5, and in its header the field "network": the
SHA-256 of the network's file, which is not part of the model, and how it is given images.

The zip's comment is "sha256:" and the digest of all bytes before it. SECURITY.md says what a
reader may rely on. Everything that a stranger could have written is checked before it is used,
and sizes before anything of that size is allocated.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import re
import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from os import PathLike
from typing import Any, BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from softmaxce.atomic_files import write_atomically
from softmaxce.bounded_input import open_regular
from softmaxce.class_names import as_utf8
from softmaxce.errors import ModelError, OutputError
from softmaxce.layers import Layer
from softmaxce.metrics.conformal import CalibrationScores
from softmaxce.model.model_header import (
    FORMAT,
    NETWORK_VERSION,
    PATCHES_VERSION,
    RETIRED_VERSION,
    Shape,
    checked_choice,
    checked_form,
    checked_header,
    checked_network,
    checked_patches,
    damaged,
    header_of,
    require,
    shapes_of,
)
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.preprocessing import MAX_FEATURE

ModelSource = SoftmaxModel | str | PathLike[str]
MAX_HEADER_BYTES = 2**20  # parsed JSON needs up to 36 times as much memory
_MAX_MEMBERS = 130
_MAX_LOGIT = 1e30  # larger than any fit gives, small enough that sums of squares are finite
_END_RECORD = struct.Struct("<4s4HLLH")
_END_SIGNATURE = b"PK\x05\x06"
_ZIP64_LOCATOR = (b"PK\x06\x07", 20)  # its signature and its length
_MAX_DIRECTORY_BYTES = _MAX_MEMBERS * 96  # an entry has 46 bytes and a name
_MAX_ENTRY_BYTES = 1024  # of all that a zip stores about a member
_COMMENT = re.compile(rb"sha256:[0-9a-f]{64}")
_COMMENT_LENGTH = 71
_NPY_HEADER_LENGTH = 128
_CHUNK_BYTES = 2**20
_MEMBER = re.compile(r"(header|held_out|trained_on|filters|scales|(?:weights|biases)_\d{1,3})\.npy")
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)  # a zip's earliest: the bytes must not depend on the clock
_UNZIPPING_FAULTS = (
    zipfile.BadZipFile,
    ValueError,
    EOFError,
    RuntimeError,  # an encrypted member
    NotImplementedError,  # a member of another zip version
)

Members = Mapping[str, zipfile.ZipInfo]


def save_model(model: SoftmaxModel, path: str | PathLike[str]) -> None:
    """Write `model` to the file `path`, completely or not at all.

    Raises OutputError, also for a model that `load_model` would reject.
    """
    content = encode_model(model)
    try:
        _read_model(io.BytesIO(content))
    except ModelError as error:
        raise OutputError(f"cannot save the model: {os.fspath(path)}: {error}") from error
    write_atomically(path, [content])


def encode_model(model: SoftmaxModel) -> bytes:
    """The bytes of the model file; equal models give equal bytes. Raises OutputError."""
    arrays: dict[str, NDArray[Any]] = {}
    if model.patches is not None:
        arrays |= {"filters": model.patches.filters, "scales": model.patches.scales}
    for position, layer in enumerate(model.layers):
        arrays[f"weights_{position}"] = layer.weights
        arrays[f"biases_{position}"] = layer.biases
    if model.calibration_scores:
        arrays["held_out"] = model.calibration_scores.values
    if model.trained_on is not None:
        arrays["trained_on"] = model.trained_on
    stream = io.BytesIO()
    try:
        text = json.dumps(header_of(model), sort_keys=True, separators=(",", ":"), allow_nan=False)
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED, allowZip64=False) as archive:
            _add(archive, "header", "|u1", (len(text),), text.encode("ascii"))
            for name, array in arrays.items():
                dtype = _dtype_of(name)
                _add(archive, name, dtype, array.shape, array.astype(dtype).tobytes())
            archive.comment = b"-" * _COMMENT_LENGTH
    except (ValueError, zipfile.LargeZipFile) as error:  # a NaN in the record; more than 2 GiB
        raise OutputError(f"cannot save the model: {error}") from error
    content = stream.getbuffer()[:-_COMMENT_LENGTH]
    return b"".join((content, b"sha256:", hashlib.sha256(content).hexdigest().encode("ascii")))


def _dtype_of(name: str) -> str:
    """The type of an array's values, as a .npy file names it."""
    return {"trained_on": "<u8", "filters": "<f4", "scales": "<f4"}.get(name, "<f8")


def _add(archive: zipfile.ZipFile, name: str, dtype: str, shape: Shape, content: bytes) -> None:
    member = zipfile.ZipInfo(f"{name}.npy", _FIXED_TIME)
    archive.writestr(member, _npy_header(dtype, shape) + content)


def _npy_header(dtype: str, shape: Shape) -> bytes:
    """The header of a .npy file, format 1.0, exactly as NumPy writes it.

    Because every byte of it is known, the reader compares headers instead of parsing them.
    """
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    start = b"\x93NUMPY\x01\x00" + struct.pack("<H", _NPY_HEADER_LENGTH - 10)
    return start + text.encode("ascii").ljust(_NPY_HEADER_LENGTH - 11) + b"\n"


def is_model_file(path: str | PathLike[str]) -> bool:
    """Whether `path` is a readable softmaxce model."""
    try:
        load_model(path)
    except ModelError:
        return False
    return True


def load_model(path: str | PathLike[str]) -> SoftmaxModel:
    """The model in the file `path`. Raises ModelError, which names the file and the fault."""
    with _opened(path) as stream:
        return _read_model(stream)


def opened(model: ModelSource) -> tuple[SoftmaxModel, str]:
    """A model, and the path of its file ("" for a model in memory). Raises ModelError."""
    if isinstance(model, SoftmaxModel):
        return model, ""
    path = os.fspath(model)
    return load_model(path), path


def load_model_file(path: str | PathLike[str]) -> tuple[SoftmaxModel, int, str]:
    """The model in the file `path`, the file's size in bytes and its SHA-256. Raises ModelError."""
    with _opened(path) as stream:
        model = _read_model(stream)
        size = stream.seek(0, os.SEEK_END)
        return model, size, _sha256(stream, size)


@contextmanager
def _opened(path: str | PathLike[str]) -> Iterator[BinaryIO]:
    """The file, opened for reading; errors raised meanwhile get the file's name."""
    try:
        try:
            handle = open_regular(path)
        except (FileNotFoundError, ValueError):  # ValueError: a NUL in the name
            raise ModelError("no such file; train one with 'softmaxce train DIR'") from None
        except OSError:
            if os.path.isdir(path):
                raise ModelError("it is a folder; give a model file") from None
            raise
        with os.fdopen(handle, "rb") as stream:
            yield stream
    except (ModelError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ModelError(f"cannot use the model: {os.fspath(path)}: {reason}") from error


def _read_model(stream: BinaryIO) -> SoftmaxModel:
    size = stream.seek(0, os.SEEK_END)
    _check_directory(stream, size)
    try:
        with zipfile.ZipFile(stream) as archive:
            members = _checked_members(archive, size)
            header = checked_header(_read_header(archive, members))
            # Each layer needs two arrays; a list of the names of a million would fill the memory.
            require(len(header["layers"]) <= len(members), "arrays of its layers are missing")
            shapes = shapes_of(header)
            _check_shapes(members, shapes)
            _check_digest(stream, size)
            arrays = {n: _read_array(archive, members[n], shape) for n, shape in shapes.items()}
    except _UNZIPPING_FAULTS as error:
        raise ModelError(f"it is damaged ({error})") from error
    return _checked_model(header, arrays)


def _check_directory(stream: BinaryIO, size: int) -> None:
    """Check that the zip's directory is short and where we write it: zipfile reads all of it."""
    for comment_length in (_COMMENT_LENGTH, 0):  # 0: a zip from another program
        start = size - _END_RECORD.size - comment_length
        if start < 0:
            continue
        stream.seek(start)
        record = stream.read(_END_RECORD.size)
        signature, *_, n_bytes, offset, stated_length = _END_RECORD.unpack(record)
        if signature == _END_SIGNATURE and stated_length == comment_length:
            break
    else:
        raise ModelError("not a softmaxce model, or its end is missing")
    zip64_signature, zip64_length = _ZIP64_LOCATOR
    stream.seek(max(0, start - zip64_length))
    is_zip64 = stream.read(len(zip64_signature)) == zip64_signature
    if is_zip64 or n_bytes > _MAX_DIRECTORY_BYTES or offset + n_bytes != start:
        raise ModelError("not a softmaxce model: its list of arrays is too long or misplaced")


def _checked_members(archive: zipfile.ZipFile, size: int) -> Members:
    """The zip's members by name without ".npy": uncompressed, within the file, no name twice."""
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        match = _MEMBER.fullmatch(info.orig_filename)
        if match is None:
            raise ModelError(f"not a softmaxce model: it contains {info.orig_filename[:40]!r}")
        name = match[1]
        is_stored = info.compress_type == zipfile.ZIP_STORED and info.flag_bits & 1 == 0
        if not is_stored or info.file_size != info.compress_size:
            raise ModelError(f"not a softmaxce model: {name} is compressed or encrypted")
        require(name not in members, f"it contains {name} twice")
        require(info.header_offset + info.file_size <= size, f"{name} is longer than the file")
        members[name] = info
    n_known = sum(info.file_size + _MAX_ENTRY_BYTES for info in members.values())
    require(size <= n_known + _MAX_ENTRY_BYTES, "it is longer than its arrays")
    return members


def _read_header(archive: zipfile.ZipFile, members: Members) -> dict[str, Any]:
    """The header: JSON of this format and version."""
    if "header" not in members:
        raise ModelError("not a softmaxce model: it has no header")
    n_bytes = members["header"].file_size - _NPY_HEADER_LENGTH
    require(0 < n_bytes <= MAX_HEADER_BYTES, "its header is empty or too long")
    content = archive.read(members["header"])
    start = _npy_header("|u1", (n_bytes,))
    require(content.startswith(start), "its header has the wrong shape or type")
    try:
        header = json.loads(content[len(start) :], parse_constant=_refuse_constant)
    except RecursionError:
        damaged("its header is nested too deeply")
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ModelError("not a softmaxce model: its header names another format")
    version: Any = header.get("format_version")
    require(type(version) is int and 0 < version < 10**6, "format_version is not a version number")
    if version == RETIRED_VERSION:
        raise ModelError("it was made by an older softmaxce; train it again")
    if version > NETWORK_VERSION:
        raise ModelError(
            f"it has format_version {version}, but this softmaxce reads up to {NETWORK_VERSION}; "
            "update softmaxce or train it again"
        )
    return header


def _refuse_constant(word: str) -> NoReturn:
    damaged(f"its header contains the number {word}")


def _check_shapes(members: Members, shapes: Mapping[str, Shape]) -> None:
    """Check that the members are the arrays that the header requires, each of the right size."""
    for name, shape in shapes.items():
        require(name in members, f"{name} is missing")
        n_bytes = _NPY_HEADER_LENGTH + np.dtype(_dtype_of(name)).itemsize * math.prod(shape)
        require(members[name].file_size == n_bytes, f"{name} does not have the size of its shape")
    unknown = members.keys() - shapes.keys() - {"header"}
    require(not unknown, f"it also contains {min(unknown, default='')}")


def _check_digest(stream: BinaryIO, size: int) -> None:
    stream.seek(size - _COMMENT_LENGTH)
    comment = stream.read()
    require(_COMMENT.fullmatch(comment) is not None, "it has no checksum")
    digest = _sha256(stream, size - _COMMENT_LENGTH)
    require(comment == b"sha256:" + digest.encode("ascii"), "its checksum does not match")


def _sha256(stream: BinaryIO, n_bytes: int) -> str:
    """The digest of the first n_bytes, in hexadecimal."""
    digest = hashlib.sha256()
    stream.seek(0)
    while chunk := stream.read(min(n_bytes, _CHUNK_BYTES)):
        digest.update(chunk)
        n_bytes -= len(chunk)
    return digest.hexdigest()


def _read_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, shape: Shape) -> NDArray[Any]:
    """An array, whose size was checked, after checking its header and that it is finite."""
    name = info.filename.removesuffix(".npy")
    dtype = np.dtype(_dtype_of(name))
    content = archive.read(info)
    has_header = content.startswith(_npy_header(dtype.str, shape))
    require(has_header, f"{name} is not a {dtype.name} array of shape {shape}")
    values = np.frombuffer(content, dtype, offset=_NPY_HEADER_LENGTH).reshape(shape)
    require(bool(np.isfinite(values).all()), f"{name} contains numbers that are not finite")
    return values.astype(dtype.newbyteorder("="), copy=False)


def _checked_model(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> SoftmaxModel:
    """The model, after checking that every logit is finite."""
    positions = range(len(header["layers"]))
    layers = tuple(Layer(arrays[f"weights_{i}"], arrays[f"biases_{i}"]) for i in positions)
    form = checked_form(header)
    # Bound on the pixel values or features, then on each layer's outputs.
    largest = 1.0 if header["format_version"] <= PATCHES_VERSION else MAX_FEATURE
    for layer in layers:
        largest *= len(layer.weights) * max(-float(layer.weights.min()), float(layer.weights.max()))
        largest += max(-float(layer.biases.min()), float(layer.biases.max()))
    temperature: float = header["temperature"]
    require(largest < _MAX_LOGIT, "weights: so large that logits overflow")
    require(largest * temperature < _MAX_LOGIT, "temperature: so large that logits overflow")
    scores = None
    if header["n_held_out"]:
        values = arrays["held_out"]
        is_ascending = bool((values >= 0).all() and (np.diff(values) >= 0).all())
        require(is_ascending, "held_out is not an ascending list of cross-entropies")
        scores = CalibrationScores(header["n_held_out"], values)
    trained_on = arrays.get("trained_on")
    if trained_on is not None:
        require(bool((trained_on[1:] >= trained_on[:-1]).all()), "trained_on is not ascending")
    names = tuple(map(as_utf8, header["class_names"]))  # older versions kept the locale's
    names = names if len(set(names)) == len(names) else tuple(header["class_names"])
    training = header["training"]
    patches = checked_patches(header, arrays, form)
    choice = checked_choice(header.get("class_choice"))
    model = SoftmaxModel(layers, form, names, training, temperature, scores, trained_on)
    return replace(model, patches=patches, class_choice=choice, network=checked_network(header))
