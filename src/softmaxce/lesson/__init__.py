"""The explanation as data: a tuple of Steps, each with its numbers and its proofs.

`build` takes an example through the steps; nothing here prints, formats or translates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from softmaxce.lesson import numbers, script
from softmaxce.lesson.corrections import answer
from softmaxce.lesson.example import Example, from_logits, from_probabilities
from softmaxce.lesson.step import Numbers, Proof, ProofError, Script, Step, play

if TYPE_CHECKING:
    from softmaxce.lesson.picture import Picture

__all__ = [
    "SCENES",
    "Example",
    "Proof",
    "ProofError",
    "Step",
    "answer",
    "build",
    "from_logits",
    "from_probabilities",
]

# In the order of the lesson: what is said, and where its numbers come from.
SCENES = (
    (script.LOGITS, numbers.logits),
    (script.SHARES, numbers.shares),
    (script.EXPONENTIALS, numbers.exponentials),
    (script.SOFTMAX, numbers.softmax_step),
    (script.TARGET_STEP, numbers.target),
    (script.SQUARED_ERROR, numbers.squared_error),
    (script.CROSS_ENTROPY, numbers.cross_entropy_step),
    (script.TWO_ENDS, numbers.two_ends),
    (script.NO_DISTANCE, numbers.no_distance),
    (script.GRADIENT, numbers.gradient),
)
ABOUT_LOGITS = {"logits", "shares", "exponentials", "softmax"}


def build(example: Example, picture: Picture | None = None) -> tuple[Step, ...]:
    """The steps of `example`, in order, with those of its `picture` first.

    Given probabilities, the steps before the target are left out. Raises ProofError if a proof
    fails.
    """
    scenes = [(scene, numbers_of(example)) for scene, numbers_of in _scenes(example)]
    if picture is not None:
        # Imported here: without a picture the lesson needs no model and starts faster.
        from softmaxce.lesson import picture as of_picture
        from softmaxce.lesson import picture_script

        scenes[:1] = [
            (picture_script.IMAGE, of_picture.image(picture)),
            (picture_script.LOGITS_OF_IMAGE, of_picture.logits_of_image(picture, example)),
        ]
    return tuple(play(scene, numbers) for scene, numbers in scenes)


def _scenes(example: Example) -> Iterator[tuple[Script, Callable[[Example], Numbers]]]:
    for scene in SCENES:
        if example.source != "probabilities" or scene[0].name not in ABOUT_LOGITS:
            yield scene
