"""softmaxce: train, evaluate and explain a softmax image classifier.

Public names load on first use, so `import softmaxce` loads neither NumPy nor Pillow.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from softmaxce.estimator import SoftmaxClassifier as SoftmaxClassifier
    from softmaxce.model.model_file import load_model as load_model
    from softmaxce.numerics import cross_entropy as cross_entropy
    from softmaxce.numerics import log_softmax as log_softmax
    from softmaxce.numerics import logsumexp as logsumexp
    from softmaxce.numerics import one_hot as one_hot
    from softmaxce.numerics import softmax as softmax

_HOME_OF = {
    "SoftmaxClassifier": "estimator",
    "cross_entropy": "numerics",
    "load_model": "model.model_file",
    "log_softmax": "numerics",
    "logsumexp": "numerics",
    "one_hot": "numerics",
    "softmax": "numerics",
}

__all__ = ["__version__", *_HOME_OF]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
