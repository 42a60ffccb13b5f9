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
    from numpy.typing import NDArray

    from softmaxce.lesson.feature_row import FeatureRow
    from softmaxce.lesson.picture import Picture
    from softmaxce.model.model_file import ModelSource
    from softmaxce.model.softmax_model import SoftmaxModel

STDIN = "-"


@dataclass(frozen=True)
class Explanation:
    """The result of `explain`: the steps, and the misconceptions to show and not to show.

    shown: what they are about, if not only numbers; more: whether to show what the steps tell only
    on request.
    """

    example: Example
    steps: tuple[Step, ...]
    misconceptions: tuple[Step, ...]
    other_misconceptions: tuple[Step, ...]
    shown: Picture | FeatureRow | None = None
    more: bool = False

    @property
    def picture(self) -> Picture | None:
        """The image, if it is about one."""
        return self.shown if self.example.source == "image" else None  # type: ignore[return-value]


def explain(
    example: Example, shown: Picture | FeatureRow | None = None, *, more: bool = False
) -> Explanation:
    """The lesson of an example. Raises CheckError if one of its checks fails."""
    found = lesson.find_misconceptions(example)
    n_shown = len(found) if more else 1
    steps = lesson.build(example, shown)
    return Explanation(example, steps, found[:n_shown], found[n_shown:], shown, more)


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
    """The lesson of an image file ("-": the bytes in `stdin`), or of a row of arrays ("x.npz[3]").

    networks: see `opened_model`; options: temperature and learning_rate, as in `make_example`.
    Raises ModelError, ImageError, and InputError for a label that the model does not know.
    """
    from softmaxce.workflows.opened_model import opened_model

    model, _ = opened_model(model, networks)
    shown = _shown(path, model, stdin)
    example = lesson.make_example(
        shown.logits.tolist(),
        shown.source,
        classes=model.class_names,
        label=label and model.class_choice.name_of(label),
        **options,
    )
    return explain(example, shown, more=more)


def _shown(path: str, model: SoftmaxModel, stdin: bytes) -> Picture | FeatureRow:
    """The image or the row of features."""
    from softmaxce.data.class_folders import list_images
    from softmaxce.images.reading import read_pixels  # only pictures need Pillow
    from softmaxce.workflows.array_rows import read_rows

    if rows := read_rows(path, model.preprocessing):
        if len(rows.paths) > 1:
            raise DataError(
                f"cannot explain: {path}: it has {len(rows.paths):,} rows; name one of them: "
                f"{rows.paths[0]}"
            )
        return _of_model(model, rows.decoded.pixels[0], path)
    if os.path.isdir(path):
        such = "".join(f", such as {found}" for found in list_images(path)[:1])
        raise DataError(f"cannot read the image: {path}: it is a folder; name one image{such}")
    source = io.BytesIO(stdin) if path == STDIN else path
    return _of_model(model, read_pixels(source, model.preprocessing.images), path)


def _of_model(model: SoftmaxModel, row: NDArray[Any], path: str) -> Picture | FeatureRow:
    """Pixels as the picture that they are, unless the model sees features instead."""
    import numpy as np

    from softmaxce.lesson.feature_row import FeatureRow
    from softmaxce.lesson.picture import Picture
    from softmaxce.preprocessing import FeatureVectors

    if model.network is None and not isinstance(model.preprocessing, FeatureVectors):
        return Picture(model, row, path)
    return FeatureRow(model, model.inputs(row[np.newaxis])[0], path)
