"""The explanation as data: a tuple of Steps, each with its numbers and its proofs.

`build` takes an example through the steps; nothing here prints, formats or translates.
"""

from __future__ import annotations

from softmaxce.lesson import numbers, script
from softmaxce.lesson.example import Example, from_logits, from_probabilities
from softmaxce.lesson.step import Proof, ProofError, Step, play

__all__ = [
    "SCENES",
    "Example",
    "Proof",
    "ProofError",
    "Step",
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


def build(example: Example) -> tuple[Step, ...]:
    """The steps of `example`, in order. Given probabilities, those before the target are left out.

    Raises ProofError if a proof fails.
    """
    return tuple(
        play(scene, numbers_of(example))
        for scene, numbers_of in SCENES
        if example.source != "probabilities" or scene.name not in ABOUT_LOGITS
    )
