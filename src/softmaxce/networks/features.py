"""What a pretrained network is given, and the features that it returns; needs no onnxruntime."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from softmaxce.errors import DataError, ModelError
from softmaxce.preprocessing import MAX_FEATURE
from softmaxce.row_threads import row_threads

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

        Each core runs the network on its own images: they get the same bits on any number of
        cores, wherever they are among others. Raises DataError for features that are not finite.
        """
        graph = self.opened
        features = np.empty((len(pixels), self.n_features), np.float32)
        scales = [
            (np.float32(1 / (255 * std)), np.float32(mean / std))
            for mean, std in zip(self.mean, self.std, strict=True)
        ]
        places = range(len(scales))[:: -1 if self.order == "bgr" else 1]

        def task(start: int) -> None:
            block = pixels[start : start + graph.n_images].reshape(-1, *graph.shape)
            values = np.zeros((graph.n_images, len(scales), *graph.shape[:2]), np.float32)
            for channel, (factor, shift) in enumerate(scales):
                plane = values[: len(block), places[channel]]
                np.multiply(block[..., channel], factor, out=plane)
                plane -= shift
            features[start : start + len(block)] = graph.run(values)[: len(block)]

        with row_threads() as run_tasks:
            for _ in run_tasks(task, range(0, len(pixels), graph.n_images)):
                pass
        is_good = (np.abs(features) <= MAX_FEATURE).all(axis=1)  # a NaN is not
        if not is_good.all():
            raise DataError(
                f"cannot use the network: {graph.path}: the features of {np.sum(~is_good)} of "
                f"{len(pixels)} images are NaN, infinite or above {MAX_FEATURE:.0e}; check "
                "--onnx-mean and --onnx-std"
            )
        return features
