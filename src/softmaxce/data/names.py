"""Words in the names of files and arrays, and the splits that they name."""

from __future__ import annotations

import re
from collections.abc import Iterable

from softmaxce.data.split_names import SPLIT_NAMES

_SPLIT_WORDS = {**SPLIT_NAMES, "tr": "train", "te": "test", "t10k": "test"}
_WORD_ENDS = re.compile(r"[\W_]+|(?<=[a-z0-9])(?=[A-Z])|(?<=\b[xyXY])(?=[TtVv])")


def words_of(name: str) -> list[str]:
    """The words of a name in lower case: x_train, X-Train, xTrain and xtrain are x and train."""
    return [word.lower() for word in _WORD_ENDS.split(name) if word]


def split_among(words: Iterable[str]) -> str | None:
    """The split that one of these words names, if one does."""
    return next((_SPLIT_WORDS[word] for word in words if word in _SPLIT_WORDS), None)
