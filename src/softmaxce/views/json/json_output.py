"""Strict JSON with a schema version."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

SCHEMA_VERSION = 1


def json_text(command: str, result: object) -> str:
    """One strict JSON object: schema version, command, and what `result` contains."""
    content = {"schema_version": SCHEMA_VERSION, "command": command, **_strict(result)}
    return json.dumps(content, indent=2, allow_nan=False)


def json_line(value: Mapping[str, Any]) -> str:
    """`value` as strict JSON on one line."""
    return json.dumps(_strict(value), allow_nan=False)


def attributes(value: object, *names: str) -> dict[str, Any]:
    """Some attributes of a value, as the fields of a JSON object."""
    return {name: getattr(value, name) for name in names}


def _strict(value: Any) -> Any:
    """`value` in JSON types; ∞ becomes "Infinity", −∞ "-Infinity" and NaN "NaN"."""
    if hasattr(value, "tolist"):  # NumPy scalars and arrays, without importing NumPy
        value = value.tolist()
    if hasattr(value, "_asdict"):  # a named tuple
        value = value._asdict()
    if is_dataclass(value):
        value = attributes(value, *(field.name for field in fields(value)))
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            return "NaN"
        return "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {str(key): _strict(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(item) for item in value]
    return value
