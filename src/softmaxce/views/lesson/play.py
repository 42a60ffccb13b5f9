"""The lesson page with a model inside it: draw, open a picture or use the camera, and it answers.

The page does with a picture what the command does: it decodes PNG files itself, and JPEG files at a
fraction of their size, and resizes with the same fixed-point arithmetic. Its weights have single
precision.
"""

from __future__ import annotations

import base64
from dataclasses import asdict
from html import escape
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from softmaxce.errors import InputError
from softmaxce.images.reading import columns_first
from softmaxce.language import Translate
from softmaxce.lesson import make_example
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.preprocessing import Preprocessing
from softmaxce.views.lesson import page
from softmaxce.views.lesson.formatting import number
from softmaxce.views.pictures import DOWN, UP
from softmaxce.workflows.explain import explain

PROGRAMS = ("files.js", "jpeg.js", "model.js", "patches.js", "play.js")
SECTION = "play.html"
MAX_BYTES = 5 * 10**6
_PAPER_SIDE = 280  # pixels, rounded up to a multiple of the model's side
_ROUNDING_OF_WEIGHTS = 1e-6  # relative: those in the page are float32
_UNUSED = 1e-3  # of the median weight


def as_text(model: SoftmaxModel, translate: Translate, language: str, **options: Any) -> str:
    """The page as HTML. options: as in `make_example`.

    Raises InputError for a model that is too large for a page, or needs a network.
    """
    if model.network is not None:
        raise InputError(
            "a page for drawing cannot run a pretrained network; name an IMAGE to explain"
        )
    is_dark = is_dark_at_border(model)
    blank = np.full((1, model.n_pixels), 0 if is_dark else 255, np.uint8)
    logits = model.logits(blank)[0].tolist()
    example = make_example(logits, "image", classes=model.class_names, **options)
    addition = page.Addition(
        title=translate("Draw, and the model answers"),
        section=SECTION,
        image=_image(model, translate),
        styles=("page.css", "play.css"),
        programs=(*page.PROGRAMS, *PROGRAMS),
        data={"play": model_data(model) | {"is_dark": is_dark}},
    )
    text = page.as_text(explain(example), translate, language, addition)
    if len(text.encode()) > MAX_BYTES:
        raise InputError(
            f"the page would have {len(text) / 1e6:.0f} MB: a page for drawing has at most "
            f"{MAX_BYTES // 10**6} MB; train a model with a smaller --size, fewer patches or "
            "fewer hidden units"
        )
    return text


def model_data(model: SoftmaxModel) -> dict[str, Any]:
    """What the programs need of a model."""
    longest = max(model.preprocessing.images.width, model.preprocessing.images.height)
    return {
        "form": form_of(model.preprocessing.images),
        "layers": [
            {"weights": _encoded(layer.weights), "biases": _encoded(layer.biases)}
            for layer in model.layers
        ],
        "patches": _patches(model),
        "paper": longest * -(-_PAPER_SIDE // longest),
        "rounding_of_weights": _ROUNDING_OF_WEIGHTS,
        "colours": [UP.tolist(), DOWN.tolist()],
    }


def messages() -> set[str]:
    """The messages that only this page contains."""
    return set().union(*(page.messages_in(page.read(name)) for name in (SECTION, *PROGRAMS)))


def form_of(preprocessing: Preprocessing) -> dict[str, Any]:
    """How the page prepares a picture."""
    background = list(bytes.fromhex(preprocessing.background[1:]))
    return asdict(preprocessing) | {"background": background, "columns_first": columns_first()}


def is_dark_at_border(model: SoftmaxModel) -> bool:
    """Whether the training images are black at their border, as those of MNIST are.

    Training does not move the weights of a pixel that is always 0, and the penalty shrinks them.
    With patch features nothing is known.
    """
    if model.patches is not None:
        return False
    shape = model.preprocessing.images.height, model.preprocessing.images.width, -1
    weights = np.abs(model.layers[0].weights).reshape(shape).sum(axis=2)
    border = np.concatenate([weights[0], weights[-1], weights[:, 0], weights[:, -1]])
    return bool(np.median(border) < _UNUSED * np.median(weights))


def _patches(model: SoftmaxModel) -> dict[str, Any] | None:
    patches = model.patches
    if patches is None:
        return None
    return {
        "grid": patches.grid,
        "n_pairs": patches.n_pairs,
        "is_symmetric": patches.is_symmetric,
        "filters": _encoded(patches.filters),
        "scales": _encoded(patches.scales),
    }


def _encoded(values: ArrayLike) -> str:
    return base64.b64encode(np.asarray(values, "<f4").tobytes()).decode("ascii")


def _image(model: SoftmaxModel, translate: Translate) -> str:
    """The first stage of the strip: the image as the model sees it, in which the program draws."""
    count = escape(translate("{n} values").format(n=number(model.n_pixels)))
    seen = escape(translate("The image as the model sees it"))
    return (
        f'<li class="stage image"><b>{escape(translate("Image"))}</b><p class="lead">{count}</p>'
        f'<div class="rows"><canvas class="seen" role="img" aria-label="{seen}"></canvas></div>'
        f'<p class="foot"></p></li>'
    )
