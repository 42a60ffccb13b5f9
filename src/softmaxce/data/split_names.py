"""What the splits of a data set are called."""

from __future__ import annotations

import re
from collections.abc import Mapping

from softmaxce.class_names import normalized

SPLIT_NAMES: Mapping[str, str] = {
    "": "train",
    **dict.fromkeys(("train", "training", "trn", "학습", "훈련"), "train"),
    **dict.fromkeys(("val", "valid", "validate", "validation", "검증"), "validation"),
    **dict.fromkeys(("dev", "devel", "development"), "validation"),
    **dict.fromkeys(("test", "testing", "tst", "eval", "evaluate", "evaluation"), "test"),
    **dict.fromkeys(("holdout", "테스트", "시험", "평가"), "test"),
    "publictest": "validation",
    "privatetest": "test",  # as in FER2013
}
_FILLER = re.compile(r"(용|셋|세트|data|sets?|dataset|images?|imgs?|splits?|folders?)+$")


def split_of(name: str) -> str | None:
    """The split that a folder is named after, such as "test" for Testing, test_set or 2.Test.

    None if it is named after anything else.
    """
    words = (_FILLER.sub("", w) for w in re.findall(r"[^\W\d_]+", normalized(name).casefold()))
    found = [word for word in words if word]
    return SPLIT_NAMES.get(found[0]) if len(found) == 1 else None
