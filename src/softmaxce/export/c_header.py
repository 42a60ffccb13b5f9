"""A model of pixels as a C99 header that needs only the standard library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from string import Template
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from softmaxce.class_names import as_utf8
from softmaxce.export.sample_pictures import sample_picture
from softmaxce.images.reading import read_pixels
from softmaxce.layers import Layer
from softmaxce.model.softmax_model import PIXEL_SCALE, SoftmaxModel
from softmaxce.numerics import softmax

_LARGEST_INT8 = 127
_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 _-.,"
_START = Template("""\
/* softmaxce model in C99: include this file and call softmaxce_predict.

   pixels: $n_pixels bytes, 0 to 255, of a picture of $width x $height pixels, row by row; the
   value of row r, column c and channel k is at index (r * $width + c) * $channels + k.
   probabilities: $n_classes numbers, in the order of softmaxce_class_names.
   To test a build, compare the probabilities of softmaxce_test_pixels with
   softmaxce_test_probabilities: they differ by less than 0.000001.

$metadata*/
#ifndef SOFTMAXCE_MODEL_H
#define SOFTMAXCE_MODEL_H

#include <math.h>
#include <stdint.h>

#define SOFTMAXCE_WIDTH $width
#define SOFTMAXCE_HEIGHT $height
#define SOFTMAXCE_CHANNELS $channels
#define SOFTMAXCE_N_PIXELS $n_pixels
#define SOFTMAXCE_N_CLASSES $n_classes

""")
_FUNCTION = """\
static inline void softmaxce_predict(const unsigned char *pixels, float *probabilities)
{
"""
_LAYER = Template("""\
    double z$i[$n_outputs];
    for (int k = 0; k < $n_outputs; k++) {
        $type sum = 0;
        for (int i = 0; i < $n_inputs; i++)
            sum += $inputs[i] * ($type)softmaxce_weights_$i[k][i];
        z$i[k] = (double)sum * $scale + softmaxce_biases_$i[k];
    }
""")
_RELU = Template("""\
    for (int k = 0; k < $n_outputs; k++)
        z$i[k] = z$i[k] > 0 ? z$i[k] : 0;
""")
_END = Template("""\
    double largest = z$i[0], total = 0;
    for (int k = 1; k < SOFTMAXCE_N_CLASSES; k++)
        largest = z$i[k] > largest ? z$i[k] : largest;
    for (int k = 0; k < SOFTMAXCE_N_CLASSES; k++)
        total += z$i[k] = exp(z$i[k] - largest);
    for (int k = 0; k < SOFTMAXCE_N_CLASSES; k++)
        probabilities[k] = (float)(z$i[k] / total);
}

#endif
""")


class _Stored(NamedTuple):
    """A layer as the header stores it: weights (n_outputs, n_inputs), float32 or int8; biases; for
    int8 what each sum is multiplied by, (n_outputs,)."""

    weights: NDArray[np.float32] | NDArray[np.int8]
    biases: NDArray[np.float32]
    scales: NDArray[np.float32] | None

    @property
    def layer(self) -> Layer:
        """The layer that these numbers make."""
        weights = self.weights.T.astype(np.float64)
        return Layer(weights if self.scales is None else weights * self.scales, self.biases)


def header_chunks(
    model: SoftmaxModel, metadata: Mapping[str, str], *, is_int8: bool
) -> Iterator[bytes]:
    """The header of a model without patch features, piece by piece."""
    form = model.preprocessing.images
    stored = [_int8(layer) if is_int8 else _float32(layer) for layer in model.layers]
    values = {
        "width": form.width,
        "height": form.height,
        "channels": form.channels,
        "n_pixels": form.n_pixels,
        "n_classes": model.n_classes,
        "metadata": "".join(f"   {name}: {value}\n" for name, value in metadata.items()),
    }
    yield _START.substitute(values).encode("ascii")
    names = b",\n    ".join(map(_c_string, model.class_names))
    yield b"static const char *const softmaxce_class_names[] = {\n    " + names + b"};\n\n"
    for i, (weights, biases, scales) in enumerate(stored):
        yield from _array(f"float softmaxce_biases_{i}", biases)
        if scales is not None:
            yield from _array(f"float softmaxce_scales_{i}", scales)
        kind = "float" if scales is None else "signed char"
        yield from _array(f"{kind} softmaxce_weights_{i}", weights)
    pixels = read_pixels(sample_picture(form.height, form.width), form)
    exactly = replace(model, layers=tuple(s.layer for s in stored))
    yield from _array("unsigned char softmaxce_test_pixels", pixels)
    probabilities = softmax(exactly.logits(pixels[np.newaxis])[0])
    yield from _array("float softmaxce_test_probabilities", probabilities)
    yield from (text.encode("ascii") for text in _function(stored))


def _float32(layer: Layer) -> _Stored:
    return _Stored(layer.weights.T.astype(np.float32), layer.biases.astype(np.float32), None)


def _int8(layer: Layer) -> _Stored:
    largest = np.abs(layer.weights).max(axis=0)
    scales = np.where(largest > 0, largest / _LARGEST_INT8, 1).astype(np.float32)
    weights = np.rint(layer.weights / scales).T.astype(np.int8)
    return _Stored(weights, layer.biases.astype(np.float32), scales)


def _function(stored: Sequence[_Stored]) -> Iterator[str]:
    """The function that predicts."""
    yield _FUNCTION
    for i, (weights, _, scales) in enumerate(stored):
        n_outputs, n_inputs = weights.shape
        is_whole = scales is not None and i == 0
        needs_64_bits = n_inputs * 255 * _LARGEST_INT8 >= 2**31
        values = {
            "i": i,
            "n_inputs": n_inputs,
            "n_outputs": n_outputs,
            "inputs": f"z{i - 1}" if i else "pixels",
            "type": f"int{64 if needs_64_bits else 32}_t" if is_whole else "double",
            "scale": "1.0" if scales is None else f"softmaxce_scales_{i}[k]",
        }
        values["scale"] += "" if i else f" * {PIXEL_SCALE!r}"
        yield _LAYER.substitute(values)
        yield (_RELU if i < len(stored) - 1 else _END).substitute(values)


def _array(name: str, values: ArrayLike) -> Iterator[bytes]:
    """The definition of a constant array with one or two dimensions, whose type is in its name."""
    array = np.asarray(values)
    sizes = "".join(f"[{n}]" for n in array.shape)
    form = "%.8ef" if array.dtype.kind == "f" else "%d"
    yield f"static const {name}{sizes} = {{\n".encode("ascii")
    for row in np.atleast_2d(array):
        text = ",".join([form % value for value in row.tolist()])
        yield (f"    {text},\n" if array.ndim == 1 else f"    {{{text}}},\n").encode("ascii")
    yield b"};\n\n"


def _c_string(name: str) -> bytes:
    """A name as a string literal: every byte of its UTF-8 that could mean something is escaped."""
    content = as_utf8(name).encode("utf-8", "surrogatepass")
    return b'"' + b"".join(bytes([b]) if b in _PLAIN else b"\\%03o" % b for b in content) + b'"'
