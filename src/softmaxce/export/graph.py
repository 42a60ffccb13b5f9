"""An ONNX graph, built from values with Python's operators.

Operator set 11 (ONNX 1.6, 2019) is the oldest in which Round, Range and If exist.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 11, 6


class Graph:
    """Nodes and constants, whose names start with the prefix: a branch needs names of its own."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def value(self, name: str, dtype: DTypeLike) -> Value:
        """An input, or a value of an outer graph."""
        return Value(self, name, np.dtype(dtype))

    def constant(self, array: ArrayLike, dtype: DTypeLike = np.float64) -> Value:
        """A constant array."""
        name = f"{self.prefix}constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array, dtype), name))
        return self.value(name, dtype)

    def add(
        self,
        op: str,
        *inputs: Value,
        dtype: DTypeLike | None = None,
        name: str = "",
        **attributes: Any,
    ) -> Value:
        """The result of a node. Its type is `dtype`, or that of the last input."""
        name = name or f"{self.prefix}{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, [i.name for i in inputs], [name], **attributes))
        return self.value(name, inputs[-1].dtype if dtype is None else dtype)

    def branch(self, result: Value, shape: tuple[int, ...]) -> GraphProto:
        """This graph as a branch of `If`."""
        kind = helper.np_dtype_to_tensor_dtype(result.dtype)
        output = helper.make_tensor_value_info(result.name, kind, shape)
        return helper.make_graph(self.nodes, self.prefix, [], [output], self.constants)


class Value:
    """A value of a graph. Numbers that are combined with it get its type."""

    __slots__ = ("dtype", "graph", "name")

    def __init__(self, graph: Graph, name: str, dtype: np.dtype[Any]) -> None:
        self.graph, self.name, self.dtype = graph, name, dtype

    def to(self, dtype: DTypeLike) -> Value:
        """The value in another type; fractions are cut off."""
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.graph.add("Cast", self, dtype=dtype, to=kind)

    def apply(self, op: str, *others: Any, **attributes: Any) -> Value:
        """The node `op` of this value and others."""
        return self.graph.add(op, self, *map(self._value, others), **attributes)

    def where(self, value: Value, other: Any) -> Value:
        """The value where this one is true, the other where it is false."""
        return self.graph.add("Where", self, value, value._value(other))

    def shaped(self, *shape: int) -> Value:
        """The value in another shape; −1 stands for what is left."""
        return self.graph.add(
            "Reshape", self, self.graph.constant(shape, np.int64), dtype=self.dtype
        )

    def at(self, position: int) -> Value:
        """The scalar at this position of a vector."""
        index = self.graph.constant(position, np.int64)
        return self.graph.add("Gather", self, index, dtype=self.dtype)

    def _value(self, other: Any) -> Value:
        return other if isinstance(other, Value) else self.graph.constant(other, self.dtype)

    def __add__(self, other: Any) -> Value:
        return self.apply("Add", other)

    def __sub__(self, other: Any) -> Value:
        return self.apply("Sub", other)

    def __rsub__(self, other: Any) -> Value:
        return self._value(other) - self

    def __mul__(self, other: Any) -> Value:
        return self.apply("Mul", other)

    def __truediv__(self, other: Any) -> Value:
        return self.apply("Div", other)

    def __rtruediv__(self, other: Any) -> Value:
        return self._value(other) / self

    def __gt__(self, other: Any) -> Value:
        return self.apply("Greater", other, dtype=bool)

    def __lt__(self, other: Any) -> Value:
        return self.apply("Less", other, dtype=bool)

    def __and__(self, other: Value) -> Value:
        return self.apply("And", other)

    def __invert__(self) -> Value:
        return self.apply("Not")
