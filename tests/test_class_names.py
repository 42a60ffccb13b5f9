"""Which class a label means, and how class names compare."""

from __future__ import annotations

from unicodedata import normalize

import pytest

from softmaxce.class_names import in_class_order, labels_of, look_alike_key
from softmaxce.errors import InputError
from softmaxce.numerics import label_index

DIGITS = ["0", "1", "10", "11", "2", "3"]  # the order in which earlier versions saved them


@pytest.mark.parametrize(
    ("label", "names", "index"),
    [
        ("2", DIGITS, 4),
        ("2", ["2", "3", "5", "7"], 0),
        ("3", ["a", "b", "c", "d"], 3),
        (2, DIGITS, 2),
        ("5", DIGITS, 5),
        (normalize("NFD", "개"), ["고양이", "개"], 1),
        (normalize("NFC", "café"), [normalize("NFD", "café"), "tea"], 0),
        (normalize("NFD", "개"), [normalize("NFC", "개"), normalize("NFD", "개")], 1),
    ],
)
def test_a_label_is_a_name_else_an_index(label, names, index):
    assert label_index(label, names) == index


@pytest.mark.parametrize(
    ("label", "meant"), [("Cat", "cat"), ("cat ", "cat"), ("hot dog", "hot_dog")]
)
def test_a_label_that_is_nearly_a_name_is_a_hint(label, meant):
    with pytest.raises(InputError, match=f"no class '{label}': did you mean '{meant}'?"):
        label_index(label, ["cat", "hot_dog"])


@pytest.mark.parametrize("label", ["bird", "-1", "2", ""])
def test_other_labels_are_refused(label):
    with pytest.raises(InputError, match=f"no class '{label}': labels are 0 to 1, or cat, dog"):
        label_index(label, ["cat", "dog"])


@pytest.mark.parametrize(
    "names", [["a-1", "a1"], ["-1", "1"], ["cat", "cats"], ["é", "e"], ["C", "C#"], ["A", "a"]]
)
def test_different_names_do_not_look_alike(names):
    assert len({look_alike_key(name) for name in names}) == len(names)


def test_the_order_does_not_depend_on_the_unicode_form():
    for form in ("NFC", "NFD"):
        names = [normalize(form, name) for name in ("zoo", "école", "été", "eel")]
        assert in_class_order(names) == [names[3], names[0], names[1], names[2]]


def test_any_name_has_a_place_in_the_order():
    names = ["", "9" * 400, "1e5", "١", "nan", "\udcff", "-", "."]
    assert in_class_order(reversed(names)) == ["9" * 400, *sorted(set(names) - {"9" * 400})]
    assert labels_of(["nan", "?"], names) == [4, None]
