"""SoftmaxModel <-> .npz, so that the same model gives the same bytes.

The file is an uncompressed zip that `numpy.load` opens as well:

    header.npy      uint8: UTF-8 JSON of the format, its version, class names, preprocessing,
                    the layers' shapes, the temperature, the number of held-out images and
                    the facts of the training run
    weights_0.npy   float64 (n_inputs, n_outputs), and so on for each layer
    biases_0.npy    float64 (n_outputs,)
    held_out.npy    float64: order statistics of the held-out images' cross-entropies
                    (conformal.kept_ranks says which); absent where no image was held out

The zip's comment is "sha256:" and the digest of all bytes before it.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import zipfile
from dataclasses import asdict
from itertools import pairwise
from os import PathLike
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from softmaxce.conformal import HeldOutScores, kept_ranks
from softmaxce.errors import ModelError
from softmaxce.images import Preprocessing
from softmaxce.model import Layer, SoftmaxModel
from softmaxce.safe_files import write_atomically

FORMAT = "softmaxce model"
FORMAT_VERSION = 1
_COMMENT_PREFIX = b"sha256:"
_COMMENT_LENGTH = len(_COMMENT_PREFIX) + 64
_END_RECORD_LENGTH = 22  # of a zip's end record without its comment
_MAX_MEMBERS = 130
_MAX_HEADER_BYTES = 16 * 2**20
_MAX_VALUES = 2**40
_UNZIPPING_FAULTS = (
    zipfile.BadZipFile,
    ValueError,
    OSError,
    EOFError,
    RuntimeError,  # an encrypted member
    NotImplementedError,  # a member of another zip version
)
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)  # a zip member's earliest; the clock must not enter the bytes


def save_model(model: SoftmaxModel, path: str | PathLike[str]) -> None:
    """Write `model` to the file `path`, all of it or nothing. Raises OutputError."""
    write_atomically(path, [encode_model(model)])


def encode_model(model: SoftmaxModel) -> bytes:
    """The bytes of the model file; equal models give equal bytes."""
    header = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "class_names": list(model.class_names),
        "preprocessing": asdict(model.preprocessing),
        "layers": [list(layer.weights.shape) for layer in model.layers],
        "temperature": model.temperature,
        "n_held_out": model.held_out.n_images if model.held_out else 0,
        "training": dict(model.training),
    }
    text = json.dumps(header, sort_keys=True, separators=(",", ":"), allow_nan=False)
    members: dict[str, NDArray[Any]] = {"header": np.frombuffer(text.encode("ascii"), np.uint8)}
    for position, layer in enumerate(model.layers):
        members[f"weights_{position}"] = layer.weights
        members[f"biases_{position}"] = layer.biases
    if model.held_out:
        members["held_out"] = model.held_out.values
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, array in members.items():
            member = zipfile.ZipInfo(f"{name}.npy", _FIXED_TIME)
            with archive.open(member, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.ascontiguousarray(array), (1, 0), False)
        archive.comment = b"-" * _COMMENT_LENGTH
    content = stream.getbuffer()[:-_COMMENT_LENGTH]
    digest = hashlib.sha256(content).hexdigest().encode("ascii")
    return b"".join((content, _COMMENT_PREFIX, digest))


def is_model_file(path: str | PathLike[str]) -> bool:
    """Whether `path` is a readable softmaxce model."""
    try:
        load_model(path)
    except ModelError:
        return False
    return True


def load_model(path: str | PathLike[str]) -> SoftmaxModel:
    """The model in the file `path`. Raises ModelError, which names the file and the fault.

    Sizes are checked against the file's before anything is allocated, and the checksum before
    anything is believed; nothing is unpickled.
    """
    try:
        if not os.path.exists(path):
            raise ModelError("no such file; train one with 'softmaxce train FOLDER'")
        if not os.path.isfile(path):
            raise ModelError("it is no regular file")
        with open(path, "rb") as stream:
            return _read_model(stream)
    except (ModelError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ModelError(f"cannot use the model: {os.fspath(path)}: {reason}") from error


def _read_model(stream: BinaryIO) -> SoftmaxModel:
    _check_end(stream)
    _check_digest(stream)
    try:
        with zipfile.ZipFile(stream) as archive:
            members = _checked_members(archive)
            header = _parse_header(archive.read(members["header"]))
            layers = tuple(
                Layer(
                    _read_array(archive, members, f"weights_{i}", (n_inputs, n_outputs)),
                    _read_array(archive, members, f"biases_{i}", (n_outputs,)),
                )
                for i, (n_inputs, n_outputs) in enumerate(header["layers"])
            )
            held_out = _read_held_out(archive, members, header["n_held_out"])
            if len(members) != 1 + 2 * len(layers) + (held_out is not None):
                raise ModelError("it holds more arrays than its header names")
    except ModelError:
        raise
    except _UNZIPPING_FAULTS as error:
        raise ModelError(f"it is damaged ({error})") from error
    return SoftmaxModel(
        layers,
        Preprocessing(**header["preprocessing"]),
        tuple(header["class_names"]),
        header["training"],
        header["temperature"],
        held_out,
    )


def _check_end(stream: BinaryIO) -> None:
    """The end record with our comment, so that a foreign or truncated file is known at once."""
    size = stream.seek(0, os.SEEK_END)
    end_length = _END_RECORD_LENGTH + _COMMENT_LENGTH
    stream.seek(max(0, size - end_length))
    end = stream.read(end_length)
    n_members = int.from_bytes(end[10:12], "little")
    if (
        len(end) < end_length
        or not end.startswith(b"PK\x05\x06")
        or not end[_END_RECORD_LENGTH:].startswith(_COMMENT_PREFIX)
    ):
        raise ModelError("it is no softmaxce model, or its end is missing")
    if not 3 <= n_members <= _MAX_MEMBERS:
        raise ModelError(f"it holds {n_members} arrays, more than a model has")


def _check_digest(stream: BinaryIO) -> None:
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    digest = hashlib.sha256()
    remaining = size - _COMMENT_LENGTH
    while remaining:
        chunk = stream.read(min(remaining, 2**20))
        digest.update(chunk)
        remaining -= len(chunk)
    stored = stream.read(_COMMENT_LENGTH)
    if stored != _COMMENT_PREFIX + digest.hexdigest().encode("ascii"):
        raise ModelError("it is damaged: its checksum does not match; train it again")


def _checked_members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The zip's members by name without ".npy": stored uncompressed, no name twice."""
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = info.filename.removesuffix(".npy")
        if name in members:
            raise ModelError(f"it is damaged: {name} stands in it twice")
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise ModelError(f"it is no softmaxce model: {name} is compressed")
        members[name] = info
    if "header" not in members:
        raise ModelError("it is no softmaxce model: it has no header")
    if members["header"].file_size > _MAX_HEADER_BYTES:
        raise ModelError("it is damaged: its header is too long")
    return members


