"""What the splits of a data set are called: in a column, as folders, as files and arrays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from softmaxce.class_names import normalized

SPLIT_NAMES: Mapping[str, str] = {
    "": "train",
    **dict.fromkeys(("train", "training", "trn", "학습", "훈련"), "train"),
    **dict.fromkeys(("val", "valid", "validate", "validation", "검증"), "validation"),
    **dict.fromkeys(("dev", "devel", "development"), "validation"),
    **dict.fromkeys(("test", "testing", "tst", "eval", "evaluate", "evaluation"), "test"),
    **dict.fromkeys(("holdout", "테스트", "시험", "평가"), "test"),
}
_SPLIT_WORDS = {**SPLIT_NAMES, "tr": "train", "te": "test", "t10k": "test"}
_WORD_ENDS = re.compile(r"[\W_]+|(?<=[a-z0-9])(?=[A-Z])|(?<=\b[xyXY])(?=[TtVv])")
_FILLER = re.compile(r"(용|셋|세트|data|sets?|dataset|images?|imgs?|splits?|folders?)+$")


def split_of(name: str) -> str | None:
    """The split that a folder is named after, such as "test" for Testing, test_set or 2.Test.

    None if it is named after anything else.
    """
    words = (_FILLER.sub("", w) for w in re.findall(r"[^\W\d_]+", normalized(name).casefold()))
    found = [word for word in words if word]
    return SPLIT_NAMES.get(found[0]) if len(found) == 1 else None


def words_of(name: str) -> list[str]:
    """The words of a name in lower case: x_train, X-Train, xTrain and xtrain are x and train."""
    return [word.lower() for word in _WORD_ENDS.split(name) if word]


def split_among(words: Iterable[str]) -> str | None:
    """The split that one of these words names, if one does."""
    return next((_SPLIT_WORDS[word] for word in words if word in _SPLIT_WORDS), None)
