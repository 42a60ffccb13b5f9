"""Strict JSON with a schema version."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

SCHEMA_VERSION = 1


def json_text(command: str, result: Mapping[str, Any], *, indent: int | None = 2) -> str:
    """One strict JSON object: schema version, command, `result`; ∞ is a string."""
    return json_line({"schema_version": SCHEMA_VERSION, "command": command, **result}, indent)


def json_line(value: Mapping[str, Any], indent: int | None = None) -> str:
    """`value` as strict JSON, on one line unless indented."""
    return json.dumps(_strict(value), indent=indent, allow_nan=False)


def _strict(value: Any) -> Any:
    """`value` in JSON types; ∞ becomes "Infinity", −∞ "-Infinity" and NaN "NaN"."""
    if hasattr(value, "tolist"):  # NumPy scalars and arrays, without importing NumPy
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            return "NaN"
        return "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {str(key): _strict(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(item) for item in value]
    return value
