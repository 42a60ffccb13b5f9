"""Which classes are chosen, what they are called after merging, and which choices are refused."""

from __future__ import annotations

import unicodedata

import pytest

from softmaxce.class_choice import ALL_CLASSES, ClassChoice
from softmaxce.errors import InputError

NAMES = ["bird", "cat", "dog", "husky", "wolf"]
DOGS = (("wolf", "dog"), ("husky", "dog"))


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (ALL_CLASSES, dict(zip(NAMES, NAMES, strict=True))),
        (ClassChoice(("dog", "cat")), {"cat": "cat", "dog": "dog"}),
        (
            ClassChoice(("dog", "cat"), DOGS),
            {"cat": "cat", "dog": "dog", "husky": "dog", "wolf": "dog"},
        ),
        (ClassChoice(("pet",), (("cat", "pet"),)), {"cat": "pet"}),
    ],
)
def test_what_the_classes_are_called(choice, expected):
    assert choice.chosen(NAMES) == expected


def test_names_are_compared_after_normalisation():
    composed, decomposed = (unicodedata.normalize(form, "강아지") for form in ("NFC", "NFD"))
    choice = ClassChoice((composed,), (("wolf", composed),))
    assert choice.chosen(["wolf", decomposed, "cat"]) == {"wolf": composed, decomposed: composed}
    assert ClassChoice(merged=((decomposed, "dog"),)).name_of(composed) == "dog"


@pytest.mark.parametrize(
    ("only", "merged", "error"),
    [
        ("dgo,cat", (), "unknown class: --only: 'dgo'; the classes are 'bird', 'cat', 'dog', "),
        ("dgo,cat", (), "; did you mean 'dog'?"),
        ("Cat,dog", (), "; did you mean 'cat'?"),
        ("", (("wulf", "dog"),), "unknown class: --merge: 'wulf'; .* did you mean 'wolf'?"),
        ("wolf,cat", DOGS, "unknown class: --only: 'wolf'; .* did you mean 'dog'?"),
        (
            "",
            (("wolf", "dog"), ("wolf", "cat")),
            "'wolf' into 'dog': --merge also turns 'wolf' into 'cat'",
        ),
        ("", (("wolf", "dog"), ("dog", "cat")), "'wolf' into 'dog': .* turns 'dog' into 'cat'"),
        ("", (("cat", "dog"), ("dog", "cat")), "'cat' into 'dog': .* turns 'dog' into 'cat'"),
        ("cat", (), "too few classes: --only and --merge leave only 'cat'"),
        ("", tuple((name, "pet") for name in NAMES), "leave only 'pet'"),
    ],
)
def test_what_is_refused(only, merged, error):
    with pytest.raises(InputError, match=error.replace("?", r"\?")):
        ClassChoice(tuple(filter(None, only.split(","))), merged).check(NAMES)


def test_what_is_accepted():
    for choice in (ALL_CLASSES, ClassChoice(merged=DOGS), ClassChoice(("dog", "bird"), DOGS)):
        choice.check(NAMES)
    ClassChoice(merged=(("wolf", "dog"), ("wolf", "dog"))).check(NAMES)
