"""A model, and its pretrained network if it has one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from softmaxce.model.model_file import ModelSource, opened
from softmaxce.model.softmax_model import SoftmaxModel


def opened_model(source: ModelSource, networks: Sequence[str] = ()) -> tuple[SoftmaxModel, str]:
    """A model, and the path of its file ("" for a model in memory).

    networks: files, of which one is the model's network, if it has one; or it is in a file beside
    the model. Raises ModelError.
    """
    model, path = opened(source)
    if model.network is not None:
        from softmaxce.networks.graph import opened_for  # few models need it

        images = model.preprocessing.images
        size = images.width, images.height
        model = replace(model, network=opened_for(model.network, size, path, networks))
    return model, path
