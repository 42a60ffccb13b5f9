"""Versions of the programs on a worker. Sent by value: the worker may have no softmaxce to import.

The last bits of a result depend on softmaxce, NumPy, Pillow, the JPEG decoder and the kernels that
BLAS and NumPy chose for the processor.
"""

from __future__ import annotations

import ctypes
import importlib
import platform
import socket
import sys
from itertools import product
from typing import Any

_PREFIXES = ("scipy_openblas", "openblas")
_SUFFIXES = ("64_", "")


def worker_versions() -> dict[str, Any]:
    """Names and versions; where a version is not available, the reason. Never raises."""
    found: dict[str, Any] = {"host": socket.gethostname(), "Python": platform.python_version()}
    for name, module in (("NumPy", "numpy"), ("Pillow", "PIL"), ("softmaxce", "softmaxce")):
        try:
            found[name] = importlib.import_module(module).__version__
        except Exception as error:
            found[name] = f"none ({error})"
    try:
        features: Any = importlib.import_module("PIL.features")
        turbo = "turbo " if features.check("libjpeg_turbo") else ""
        name = "libjpeg_turbo" if turbo else "jpg"
        found["libjpeg"] = turbo + str(features.version(name))
    except Exception:
        found["libjpeg"] = "none"
    found["kernels"] = f"{_blas()}, {_simd()}"
    return found


def _simd() -> str:
    """The most advanced instruction set that NumPy uses."""
    package = "_core" if hasattr(importlib.import_module("numpy"), "_core") else "core"
    core = importlib.import_module(f"numpy.{package}._multiarray_umath")
    names = [name for name, has in core.__cpu_features__.items() if has]
    return names[-1] if names else "plain"


def _blas() -> str:
    """Limit OpenBLAS to one thread. Returns the name of its kernel, "BLAS" for another library."""
    if not sys.platform.startswith("linux"):
        return "BLAS"
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        paths = {line.split(None, 5)[5].strip() for line in maps if "openblas" in line}
    for path, (prefix, suffix) in product(sorted(paths), product(_PREFIXES, _SUFFIXES)):
        library = ctypes.CDLL(path)
        name = getattr(library, f"{prefix}_get_corename{suffix}", None)
        if name is not None:
            getattr(library, f"{prefix}_set_num_threads{suffix}")(1)
            name.restype = ctypes.c_char_p
            return f"OpenBLAS {name().decode()}"
    return "BLAS"
