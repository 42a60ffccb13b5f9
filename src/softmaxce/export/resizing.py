"""The preprocessing of a picture of any size as a part of an ONNX graph.

It does what images/reading.py does with Pillow, with the same integers: Pillow multiplies bytes by
fixed-point factors with 22 fractional bits, and rounds to bytes between columns and rows. Factors
are split into three bytes, because ONNX multiplies matrices of bytes exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from softmaxce.export.graph import Graph, Value
from softmaxce.preprocessing import Preprocessing

_ONE = 2**22  # in Pillow's factors
_LUMA, _LUMA_ONE = (19595, 38470, 7471), 2**16  # ITU-R 601, as Pillow computes it
_COSINE = np.float32(0.54), np.float32(0.46)  # single precision in Pillow


class _Side(NamedTuple):
    """Along one axis: the picture's length in pixels, where the part that is kept starts and ends,
    how many pixels of the result this part fills, and the length of the result."""

    length: Value
    start: Value
    end: Value
    n_filled: Value
    n: int

    @property
    def divides(self) -> Value:
        """Whether each pixel of the result is the average of equally many pixels."""
        rest = (self.end - self.start).apply("Mod", self.n_filled, fmod=1)
        return ~(rest > 0.0)

    @property
    def places(self) -> Value:
        """The place of each pixel of the result in the filled part: (n, 1)."""
        margin = ((self.n - self.n_filled) / 2.0).apply("Floor")
        return self.n_filled.graph.constant(np.arange(self.n)[:, np.newaxis]) - margin


def prepared(image: Value, preprocessing: Preprocessing, columns_first: bool) -> Value:
    """The pixels (height, width, channels) of a picture (rows, columns, 3), all uint8.

    columns_first: whether Pillow averages columns first if the height shrinks much more.
    """
    graph, size = image.graph, (preprocessing.height, preprocessing.width)
    down, across = _sides(image, preprocessing)
    if preprocessing.channels == 1:
        image = _grey(image)
    is_box = down.divides & across.divides
    values = [image.apply("Transpose", perm=[2, 0, 1])]
    values += [part for side in (down, across) for part in _bytes_of(_factors(side, is_box))]
    if columns_first:
        shrinks = [side.length - side.n_filled for side in (down, across)]
        is_tall = (shrinks[0] > 0.0) & (shrinks[0] > shrinks[1] * 2.0)
        branches = {}
        for name, is_first in (("then_branch", True), ("else_branch", False)):
            branch = Graph(f"{name}_")
            made = _resized([branch.value(v.name, v.dtype) for v in values], is_first)
            branches[name] = branch.branch(made, (preprocessing.channels, *size))
        made = graph.add("If", is_tall, dtype=np.uint8, **branches)
    else:
        made = _resized(values, False)
    made = made.apply("Transpose", perm=[1, 2, 0])
    return _on_background(made, (down, across), preprocessing)


def _grey(image: Value) -> Value:
    """The luma (rows, columns, 1); single precision holds its integers exactly."""
    luma = (image.to(np.float32) * _LUMA).apply("ReduceSum", axes=[2], keepdims=1)
    return ((luma + _LUMA_ONE / 2) * (1 / _LUMA_ONE)).to(np.uint8)


def _sides(image: Value, preprocessing: Preprocessing) -> tuple[_Side, _Side]:
    """How the rows and the columns are resized, as `_frame` in images/reading.py."""
    shape = image.apply("Shape", dtype=np.int64).to(np.float64)
    sizes = preprocessing.height, preprocessing.width
    lengths = shape.at(0), shape.at(1)
    scales = [size / length for length, size in zip(lengths, sizes, strict=True)]
    sides = []
    for length, size in zip(lengths, sizes, strict=True):
        start, end, n_filled = length * 0.0, length, length * 0.0 + size
        if preprocessing.fit == "crop":
            kept = length.apply("Min", size / scales[0].apply("Max", scales[1]))
            start = (length - kept) / 2.0
            end = start + kept
        elif preprocessing.fit == "pad":
            n_filled = (length * scales[0].apply("Min", scales[1])).apply("Round").apply("Max", 1.0)
        sides.append(_Side(length, start, end, n_filled, size))
    return sides[0], sides[1]


def _factors(side: _Side, is_box: Value) -> Value:
    """Pillow's fixed-point factors of the pixels in each pixel of the result: (n, length)."""
    graph, length = side.length.graph, side.length
    start = side.start.to(np.float32)
    scale = (side.end.to(np.float32) - start).to(np.float64) / side.n_filled
    stretch = scale.apply("Max", 1.0)
    support = is_box.where(stretch * 0.5, stretch)
    minus_start = (0.0 - start).to(np.float64)  # onnxruntime 1.16 drops a cast that follows a cast
    centre = (side.places + 0.5) * scale - minus_start
    first = (centre - support + 0.5).apply("Max", 0.0).apply("Floor")
    last = (centre + support + 0.5).apply("Min", length).apply("Floor")
    pixels = graph.add("Range", graph.constant(0.0), length, graph.constant(1.0))
    distance = (pixels - centre + 0.5) * (1.0 / stretch)
    is_near = (pixels > first - 0.5) & (pixels < last - 0.5)
    box = (distance > -0.5) & ~(distance > 0.5)
    weights = is_near.where(is_box.where(box.to(np.float64), _hamming(distance)), 0.0)
    total = weights.apply("ReduceSum", axes=[1], keepdims=1)  # 0 outside the filled part
    return (weights / total.apply("Max", 1e-9) * float(_ONE) + 0.5).to(np.int32)


