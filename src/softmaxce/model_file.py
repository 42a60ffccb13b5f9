"""SoftmaxModel <-> .npz."""

from __future__ import annotations

from os import PathLike

from softmaxce.model import SoftmaxModel


def load_model(path: str | PathLike[str]) -> SoftmaxModel:
    """The model in the file `path`."""
    raise NotImplementedError
