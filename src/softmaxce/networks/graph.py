"""Opens the ONNX file of a network: finds its image input and its output, and runs it.

The file is read into memory once, so that the bytes that are hashed are those that run. Weights
outside the file are refused, because the hash would not cover them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmaxce.bounded_input import open_regular, read_at_most
from softmaxce.errors import InputError, ModelError
from softmaxce.networks.features import ORDERS, Floats, NetworkFeatures
from softmaxce.preprocessing import MAX_SIDE

# What torchvision and timm use for nearly all networks; a grey image has the mean of the three.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_MAX_BYTES = 2**31  # a protocol buffer is not longer
_MAX_FEATURES = 2**20
_MAX_REASON = 200  # characters
_EXTERNAL_FOLDER = "session.model_external_initializers_file_folder_path"


@dataclass(frozen=True)
class NetworkChoice:
    """The file, and how images are given to it. None: as its metadata says, or else the default.

    mean and std: one number, or one for each channel; channels: "rgb" or "bgr"; output: the name.
    """

    path: str
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    channels: str | None = None
    output: str | None = None


class OnnxGraph:
    """A network, opened with onnxruntime; see `features.Graph`."""

    def __init__(self, path: str, content: bytes, size: tuple[int, int] | None) -> None:
        """size: (width, height), if the network leaves it open. Raises ModelError."""
        self.path = path
        self._session = _session(path, content)
        self._input, self._is_last, self.n_images, self.shape = self._image_input(size)
        self.metadata: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        self.output = ""

    def _image_input(
        self, size: tuple[int, int] | None
    ) -> tuple[str, bool, int, tuple[int, int, int]]:
        """Name of the input, whether its channels are last, images at once, shape of an image."""
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise self.fault(f"it has {len(inputs)} inputs; only a network of one input works")
        (found,) = inputs
        shape = list(found.shape)
        if found.type != "tensor(float)" or len(shape) != 4 or not {*shape[1::2]} & {1, 3}:
            raise self.fault(
                f"its input is {found.type} {shape}, not float images (n, channels, height, width) "
                "or (n, height, width, channels) with 1 or 3 channels"
            )
        is_last = shape[1] not in (1, 3)
        channels = shape.pop(3 if is_last else 1)
        n_images, *sides = (side if isinstance(side, int) else None for side in shape)
        height, width = (own or given for own, given in zip(sides, _sides(size), strict=True))
        if height is None or width is None:
            raise self.fault("its image size is not fixed; give --size")
        if size is not None and _sides(size) != (height, width):
            raise self.fault(f"its images are {width}x{height}; leave --size out")
        n_images = n_images or 1
        if max(height, width) > MAX_SIDE or n_images * height * width > MAX_SIDE**2:
            raise self.fault(
                f"its input is too large, {n_images} x {width}x{height} pixels; export it for one "
                f"image of at most {MAX_SIDE}x{MAX_SIDE}"
            )
        return found.name, is_last, n_images, (height, width, channels)

    def choose_output(self, name: str | None) -> int:
        """Use the output of this name, or else the last one that is a vector for each image, or
        places that can be averaged to one. Returns the length of the vector."""
        names = [output.name for output in self._session.get_outputs()]
        if name is not None and name not in names:
            raise self.fault(f"it has no output '{name}'; it has {', '.join(names)}")
        names = names if name is None else [name]
        height, width, channels = self.shape
        blank = np.zeros((self.n_images, channels, height, width), np.float32)
        values = self._outputs(names, blank)
        found = zip(names, values, strict=True)
        usable = {v.ndim: (name, v) for name, v in found if self._is_of_images(v)}
        self.output, output = usable.get(2) or usable.get(4) or ("", None)
        if output is None:
            raise self.fault(
                "it has no output of features (n, d), (n, d, height, width) or (n, height, width, "
                "d); export one, or choose an output with --onnx-output"
            )
        n_features = int(self._pooled(output).shape[1])
        if not 1 <= n_features <= _MAX_FEATURES:
            raise self.fault(f"its output has {n_features} features, not 1 to {_MAX_FEATURES}")
        return n_features

    def _is_of_images(self, output: Any) -> bool:
        is_float = isinstance(output, np.ndarray) and output.dtype.kind == "f"
        return is_float and output.ndim > 0 and len(output) == self.n_images

    def run(self, values: Floats) -> Floats:
        """The features (n_images, n_features) of (n_images, channels, height, width)."""
        return self._pooled(*self._outputs([self.output], values))

    def _outputs(self, names: Sequence[str], values: Floats) -> list[Any]:
        given = values.transpose(0, 2, 3, 1) if self._is_last else values
        try:
            found = self._session.run(names, {self._input: np.ascontiguousarray(given)})
        except Exception as error:  # onnxruntime has no base class for its errors
            raise self.fault(f"onnxruntime cannot run it: {_reason(error)}") from error
        return list(found)

    def _pooled(self, output: NDArray[Any]) -> Floats:
        """A vector for each image: the mean over the places, if the output has any."""
        if output.ndim == 4:
            output = output.mean(axis=(1, 2) if self._is_last else (2, 3), dtype=np.float64)
        return np.asarray(output, np.float32)

    def fault(self, why: str) -> ModelError:
        """The error that names the file."""
        return _fault(self.path, why)


def open_network(choice: NetworkChoice, size: tuple[int, int] | None = None) -> NetworkFeatures:
    """The network, opened, and what it is given. size: (width, height), if asked for.

    Raises ModelError.
    """
    content = _content(choice.path)
    graph = OnnxGraph(choice.path, content, size)
    channels = graph.shape[2]
    mean = _per_channel(graph, "mean", choice.mean, MEAN)
    std = _per_channel(graph, "std", choice.std, STD)
    if not all(np.isfinite([*mean, *std])) or min(std) <= 0:
        raise graph.fault(f"mean {[*mean]} and std {[*std]} must be finite, and std above 0")
    order = choice.channels or graph.metadata.get("channels", "rgb")
    if order not in ORDERS:
        raise graph.fault(f"its metadata has channels '{order}'; give --onnx-channels rgb or bgr")
    n_features = graph.choose_output(choice.output)
    digest = hashlib.sha256(content).hexdigest()
    order = order if channels == 3 else "rgb"
    return NetworkFeatures(digest, mean, std, order, graph.output, n_features, graph)


def opened_for(
    network: NetworkFeatures, size: tuple[int, int], model_path: str, paths: Sequence[str]
) -> NetworkFeatures:
    """The network of a model, opened from one of the files `paths`, or else from a file beside the
    model: the one with the same SHA-256.

    size: (width, height) of the model's images. Raises ModelError if there is none.
    """
    if network.graph is not None:
        return network
    for path in [*paths, *_beside(model_path)]:
        content = _content(path)
        if hashlib.sha256(content).hexdigest() == network.sha256:
            break
    else:
        if paths:
            raise _fault(
                paths[0],
                f"{model_path or 'the model'} needs another one; give the file that it was trained "
                f"with, whose SHA-256 is {network.sha256}",
            )
        raise ModelError(
            f"cannot use the model: {model_path}: it needs the network that it was trained with; "
            f"give it with --network FILE.onnx (SHA-256 {network.sha256})"
        )
    graph = OnnxGraph(path, content, size)
    n_features = graph.choose_output(network.output)
    if n_features != network.n_features or len(network.mean) != graph.shape[2]:
        raise graph.fault(f"it has other features than {model_path}, which is damaged")
    return replace(network, graph=graph)


def _beside(model_path: str) -> list[str]:
    """The files in the folder of a model that are named like networks and can be read."""
    folder = os.path.dirname(model_path) or "."
    with suppress(OSError), os.scandir(folder) as entries:
        named = [e for e in entries if e.name.lower().endswith(".onnx") and e.is_file()]
        return sorted(e.path for e in named if _can_be_read(e))
    return []


def _can_be_read(entry: os.DirEntry[str]) -> bool:
    return entry.stat().st_size <= _MAX_BYTES and os.access(entry.path, os.R_OK)


def _sides(size: tuple[int, int] | None) -> tuple[int | None, int | None]:
    """(height, width) of (width, height)."""
    return (None, None) if size is None else (size[1], size[0])


def _content(path: str) -> bytes:
    try:
        with os.fdopen(open_regular(path, _MAX_BYTES), "rb") as stream:
            return read_at_most(stream, _MAX_BYTES)
    except (FileNotFoundError, ValueError):  # ValueError: a NUL in the name
        raise _fault(path, "no such file") from None
    except OSError as error:
        raise _fault(path, error.strerror or str(error)) from error


def _session(path: str, content: bytes) -> Any:
    """The network in onnxruntime, which runs it in the calling thread.

    Raises ModelError, and InputError if onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError:
        raise InputError(
            f"cannot use the network: {path}: it needs onnxruntime: pip install 'softmaxce[onnx]'"
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # its errors are raised
    # No file can be in this folder, since `path` is a file itself.
    nowhere = os.path.join(os.path.abspath(path), "none")
    options.add_session_config_entry(_EXTERNAL_FOLDER, nowhere)
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has no base class for its errors
        why = f"onnxruntime cannot read it: {_reason(error)}"
        if "external data" in why.lower():
            why = "its weights are in other files; export it as one file"
        raise _fault(path, why) from error


def _per_channel(
    graph: OnnxGraph, name: str, given: tuple[float, ...] | None, default: tuple[float, ...]
) -> tuple[float, ...]:
    """`given`, or what the metadata says, or the default: one number for each channel."""
    channels, written = graph.shape[2], graph.metadata.get(name)
    if given is None and written is not None:
        try:
            given = tuple(map(float, written.replace(",", " ").split()))
        except ValueError:
            raise graph.fault(f"its metadata has {name} '{written}'; give --onnx-{name}") from None
    if given is None:
        given = default if channels == len(default) else (round(sum(default) / len(default), 6),)
    if len(given) not in (1, channels):
        raise graph.fault(
            f"{name} has {len(given)} numbers, an image {channels} channels; give --onnx-{name} "
            "with one number for each"
        )
    return given if len(given) == channels else given * channels


def _reason(error: Exception) -> str:
    """The first line of an error of onnxruntime, without its codes."""
    lines = str(error).split(" : ")[-1].splitlines()
    return lines[0][:_MAX_REASON].rstrip(".") if lines else type(error).__name__


def _fault(path: str, why: str) -> ModelError:
    return ModelError(f"cannot use the network: {path}: {why}")
