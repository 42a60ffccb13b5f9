"""Whether an exported file computes what its model does, on test pictures."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession

from softmaxce.errors import OutputError
from softmaxce.export.sample_pictures import sample_picture
from softmaxce.images.reading import read_pixels
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.numerics import softmax

MAX_DIFFERENCE = 1e-6  # between probabilities
_SIZES = ((1, 1), (97, 61), (50, 331), (331, 50))


def largest_difference(content: bytes, model: SoftmaxModel) -> tuple[float, int]:
    """The largest difference of a probability by onnxruntime, and the number of test pictures.

    Raises OutputError if the file's probabilities are not those of the model.
    """
    session = InferenceSession(content, providers=["CPUExecutionProvider"])
    takes_pixels = session.get_inputs()[0].name == "pixels"
    differences = []
    for picture, pixels in _inputs(model):
        feed = {"pixels": pixels} if takes_pixels else {"image": picture}
        found = session.run(["probabilities"], feed)[0]
        expected = softmax(model.logits(pixels), axis=1)
        differences.append(np.abs(found.reshape(1, -1) - expected).max())
    largest = float(np.max(differences))  # NaN if one of them is
    if not largest <= MAX_DIFFERENCE:
        raise OutputError(
            f"onnxruntime computes other probabilities (difference {largest:.2g}); "
            "nothing was written"
        )
    return largest, len(differences)


def _inputs(model: SoftmaxModel) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Each test picture and its pixels (1, n_pixels)."""
    form = model.preprocessing.images
    own = form.height, form.width
    for size in (own, *_SIZES):
        picture = sample_picture(*size)
        yield picture, read_pixels(picture, form)[np.newaxis]
