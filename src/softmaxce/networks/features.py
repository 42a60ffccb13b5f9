"""What a pretrained network is given, and the features that it returns; needs no onnxruntime."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from softmaxce.errors import DataError, ModelError
from softmaxce.preprocessing import MAX_FEATURE
from softmaxce.row_threads import available_cores, row_threads

Floats = NDArray[np.float32]
ORDERS = ("rgb", "bgr")


class Graph(Protocol):
    """A network, opened. path: its file; shape: (height, width, channels) of an image; n_images:
    how many images it takes at once."""

    path: str
    shape: tuple[int, int, int]
    n_images: int

    def run(self, values: Floats) -> Floats:
        """The features (n_images, n_features) of (n_images, channels, height, width)."""


@dataclass(frozen=True)
class NetworkFeatures:
    """The output of a network for images whose brightnesses b, 0 … 1, become (b − mean) / std.

    sha256: of the network's file; mean, std: one number for each channel, in the order of the
    image, which is red, green and blue; order: in which the network reads the channels, "rgb" or
    "bgr"; output: its name; n_features: its length; graph: the network, None if it is not opened.
    """

    sha256: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    order: str
    output: str
    n_features: int
    graph: Graph | None = field(default=None, compare=False, repr=False)

    dtype: ClassVar[type] = np.float32

    @property
    def row_bytes(self) -> int:
        """Bytes of the features of an image."""
        return self.n_features * np.dtype(self.dtype).itemsize

    @property
    def opened(self) -> Graph:
        """The network's graph. Raises ModelError if it is not opened."""
        if self.graph is None:
            raise ModelError("cannot compute features: the model's network is not opened")
        return self.graph

    def as_json(self) -> dict[str, Any]:
        """All but the graph."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.compare}

    def of(self, pixels: NDArray[np.uint8]) -> Floats:
        """The features (n, n_features) of pixel vectors (n, n_pixels).

        Each core runs the network on its own images. Raises DataError if a feature is NaN, infinite
        or too large.
        """
        step = self.opened.n_images
        features = np.empty((len(pixels), self.n_features), np.float32)

        def task(start: int) -> None:
            rows = slice(start, start + step)
            features[rows] = self.of_batch(pixels[rows])

        with row_threads(available_cores()) as run_tasks:
            for _ in run_tasks(task, range(0, len(pixels), step)):
                pass
        if n_bad := int(not_finite(features).sum()):
            raise DataError(
                f"cannot use the network: {self.opened.path}: the features of {n_bad} of "
                f"{len(pixels)} images are NaN, infinite or above {MAX_FEATURE:.0e}; check "
                "--onnx-mean and --onnx-std"
            )
        return features

    def of_batch(self, pixels: NDArray[np.uint8]) -> Floats:
        """The features (n, n_features) of pixel vectors (n, n_pixels), in the calling thread.

        n: at most as many as the network takes at once. An image gets the same bits wherever it is
        among others.
        """
        graph = self.opened
        images = pixels.reshape(-1, *graph.shape)
        values = np.zeros((graph.n_images, len(self.mean), *graph.shape[:2]), np.float32)
        places = range(len(self.mean))[:: -1 if self.order == "bgr" else 1]
        for channel, (mean, std) in enumerate(zip(self.mean, self.std, strict=True)):
            plane = values[: len(images), places[channel]]
            np.multiply(images[..., channel], np.float32(1 / (255 * std)), out=plane)
            plane -= np.float32(mean / std)
        return graph.run(values)[: len(images)]


def not_finite(features: Floats) -> NDArray[np.bool_]:
    """(n,): which rows contain NaN, or numbers too large for a model."""
    return np.asarray(~(np.abs(features) <= MAX_FEATURE).all(axis=1))  # a NaN is not less