def _parse_header(content: bytes) -> dict[str, Any]:
    text = _array_of(content, np.dtype(np.uint8), None).tobytes()
    try:
        header = json.loads(text)
    except RecursionError:
        raise ModelError("it is damaged: its header is nested too deeply") from None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ModelError("it is no softmaxce model: its header names another format")
    if header.get("format_version") != FORMAT_VERSION:
        version = header.get("format_version")
        raise ModelError(
            f"it has format version {version!r}, this softmaxce reads {FORMAT_VERSION}; "
            "update softmaxce or train it again"
        )
    _check_header(header)
    return header


def _check_header(header: dict[str, Any]) -> None:
    names: Any = header.get("class_names")
    layers: Any = header.get("layers")
    form: Any = header.get("preprocessing")
    if not _is_list_of(names, str) or len(names) < 2 or len(set(names)) != len(names):
        raise ModelError("it is damaged: class_names is no list of two or more different names")
    if not isinstance(header.get("training"), dict):
        raise ModelError("it is damaged: training is missing")
    if not isinstance(form, dict) or form.keys() != Preprocessing.__dataclass_fields__.keys():
        raise ModelError("it is damaged: preprocessing has other fields than expected")
    reason = Preprocessing(**form).fault()
    if reason:
        raise ModelError(f"it is damaged: preprocessing: {reason}")
    _check_calibration(header)
    shapes_fit = (
        isinstance(layers, list)
        and 0 < len(layers) <= _MAX_MEMBERS // 2
        and all(_is_list_of(shape, int) and len(shape) == 2 for shape in layers)
        and all(n > 0 for shape in layers for n in shape)
        and all(n * m <= _MAX_VALUES for n, m in layers)
        and all(a[1] == b[0] for a, b in pairwise(layers))
        and layers[0][0] == Preprocessing(**form).n_pixels
        and layers[-1][1] == len(names)
    )
    if not shapes_fit:
        raise ModelError("it is damaged: layers, preprocessing and class_names disagree")


def _check_calibration(header: dict[str, Any]) -> None:
    temperature, n_held_out = header.get("temperature"), header.get("n_held_out")
    if type(temperature) is not float or not 0 < temperature < math.inf:
        raise ModelError("it is damaged: temperature is no positive number")
    if type(n_held_out) is not int or not 0 <= n_held_out <= _MAX_VALUES:
        raise ModelError("it is damaged: n_held_out is no count")


def _is_list_of(value: Any, kind: type) -> bool:
    return isinstance(value, list) and all(type(item) is kind for item in value)


def _read_held_out(
    archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], n_images: int
) -> HeldOutScores | None:
    if not n_images:
        return None
    shape = (len(kept_ranks(n_images)),)
    values = _read_array(archive, members, "held_out", shape)
    if (values < 0).any() or (np.diff(values) < 0).any():
        raise ModelError("it is damaged: held_out is no ascending row of cross-entropies")
    return HeldOutScores(n_images, values)


def _read_array(
    archive: zipfile.ZipFile,
    members: dict[str, zipfile.ZipInfo],
    name: str,
    shape: tuple[int, ...],
) -> NDArray[np.float64]:
    if name not in members:
        raise ModelError(f"it is damaged: {name} is missing")
    n_bytes = 8 * int(np.prod(shape, dtype=object))
    if not n_bytes < members[name].file_size < n_bytes + 4096:
        raise ModelError(f"it is damaged: {name} has another size than its header says")
    array = _array_of(archive.read(members[name]), np.dtype("<f8"), shape)
    if not np.isfinite(array).all():
        raise ModelError(f"it is damaged: {name} holds numbers that are not finite")
    return array.astype(np.float64)


def _array_of(content: bytes, dtype: np.dtype[Any], shape: tuple[int, ...] | None) -> NDArray[Any]:
    """The array in the .npy bytes `content`, which must be of this dtype and, if given, shape."""
    stream = io.BytesIO(content)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ModelError("it is damaged: an array has an unknown version")
    stored_shape, fortran_order, stored_dtype = np.lib.format.read_array_header_1_0(stream)
    n_bytes = len(content) - stream.tell()
    if stored_dtype != dtype or fortran_order or (shape is not None and stored_shape != shape):
        raise ModelError("it is damaged: an array has another shape or type than its header says")
    if int(np.prod(stored_shape, dtype=object)) * dtype.itemsize != n_bytes:
        raise ModelError("it is damaged: an array is shorter or longer than its shape says")
    return np.frombuffer(content, dtype, offset=stream.tell()).reshape(stored_shape)
