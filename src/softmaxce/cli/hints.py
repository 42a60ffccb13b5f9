"""Hints for arguments in the wrong place: a model where a folder or an image is expected."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise

_OPTION_OF = {"train": "-o", "predict": "-m", "evaluate": "-m", "explain": "-m"}


def model_hint(words: Sequence[str]) -> str:
    """What a failed command with these words may have meant; '' if no model is out of place."""
    files = [
        word
        for before, word in pairwise(words)
        if not before.startswith("-") and os.path.isfile(word)
    ]
    if not files:
        return ""
    from softmaxce.model.model_file import is_model_file

    models = list(filter(is_model_file, files))
    if not models:
        return ""
    command, model = words[0], models[0]
    if command == "compare":
        is_in_order = list(words[1:3]) == models
        return "" if is_in_order else "; the order is: softmaxce compare MODEL_A MODEL_B DIR"
    if command == "check":
        return f"; {model} is a model: softmaxce info {model} shows what it contains"
    if command in _OPTION_OF:
        return f"; {model} is a model: did you mean {_OPTION_OF[command]} {model}?"
    return ""
