"""Numbers, or an image and a model → the lesson about them."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from softmaxce import lesson
from softmaxce.errors import DataError
from softmaxce.lesson.example import Example
from softmaxce.lesson.step import Step

if TYPE_CHECKING:
    from softmaxce.lesson.picture import Picture
    from softmaxce.model.model_file import ModelSource

STDIN = "-"


@dataclass(frozen=True)
class Explanation:
    """The result of `explain`: the steps, and the misconceptions to show and not to show.

    more: whether to show what the steps tell only on request.
    """

    example: Example
    steps: tuple[Step, ...]
    misconceptions: tuple[Step, ...]
    other_misconceptions: tuple[Step, ...]
    picture: Picture | None = None
    more: bool = False


def explain(example: Example, picture: Picture | None = None, *, more: bool = False) -> Explanation:
    """The lesson of an example. Raises CheckError if one of its checks fails."""
    found = lesson.find_misconceptions(example)
    n_shown = len(found) if more else 1
    steps = lesson.build(example, picture)
    return Explanation(example, steps, found[:n_shown], found[n_shown:], picture, more)


def explain_image(
    path: str,
    model: ModelSource,
    *,
    networks: Sequence[str] = (),
    label: str | None = None,
    more: bool = False,
    stdin: bytes = b"",
    **options: Any,
) -> Explanation:
    """The lesson of an image ("-": the bytes in `stdin`).

    networks: see `opened_model`; options: temperature and learning_rate, as in `make_example`.
    Raises ModelError, ImageError, and InputError for a label that the model does not know.
    """
    from softmaxce.data.class_folders import list_images
    from softmaxce.images.reading import read_pixels  # only pictures need Pillow
    from softmaxce.lesson.picture import Picture
    from softmaxce.workflows.opened_model import opened_model

    model, _ = opened_model(model, networks)
    if os.path.isdir(path):
        such = "".join(f", such as {found}" for found in list_images(path)[:1])
        raise DataError(f"cannot read the image: {path}: it is a folder; name one image{such}")
    source = io.BytesIO(stdin) if path == STDIN else path
    picture = Picture(model, read_pixels(source, model.preprocessing.images), path)
    example = lesson.make_example(
        picture.logits.tolist(),
        "image",
        classes=model.class_names,
        label=label and model.class_choice.name_of(label),
        **options,
    )
    return explain(example, picture, more=more)