def _hamming(distance: Value) -> Value:
    """Pillow's Hamming filter. Cosines are sines, since onnxruntime 1.16 has only those in double
    precision."""
    angle = distance.apply("Abs") * np.pi
    wave = (angle + np.pi / 2).apply("Sin") * _COSINE[1] + _COSINE[0]
    values = angle.apply("Sin") / angle.apply("Max", 1e-300) * wave
    values = (angle > 0.0).where(values, 1.0)
    return (distance.apply("Abs") < 1.0).where(values, 0.0)


def _bytes_of(factors: Value) -> list[Value]:
    """The three bytes of factors (n, length), the lowest first: (length, n)."""
    rest = factors / 256
    parts = factors - rest * 256, rest - rest / 256 * 256, rest / 256
    return [part.to(np.uint8).apply("Transpose", perm=[1, 0]) for part in parts]


def _averaged(values: Value, factors: Sequence[Value]) -> Value:
    """Bytes (…, length) averaged along the last axis: (…, n)."""
    low, middle, high = (values.apply("MatMulInteger", f, dtype=np.int32) for f in factors)
    return ((low + middle * 256 + high * 65536 + _ONE // 2) / _ONE).to(np.uint8)


def _resized(values: Sequence[Value], columns_first: bool) -> Value:
    """The planes (channels, rows, columns), the first of these values, averaged by the factors of
    rows and of columns, three values each: (channels, height, width)."""
    planes, down, across = values[0], values[1:4], values[4:]
    for factors in (down, across) if columns_first else (across, down):
        if factors is down:
            planes = planes.apply("Transpose", perm=[0, 2, 1])
        planes = _averaged(planes, factors)
        if factors is down:
            planes = planes.apply("Transpose", perm=[0, 2, 1])
    return planes


def _on_background(pixels: Value, sides: Sequence[_Side], preprocessing: Preprocessing) -> Value:
    """The pixels (height, width, channels), with the background colour outside the filled part."""
    if preprocessing.fit != "pad":
        return pixels
    inside = [(s.places > -0.5) & (s.places < s.n_filled) for s in sides]
    is_filled = inside[0].shaped(-1, 1, 1) & inside[1].shaped(1, -1, 1)
    colour = np.frombuffer(bytes.fromhex(preprocessing.background[1:]), np.uint8)
    if preprocessing.channels == 1:
        colour = (colour @ np.array(_LUMA) + _LUMA_ONE // 2) // _LUMA_ONE
    return is_filled.where(pixels, colour)
