"""What the page shows of an image: its pixels, its vector, what each place adds, the templates."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from html import escape
from typing import Any

from numpy.typing import NDArray

from softmaxce.language import Translate
from softmaxce.lesson.picture import Picture
from softmaxce.lesson.step import Step
from softmaxce.lesson.templates import LOGITS
from softmaxce.patches import SIDE
from softmaxce.views import pictures as pixels
from softmaxce.views.lesson.formatting import contributions_text, number, weights_text
from softmaxce.views.safe_text import visible
from softmaxce.workflows.explain import Explanation

Values = NDArray[Any]
MAX_WEIGHT_MAPS = 12
MAX_CONTRIBUTIONS = 2 * 224 * 224 * 3  # 3 MB as text; the classes beyond that are left out
STRIP_WIDTH = 1024
SMALL_WIDTH = 120  # pixels, about as wide as page.css shows a small picture


def image_fields(explanation: Explanation, translate: Translate) -> dict[str, str]:
    """The fields of page_image.html."""
    shown, given = explanation.picture, explanation.example
    assert shown is not None
    laid = pixels.in_rgb(shown.grid.reshape(1, -1, shown.shape[2]))
    return {
        "n_values": number(len(shown.pixels)),
        "picture": pixels.data_uri(pixels.image_pixels(shown)),
        "text": escape(translate("The image as the model sees it")),
        "overlay": pixels.data_uri(pixels.overlay_pixels(shown, given.winner)),
        "caption": escape(visible(contributions_text(given, translate))),
        "vector": pixels.data_uri(pixels.shrunk(laid, STRIP_WIDTH)),
        "hidden": "" if _has_vector(shown) else "hidden",
    }


def image_data(explanation: Explanation, translate: Translate) -> dict[str, Any]:
    """The numbers of the image for image.js, which only looks them up.

    A place is a pixel (side 1), or with patch features a patch, named after its top left pixel.
    pixels: the vector, one byte a value; classes: the winner and the true class, each with its
    contributions in the order of the vector or of the places, as float64, little-endian.
    """
    shown, given = explanation.picture, explanation.example
    assert shown is not None
    height, width, channels = shown.shape
    first = explanation.steps[0].numbers
    sides = {"channels": channels, "side": 1, "rows": height, "columns": width}
    start = [first["row"], first["column"]]
    title = translate("Row {row}, column {column}")
    if shown.model.patches is not None:
        rows, columns = shown.model.patches.n_places
        sides = {"channels": 1, "side": SIDE, "rows": rows, "columns": columns}
        logits = next(step.numbers for step in explanation.steps if step.name == LOGITS.name)
        start = [logits["place_rows"][0], logits["place_columns"][0]]
        title = translate("Row {row}, column {column}: a patch of {side} × {side} pixels")
    n_values = sides["rows"] * sides["columns"] * sides["channels"]
    classes = list(dict.fromkeys((given.winner, given.label)))[: MAX_CONTRIBUTIONS // n_values]
    return {
        "width": width,
        "height": height,
        **sides,
        "start": start,
        "title": title,
        "pixels": _text_of(shown.pixels) if _has_vector(shown) else "",
        "classes": [
            {"name": visible(given.class_names[k]), "contributions": _text_of(_added(shown, k))}
            for k in classes
        ],
    }


def _has_vector(picture: Picture) -> bool:
    return picture.model.patches is None and len(picture.pixels) <= MAX_CONTRIBUTIONS


def _added(picture: Picture, k: int) -> Values:
    """What each input or patch adds to logit k."""
    contributions, patches = picture.contributions(k), picture.model.patches
    if patches is not None:
        contributions = patches.contributions(picture.pixels, contributions)
    return contributions.astype("<f8")


def _text_of(values: Values) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")


def pictures_of(step: Step, explanation: Explanation, translate: Translate) -> Iterator[str]:
    """The pictures of a step besides the image, as HTML."""
    shown, given = explanation.picture, explanation.example
    assert shown is not None
    if step.name == "patches":
        row, column, side = (step.numbers[name] for name in ("row", "column", "side"))
        part = pixels.image_pixels(shown)[row : row + side, column : column + side]
        text = translate("The part of the image with the highest response")
        yield _figure(pixels.data_uri(part), text)
    elif step.name == LOGITS.name and shown.model.patches is None:
        # The weights of patch features have no place in the image.
        large = list(dict.fromkeys((given.winner, given.label)))
        others = [k for k in given.shown if k not in large]
        for k in [*large, *others][:MAX_WEIGHT_MAPS]:
            drawn, is_large = pixels.template_pixels(shown, k), k in large
            source = pixels.data_uri(drawn if is_large else pixels.shrunk(drawn, SMALL_WIDTH))
            yield _figure(source, weights_text(shown, k, translate), is_large=is_large)


def _figure(source: str, text: str, *, is_large: bool = False) -> str:
    kind, said = "pixels large" if is_large else "pixels", escape(text)
    image = f'<img src="{source}" alt="{said}">'
    return f'<figure class="{kind}">{image}<figcaption>{said}</figcaption></figure>'
