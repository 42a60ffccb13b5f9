"""The explanation as data: a tuple of Steps, each with its numbers and its checks.

`build` takes an example through the steps; nothing here prints, formats or translates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from softmaxce.lesson import numbers, templates
from softmaxce.lesson.example import Example, make_example
from softmaxce.lesson.misconceptions import find_misconceptions
from softmaxce.lesson.step import Step, render

if TYPE_CHECKING:
    from softmaxce.lesson.feature_row import FeatureRow
    from softmaxce.lesson.picture import Picture

__all__ = ["STEPS", "build", "find_misconceptions", "make_example"]

# In the order of the lesson: the template of each step, and the function that gives its numbers.
STEPS = (
    (templates.LOGITS, numbers.logits),
    (templates.SHARES, numbers.shares),
    (templates.EXPONENTIALS, numbers.exponentials),
    (templates.SOFTMAX, numbers.softmax_step),
    (templates.TARGET_STEP, numbers.target),
    (templates.SQUARED_ERROR, numbers.squared_error),
    (templates.CROSS_ENTROPY, numbers.cross_entropy_step),
    (templates.TWO_ENDS, numbers.two_ends),
    (templates.GRADIENT, numbers.gradient),
)
N_ABOUT_LOGITS = 4


def build(example: Example, shown: Picture | FeatureRow | None = None) -> tuple[Step, ...]:
    """The steps of `example`, in order, those of the picture or the row of features first.

    Given probabilities, the steps before the target are left out. Raises CheckError if a check
    fails.
    """
    chosen = STEPS[N_ABOUT_LOGITS:] if example.source == "probabilities" else STEPS
    steps = [render(template, numbers_of(example)) for template, numbers_of in chosen]
    if shown is not None:
        steps[:1] = _steps_of(shown, example)
    return tuple(steps)


def _steps_of(shown: Picture | FeatureRow, example: Example) -> list[Step]:
    """The steps up to the logits, of a picture or a row of features."""
    # Imported here: without a picture the lesson needs no model and starts faster.
    from softmaxce.lesson import picture_templates
    from softmaxce.lesson.feature_row import FeatureRow, logits_of_features
    from softmaxce.lesson.picture import image, logits_of_image

    if isinstance(shown, FeatureRow):
        numbers = logits_of_features(shown, example)
        return [render(picture_templates.LOGITS_OF_FEATURES, numbers)]
    picture = shown
    if picture.model.patches is None:
        return [
            render(picture_templates.IMAGE, image(picture)),
            render(picture_templates.LOGITS_OF_IMAGE, logits_of_image(picture, example)),
        ]
    from softmaxce.lesson.patches import image_to_patches, logits_of_patches

    return [
        render(picture_templates.IMAGE_OF_PATCHES, image(picture)),
        render(picture_templates.PATCHES, image_to_patches(picture)),
        render(picture_templates.LOGITS_OF_PATCHES, logits_of_patches(picture, example)),
    ]
