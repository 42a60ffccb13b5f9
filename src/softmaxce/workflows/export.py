"""A model file → an ONNX file or a C header."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from softmaxce import __version__
from softmaxce.atomic_files import write_atomically
from softmaxce.errors import InputError, ModelError, OutputError
from softmaxce.model.model_file import load_model_file
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.preprocessing import FeatureVectors
from softmaxce.workflows.outputs import Kind, check_files

KINDS: dict[str, Kind] = {
    ".onnx": (rb"\x08[\x01-\x20]\x12\x09softmaxce", "an exported model", ".onnx"),
    ".h": (rb"/\* softmaxce model", "an exported model", ".h"),
}


@dataclass(frozen=True)
class ExportResult:
    """What was written: the file, its size in bytes and its SHA-256. An ONNX file was compared with
    the model on so many pictures; largest_difference: of a probability."""

    model: str
    output: str
    n_bytes: int
    sha256: str
    n_compared: int
    largest_difference: float | None


def formats_of(model: SoftmaxModel) -> tuple[str, ...]:
    """The suffixes of the files as which this model can be exported; none if its features are
    computed elsewhere."""
    if isinstance(model.preprocessing, FeatureVectors) or model.network is not None:
        return ()
    return (".onnx",) if model.patches else (".onnx", ".h")


def export(
    model_path: str, output: str, *, takes_pixels: bool = False, is_int8: bool = False
) -> ExportResult:
    """Write the model as a file of the kind that the suffix of `output` names.

    takes_pixels: an ONNX file for pixel vectors instead of pictures of any size; is_int8: a C
    header with weights of 8 bits. Raises InputError for another suffix, for an option of the other
    format, or if a package is missing; ModelError; OutputError, also if the ONNX file does not
    compute what the model does.
    """
    suffix = Path(output).suffix.lower()
    if suffix not in KINDS:
        raise InputError(f"-o needs a file name that ends in .onnx or .h: {output}")
    if is_int8 and suffix != ".h":
        raise InputError(f"--int8 applies only to a .h file: {output}")
    if takes_pixels and suffix != ".onnx":
        raise InputError(f"--input applies only to an .onnx file: {output}")
    check_files([(output, KINDS[suffix])], [model_path])
    model, _, sha256 = load_model_file(model_path)
    if not formats_of(model):
        raise ModelError(
            f"cannot export: {model_path}: its features are computed by a network or a program "
            "that is not part of it"
        )
    if suffix not in formats_of(model):
        raise ModelError(
            f"cannot export: {model_path}: a C header cannot compute patch features; "
            "write an .onnx file"
        )
    metadata = {"softmaxce_version": __version__, "model_sha256": sha256}
    n_compared, difference = 0, None
    if suffix == ".onnx":
        content, difference, n_compared = _onnx(model, metadata, model_path, takes_pixels)
    else:
        from softmaxce.export.c_header import header_chunks

        content = b"".join(header_chunks(model, metadata, is_int8=is_int8))
    write_atomically(output, [content])
    digest = hashlib.sha256(content).hexdigest()
    return ExportResult(model_path, output, len(content), digest, n_compared, difference)


def _onnx(
    model: SoftmaxModel, metadata: dict[str, str], model_path: str, takes_pixels: bool
) -> tuple[bytes, float, int]:
    """The ONNX file, and how it compares with the model."""
    try:
        from softmaxce.export.agreement import largest_difference
        from softmaxce.export.onnx_model import onnx_bytes
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("onnx", "onnxruntime"):
            raise
        raise InputError(
            "an .onnx file needs onnx and onnxruntime: pip install 'softmaxce[onnx]'"
        ) from None
    try:
        content = onnx_bytes(model, metadata, takes_pixels=takes_pixels)
        return content, *largest_difference(content, model)
    except OutputError as error:
        raise OutputError(f"cannot export: {model_path}: {error}") from error
