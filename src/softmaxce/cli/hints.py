"""Hints for arguments in the wrong place: a model where a folder or an image is expected."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise

_HINTS = {
    **dict.fromkeys(("predict", "evaluate", "explain"), "{0} is a model: did you mean -m {0}?"),
    "train": "{0} is a model: did you mean -o {0}?",
    "check": "{0} is a model: softmaxce info {0} shows what it contains",
    "compare": "the order is: softmaxce compare MODEL_A MODEL_B DIR",
}


def model_hint(words: Sequence[str]) -> str:
    """What a failed command with these words may have meant; '' if no model is out of place."""
    arguments = [word for before, word in pairwise(words) if not before.startswith("-")]
    files = list(filter(os.path.isfile, arguments))
    if not files or words[0] not in _HINTS:
        return ""
    from softmaxce.model.model_file import is_model_file

    models = list(filter(is_model_file, files))
    if not models or (words[0] == "compare" and arguments[:2] == models):
        return ""
    return f"; {_HINTS[words[0]].format(models[0])}"
