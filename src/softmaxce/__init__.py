"""softmaxce: train, evaluate and explain a softmax image classifier.

Public names load on first use, so `import softmaxce` loads neither NumPy nor Pillow.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from softmaxce.estimator import SoftmaxClassifier as SoftmaxClassifier
    from softmaxce.notebook import load_model as load_model
    from softmaxce.notebook.workflows import evaluate as evaluate
    from softmaxce.notebook.workflows import explain as explain
    from softmaxce.notebook.workflows import predict as predict
    from softmaxce.notebook.workflows import train as train
    from softmaxce.numerics import cross_entropy as cross_entropy
    from softmaxce.numerics import log_softmax as log_softmax
    from softmaxce.numerics import logsumexp as logsumexp
    from softmaxce.numerics import one_hot as one_hot
    from softmaxce.numerics import softmax as softmax

_HOME_OF = {
    "SoftmaxClassifier": "estimator",
    "cross_entropy": "numerics",
    "evaluate": "notebook.workflows",
    "explain": "notebook.workflows",
    "load_model": "notebook",
    "log_softmax": "numerics",
    "logsumexp": "numerics",
    "one_hot": "numerics",
    "predict": "notebook.workflows",
    "softmax": "numerics",
    "train": "notebook.workflows",
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
