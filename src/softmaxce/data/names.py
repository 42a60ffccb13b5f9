"""Words in the names of files, folders and arrays, and the splits that they name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping

SPLIT_NAMES: Mapping[str, str] = {
    "": "train",
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "publictest": "validation",  # as in FER2013, whose test split is called PrivateTest
    "test": "test",
    "testing": "test",
    "eval": "test",
    "privatetest": "test",
}
_SPLIT_WORDS = {**SPLIT_NAMES, "tr": "train", "te": "test", "t10k": "test"}
_WORD_ENDS = re.compile(r"[\W_]+|(?<=[a-z0-9])(?=[A-Z])|(?<=\b[xyXY])(?=[TtVv])")


def words(name: str) -> list[str]:
    """The words of a name in lower case: x_train, X-Train, xTrain and xtrain are x and train."""
    return [word.lower() for word in _WORD_ENDS.split(name) if word]


def split_in(found: Collection[str]) -> str | None:
    """The split that one of these words names, if one does."""
    return next((_SPLIT_WORDS[word] for word in found if word in _SPLIT_WORDS), None)


def composed(name: str) -> str:
    """The name in Unicode's composed form (NFC); macOS decomposes the names of files."""
    return unicodedata.normalize("NFC", name)
